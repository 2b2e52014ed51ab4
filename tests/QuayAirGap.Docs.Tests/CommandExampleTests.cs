using System.Globalization;
using System.Text;
using QuayAirGap.Docs.Tests.Markdown;
using QuayAirGap.Docs.Tests.Running;

namespace QuayAirGap.Docs.Tests;

/// <summary>
/// The examples on the commands' pages, which Get-Help shows too, are run: each page in a copy of what CommandExamples.md prepares, all of
/// them in one process.
/// </summary>
public sealed class CommandExampleTests(DocStage stage)
{
    private const string Preparation = "tests/QuayAirGap.Docs.Tests/CommandExamples.md";
    private const string Failed = "@@ failed ";

    /// <summary>Pages whose commands belong on the collecting side; the others' default site is the one inside.</summary>
    private static readonly string[] s_outside = ["Save-ClairFeed"];

    [Theory]
    [InlineData(DocHost.Executable)]
    [InlineData(DocHost.PowerShell)]
    public async Task Every_example_works(DocHost host)
    {
        await DocStage.SkipWithoutAsync(host);
        DocPage preparation = DocPage.Load(Preparation);
        Assert.SkipWhen(DocStage.MissingFor(preparation).Count > 0, "Its preparation needs what is not installed here.");
        DocOutcome prepared = await stage.RunAsync(preparation, host);
        Assert.True(prepared.Ended, $"{Preparation}:{prepared.LastBlock}\n{prepared.Error}");

        DocPage[] pages = [.. DocPage.AllPaths.Where(p => p.StartsWith("docs/cmdlets/", StringComparison.Ordinal)).Select(DocPage.Load)];
        string work = stage.NewFolder($"commands-{host}");
        var script = new StringBuilder(DocScript.Begin);
        foreach (DocPage page in pages)
        {
            Append(script, page, host, prepared, Path.Combine(work, Path.GetFileNameWithoutExtension(page.Path)));
        }

        string path = Path.Combine(work, "examples.ps1");
        await File.WriteAllTextAsync(path, script.ToString() + "'@@ end'\n", TestContext.Current.CancellationToken);
        (_, string output, string error) = await DocStage.StartAsync(host, path, work);
        string[] lines = output.Split('\n');
        Assert.Empty(lines.Where(l => l.StartsWith(Failed, StringComparison.Ordinal)).Select(l => l.Replace(work, "", StringComparison.Ordinal)));
        Assert.True(lines.Contains("@@ end"), error);
    }

    private void Append(StringBuilder script, DocPage page, DocHost host, DocOutcome prepared, string work)
    {
        DocPlaces places = stage.PlacesIn(work);
        Directory.CreateDirectory(places.Root);
        DocStage.Copy(DocStage.RootIn(prepared.Folder), places.Root);
        string name = Path.GetFileNameWithoutExtension(page.Path);
        string site = places.Localize(s_outside.Contains(name) ? "/srv/collector" : "/var/lib/quayairgap");
        script.Append(CultureInfo.InvariantCulture, $"$env:QUAYAIRGAP_SITE = '{site}'\n");
        script.Append(CultureInfo.InvariantCulture, $"[void] $ExecutionContext.SessionState.Path.SetLocation('{places.Localize("/srv/work")}')\n");
        script.Append("$password = Read-Host\n$mirror = $null\n");
        if (page.Blocks.Any(b => DocScript.IsUsedIn(b, host) && b.Code.Contains(DocPlaces.MirrorName, StringComparison.Ordinal)))
        {
            script.Append(CultureInfo.InvariantCulture, $"Start-ClairFeedMirror -Urls 'http://{places.Mirror}'\n");
        }

        foreach (DocBlock block in page.Blocks.Where(b => DocScript.IsUsedIn(b, host)))
        {
            script.Append(CultureInfo.InvariantCulture, $$"""
                try {
                {{places.Localize(block.Code)}}
                } catch { '{{Failed}}{{page.Path}}:{{block.Line}}: ' + "$_".Replace("`n", ' ') }

                """);
        }

        script.Append("Stop-ClairFeedMirror\n");
    }
}
