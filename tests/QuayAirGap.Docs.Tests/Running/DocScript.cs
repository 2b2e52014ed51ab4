using System.Globalization;
using System.Text;
using QuayAirGap.Docs.Tests.Markdown;

namespace QuayAirGap.Docs.Tests.Running;

/// <summary>
/// A document as one script: its blocks in their order, each with a line before it that says which one begins. The blocks are run as they
/// stand, but for what names the machine (<see cref="DocPlaces"/>).
/// </summary>
internal sealed class DocScript(DocPage page, DocPlaces places, DocHost host)
{
    private const string Mark = "@@ block ";
    private const string EndMark = "@@ end";

    /// <summary>
    /// Nobody sits at the keyboard: whoever is asked for a password answers with this one. Strict, so that a property that is not there is an error and not an
    /// empty text.
    /// </summary>
    public const string Begin = """
        $ErrorActionPreference = 'Stop'
        Set-StrictMode -Version Latest
        function Read-Host { [Net.NetworkCredential]::new('', 'correct horse').SecurePassword }

        """;

    /// <summary>
    /// Runs a script in PowerShell as if it were typed: in a pipeline of its own each statement gets the view of what it writes, where a script as a whole keeps the
    /// first one's for all that follows.
    /// </summary>
    public const string Typed = """
        param([string] $DocModule, [string] $DocScript)
        $ErrorActionPreference = 'Stop'
        Import-Module $DocModule
        foreach ($docStatement in [Management.Automation.Language.Parser]::ParseFile($DocScript, [ref] $null, [ref] $null).EndBlock.Statements) {
            . ([scriptblock]::Create($docStatement.Extent.Text)) | Out-String -Stream -Width 1000
        }

        """;

    /// <summary>Writes the script and the files beside it into the folder, and returns the script's path.</summary>
    public string Write(string folder, bool withMirror)
    {
        var script = new StringBuilder(Begin);
        if (withMirror)
        {
            script.Append(CultureInfo.InvariantCulture, $"Start-ClairFeedMirror -Urls 'http://{places.Mirror}'\n");
        }

        foreach (DocBlock block in page.Blocks.Where(b => IsUsedIn(b, host)))
        {
            script.Append(CultureInfo.InvariantCulture, $"'{Mark}{block.Line}'\n");
            string code = places.Localize(block.Code);
            if (block.File is { } file)
            {
                string target = places.Localize(file);
                string text = Path.Combine(folder, $"block{block.Line}.txt");
                File.WriteAllText(text, code + "\n");
                script.Append(CultureInfo.InvariantCulture, $"[void] [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName('{target}'))\n");
                script.Append(CultureInfo.InvariantCulture, $"[IO.File]::Copy('{text}', '{target}', $true)\n");
            }
            else if (block.IsPowerShell)
            {
                script.Append(block.Markers.TryGetValue("fails", out string? id) ? Failing(code, id) : code).Append('\n');
            }
            else
            {
                string text = Path.Combine(folder, $"block{block.Line}.sh");
                File.WriteAllText(text, "exec 2>&1\nset -euo pipefail\n" + code + "\n");
                string expected = block.Markers.GetValueOrDefault("exit", "0");
                script.Append(CultureInfo.InvariantCulture, $"& bash '{text}'\nif ($LASTEXITCODE -ne {expected}) {{ throw \"bash ended with $LASTEXITCODE\" }}\n");
            }
        }

        script.Append(CultureInfo.InvariantCulture, $"'{EndMark}'\n");
        string path = Path.Combine(folder, "document.ps1");
        File.WriteAllText(path, script.ToString());
        return path;
    }

    /// <summary>What each block wrote, by its line; and whether the script came to its end.</summary>
    public (IReadOnlyDictionary<int, string> Outputs, int LastBlock, bool Ended) Read(string output)
    {
        var outputs = new Dictionary<int, StringBuilder>();
        int current = 0;
        bool ended = false;
        foreach (string line in output.ReplaceLineEndings("\n").Split('\n'))
        {
            if (line.StartsWith(Mark, StringComparison.Ordinal))
            {
                current = int.Parse(line.AsSpan(Mark.Length), CultureInfo.InvariantCulture);
                outputs[current] = new StringBuilder();
            }
            else if (line == EndMark)
            {
                ended = true;
            }
            else if (current > 0)
            {
                outputs[current].Append(places.Generalize(line)).Append('\n');
            }
        }

        return (outputs.ToDictionary(o => o.Key, o => o.Value.ToString()), current, ended);
    }

    /// <summary>Whether the script does something with a block: runs it, or writes it to the file that the document names.</summary>
    public static bool IsUsed(DocBlock block) => block.NotRun is null && (block.File is not null || block.IsPowerShell || block.IsBash);

    /// <summary>The same, in one host.</summary>
    public static bool IsUsedIn(DocBlock block, DocHost host) => IsUsed(block) && (host == DocHost.PowerShell || !block.NeedsPowerShell);

    private static string Failing(string code, string id) => $$"""
        $failed = $null
        try {
        {{code}}
        } catch { $failed = $_ }
        if ($null -eq $failed) { throw 'The document says that this fails with {{id}}, and it does not.' }
        if ("$($failed.FullyQualifiedErrorId)".Split(',')[0] -ne '{{id}}') { throw $failed }
        """;
}
