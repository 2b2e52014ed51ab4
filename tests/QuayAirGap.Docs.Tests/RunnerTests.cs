using QuayAirGap.Docs.Tests.Markdown;
using QuayAirGap.Docs.Tests.Running;

namespace QuayAirGap.Docs.Tests;

/// <summary>The runner itself: a command that does not work is found, and by its line.</summary>
public sealed class RunnerTests(DocStage stage)
{
    [Theory]
    [InlineData("powershell", "", "Get-ClairFeed -SitePath /srv/nowhere", false)]
    [InlineData("powershell", "<!-- fails: SiteNotFound -->", "Get-ClairFeed -SitePath /srv/nowhere", true)]
    [InlineData("powershell", "<!-- fails: BundleNotFound -->", "Get-ClairFeed -SitePath /srv/nowhere", false)]
    [InlineData("powershell", "<!-- fails: SiteNotFound -->", "'no error'", false)]
    [InlineData("bash", "", "false", false)]
    [InlineData("bash", "<!-- exit: 1 -->", "false", true)]
    [InlineData("bash", "<!-- not run: for a reason -->", "false", true)]
    [InlineData("powershell", "", "Get-ClairFeed -SitePath /srv/nowhere", false, DocHost.PowerShell)]
    [InlineData("powershell", "<!-- fails: SiteNotFound -->", "Get-ClairFeed -SitePath /srv/nowhere", true, DocHost.PowerShell)]
    [InlineData("powershell", "<!-- whole powershell -->", "throw 'not for the executable'", true)]
    [InlineData("powershell", "<!-- whole powershell -->", "throw 'for this one'", false, DocHost.PowerShell)]
    [InlineData("bash", "", "false", false, DocHost.PowerShell)]
    public async Task A_block_that_does_not_do_what_the_page_says_is_found(string language, string comment, string code, bool ends, DocHost host = DocHost.Executable)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && language == "bash", "There is no bash.");
        string name = $"{language}-{comment}-{ends}-{host}".GetHashCode(StringComparison.Ordinal).ToString("x8", System.Globalization.CultureInfo.InvariantCulture);
        await DocStage.SkipWithoutAsync(host);
        DocOutcome outcome = await stage.RunAsync(
            DocPage.Parse(
                $"runner-{name}.md", $"# Page\n\n```powershell\n'before'\n```\n\n{comment}\n```{language}\n{code}\n```\n\n```powershell\n'after'\n```\n"),
            host);
        Assert.Equal(ends, outcome.Ended);
        Assert.Equal(ends ? 12 : 8, outcome.LastBlock);
        Assert.Equal("before", outcome.Outputs[3].Trim());
    }

    [Fact]
    public void A_page_that_cannot_be_read_is_refused()
    {
        Assert.Throws<FormatException>(() => DocPage.Parse("a.md", "```powershell\nno end\n"));
        Assert.Throws<FormatException>(() => DocPage.Parse("a.md", "<!-- fails: SiteNotFound -->\nprose in between\n```powershell\nx\n```\n"));
        DocBlock inList = Assert.Single(DocPage.Parse("a.md", "1. <!-- silent -->\n   ```powershell\n   a\n     b\n   ```\n").Blocks);
        Assert.Equal(("a\n  b", true), (inList.Code, inList.Markers.ContainsKey("silent")));
    }

    [Fact]
    public void Anchors_are_those_that_pages_are_shown_with() => Assert.Equal(
        ["1-build-it", "trustpolicyyaml", "again", "again-1"], DocPage.Parse("a.md", "# 1. Build it\n## trust/policy.yaml\n## Again\n## Again\n").Anchors());
}
