using System.Management.Automation;
using System.Reflection;

namespace QuayAirGap.Tests;

/// <summary>Errors have ids, categories, targets, and say what to do.</summary>
public sealed class ErrorTests
{
    [Fact]
    public void Every_id_has_a_category()
    {
        using var engine = new Engine();
        Assert.NotEmpty(engine.Run("Get-ClairFeedTrust -SitePath /nowhere/at/all").Errors);
        MethodInfo categoryOf = ModuleTests.ModuleAssembly("QuayAirGap").GetType("QuayAirGap.Commands.ErrorRecordFactory")!.GetMethod("CategoryOf")!;
        foreach (string id in AllIds().Where(i => i != "Unexpected"))
        {
            var category = (ErrorCategory)categoryOf.Invoke(null, [id])!;
            Assert.NotEqual(ErrorCategory.NotSpecified, category);
        }
    }

    [Fact]
    public void A_site_that_does_not_exist_is_said_to_be_missing_with_what_to_do()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        foreach (string command in new[]
        {
            "Get-ClairFeedSource", "Get-ClairFeedTrust", "Get-ClairFeed", "Test-ClairFeedFreshness", "Test-ClairFeedFreshness -Quiet",
            "Restore-ClairFeed 1", "Import-ClairFeed x.tar", "Test-ClairFeedBundle x.tar", "Remove-ClairFeedTrust 12345678", "Start-ClairFeedMirror",
        })
        {
            EngineResult result = engine.Run($"param($s) {command} -SitePath $s", folder["none"]);
            ErrorRecord error = Assert.Single(result.Errors);
            Assert.StartsWith("SiteNotFound,QuayAirGap.Commands.", error.FullyQualifiedErrorId, StringComparison.Ordinal);
            Assert.Equal(ErrorCategory.ObjectNotFound, error.CategoryInfo.Category);
            Assert.Equal(folder["none"], error.TargetObject);
            Assert.Contains("-SitePath", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
            Assert.Empty(result.Output);
        }

        Assert.False(Directory.Exists(folder["none"]));
    }

    [Fact]
    public void An_unknown_source_names_the_nearest_one_and_does_not_stop_the_others()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        EngineResult result = engine.Run("param($s) Set-ClairFeedSource alpine, debain, osv -WarnAfter 1d -SitePath $s -PassThru", folder["site"]);
        Assert.Equal(["alpine", "osv"], result.Output.Select(o => o.ToString()));
        ErrorRecord error = Assert.Single(result.Errors);
        Assert.StartsWith("SourceUnknown,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal("debain", error.TargetObject);
        Assert.Contains("'debian'", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_outside_the_file_system_is_refused()
    {
        using var engine = new Engine();
        EngineResult result = engine.Run("New-ClairFeedSigner -Path Variable:x -Subject y");
        Assert.Equal(["DestinationInvalid"], result.ErrorIds);
    }

    [Fact]
    public void A_site_that_cannot_be_written_says_so()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        File.WriteAllText(folder["file"], "in the way");
        EngineResult result = engine.Run("param($s) Set-ClairFeedSource alpine -Enabled $false -SitePath $s", Path.Combine(folder["file"], "site"));
        Assert.Equal(["SiteNotWritable"], result.ErrorIds);
    }

    internal static IEnumerable<string> AllIds() => ModuleTests.ModuleAssembly("QuayAirGap.Core").GetType("QuayAirGap.Core.ErrorIds")!
        .GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!);
}
