using System.Text.RegularExpressions;
using QuayAirGap.Docs.Tests.Markdown;
using QuayAirGap.Docs.Tests.Running;

namespace QuayAirGap.Docs.Tests;

/// <summary>Every command in a document is run from the document itself; one that is not says why.</summary>
public sealed class DocumentTests(DocStage stage)
{
    private const string CmdletPages = "docs/cmdlets/";

    private static readonly string[] s_languages = ["powershell", "bash", "sh", "yaml", "json", "text", "nginx", "promql"];

    /// <summary>The documents with something to run. The cmdlets' pages have their own test.</summary>
    public static TheoryData<string, DocHost> Runnable
    {
        get
        {
            var runs = new TheoryData<string, DocHost>();
            foreach (DocPage page in Pages().Where(p => p.Blocks.Any(DocScript.IsUsed)))
            {
                runs.Add(page.Path, DocHost.Executable);
                if (page.Blocks.Any(b => DocScript.IsUsed(b) && b.IsPowerShell))
                {
                    runs.Add(page.Path, DocHost.PowerShell);
                }
            }

            return runs;
        }
    }

    public static TheoryData<string> All => [.. DocPage.AllPaths];

    [Theory]
    [MemberData(nameof(Runnable))]
    public async Task Its_commands_work(string path, DocHost host)
    {
        await DocStage.SkipWithoutAsync(host);
        DocPage page = DocPage.Load(path);
        IReadOnlyList<string> missing = DocStage.MissingFor(page);
        Assert.SkipWhen(missing.Count > 0, $"{path} needs {string.Join(", ", missing)}, not installed here.");
        stage.Begin(Pages().Where(p => p.Blocks.Any(DocScript.IsUsed) && DocStage.MissingFor(p).Count == 0), host);
        DocOutcome outcome = await stage.RunAsync(page, host);
        TestContext.Current.SendDiagnosticMessage("{0} took {1:0.0} s in {2}", path, outcome.Took.TotalSeconds, host);
        Assert.True(
            outcome is { Ended: true, ExitCode: 0 or 1 },
            $"{path}:{outcome.LastBlock}: the block fails.\n{outcome.Error}\n{outcome.Outputs.GetValueOrDefault(outcome.LastBlock)}");
        foreach (DocBlock block in page.Blocks.Where(b => b.Markers.ContainsKey("silent")))
        {
            Assert.True(outcome.Outputs[block.Line].Trim().Length == 0, $"{path}:{block.Line}: there should be no output. It is:\n{outcome.Outputs[block.Line]}");
        }

        foreach ((DocBlock block, int i) in page.Blocks.Select((b, i) => (b, i)).Where(b => b.b.Markers.ContainsKey("output")))
        {
            DocBlock command = page.Blocks.Take(i).Last(b => DocScript.IsUsedIn(b, host));
            AssertShows(block.Code, outcome.Outputs[command.Line], $"{path}:{block.Line}");
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Its_blocks_are_of_a_known_kind(string path)
    {
        foreach (DocBlock block in DocPage.Load(path).Blocks)
        {
            Assert.True(s_languages.Contains(block.Language), $"{path}:{block.Line}: a block of '{block.Language}'. Known are {string.Join(", ", s_languages)}.");
            Assert.True(block.NotRun is null or { Length: > 5 }, $"{path}:{block.Line}: it is not said why the block is not run.");
        }
    }

    /// <summary>The folders of a document lie in the test's own; the machine's scheduler does not, and would run its jobs for ever.</summary>
    [Theory]
    [MemberData(nameof(All))]
    public void Its_commands_leave_the_machines_scheduler_alone(string path)
    {
        foreach (DocBlock block in DocPage.Load(path).Blocks.Where(b => DocScript.IsUsed(b) && b.File is null))
        {
            Assert.All(
                block.Code.Split('\n').Where(l => l.Contains("gister-ClairFeedSchedule", StringComparison.OrdinalIgnoreCase)),
                l => Assert.True(l.Contains("-WhatIf", StringComparison.Ordinal) || l.Contains("-UnitPath", StringComparison.Ordinal), $"{path}:{block.Line}: {l}"));
        }
    }

    private static IEnumerable<DocPage> Pages() =>
        DocPage.AllPaths.Where(p => !p.StartsWith(CmdletPages, StringComparison.Ordinal)).Select(DocPage.Load);

    /// <summary>Each line must be there, in this order; "…" stands for anything within a line, and spaces for any number of them.</summary>
    private static void AssertShows(string expected, string output, string where)
    {
        string[] lines = output.Split('\n');
        int at = 0;
        foreach (string line in expected.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && l != "…"))
        {
            var pattern = new Regex(Regex.Replace(Regex.Escape(line).Replace("…", ".*", StringComparison.Ordinal), @"(\\ )+", @"\s+"));
            int found = Array.FindIndex(lines, at, l => pattern.IsMatch(l));
            Assert.True(found >= 0, $"{where}: the output has no line '{line}' here. It is:\n{output}");
            at = found + 1;
        }
    }
}
