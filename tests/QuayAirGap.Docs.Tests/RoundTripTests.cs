using QuayAirGap.Docs.Tests.Running;
using QuayAirGap.TestKit.Samples;

namespace QuayAirGap.Docs.Tests;

/// <summary>The first command that a reader of the front page tries.</summary>
public sealed class RoundTripTests(DocStage stage)
{
    [Fact]
    public async Task The_round_trip_holds()
    {
        string work = stage.NewFolder("round-trip");
        string script = Path.Combine(RepositoryFolders.Root, "docs", "examples", "round-trip.ps1");
        (int exitCode, string output, string error) = await DocStage.StartAsync(DocHost.Executable, script, work, "-Path", Path.Combine(work, "trip"));
        Assert.True(exitCode == 0, error + output);
        Assert.Matches(@"[0-9]{2} checks held", output);
    }
}
