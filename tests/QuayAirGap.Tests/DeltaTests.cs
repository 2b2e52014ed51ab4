using Xunit;

namespace QuayAirGap.Tests;

/// <summary>Deltas as people make and take them, in the real engine.</summary>
public sealed class DeltaTests
{
    [Fact]
    public async Task A_delta_on_the_last_bundle_is_saved_shown_tested_and_imported()
    {
        await using Samples samples = await Samples.StartAsync();
        string delta = samples.Folder["delta.tar"];

        // The very first one is full, and says so.
        EngineResult first = samples.Save(more: "-Name alpine, repository-to-cpe -SinceLast").WithoutErrors();
        Assert.Equal("Full", first["Kind"]);
        Assert.Contains("full bundle", Assert.Single(first.Warnings), StringComparison.Ordinal);

        EngineResult saved = samples.Save(delta, "-Name alpine, repository-to-cpe -SinceLast").WithoutErrors();
        Assert.Equal("Delta", saved["Kind"]);
        Assert.Equal(first["SnapshotSha256"], saved["Base"]);
        Assert.Equal(1L, saved["BaseSequence"]);

        // Without its base it is refused, by name; with it, it goes in.
        Assert.Equal("BundleBase", samples.Engine.Run("param($b, $s) Get-ClairFeedBundle $b -SitePath $s", delta, samples.Inside)["Verdict"]);
        EngineResult refused = samples.Engine.Run("param($b, $s) Test-ClairFeedBundle $b -SitePath $s", delta, samples.Inside).WithoutErrors();
        Assert.Equal(false, refused.Single.BaseObject);
        Assert.Contains("builds on the bundle number 1", Assert.Single(refused.Warnings), StringComparison.Ordinal);
        samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
        Assert.Equal(true, samples.Engine.Run("param($b, $s) Test-ClairFeedBundle $b -SitePath $s", delta, samples.Inside).WithoutErrors().Single.BaseObject);
        EngineResult imported = samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s -PassThru", delta, samples.Inside).WithoutErrors();
        Assert.Equal(true, imported["Changed"]);
        Assert.Equal(2L, imported["Sequence"]);

        EngineResult parts = samples.Engine.Run(
            "param($b, $s) foreach ($p in (Get-ClairFeedBundle $b -SitePath $s).Parts) { \"$($p.Source) $($p.Size) $($p.Whole) $($p.Patched) $($p.FromBase -gt 0)\" }",
            delta, samples.Inside).WithoutErrors();
        Assert.Equal(["alpine 0 0 0 True", "repository-to-cpe 0 0 0 True"], parts.Output.Select(o => (string)o.BaseObject));
    }

    [Fact]
    public async Task A_delta_names_its_base_by_file_by_digest_or_by_number()
    {
        await using Samples samples = await Samples.StartAsync();
        EngineResult first = samples.Save().WithoutErrors();
        foreach (string since in new[] { samples.Bundle, (string)first["SnapshotSha256"]!, "1" })
        {
            EngineResult saved = samples.Save(samples.Folder["delta.tar"], $"-Name alpine -Force -Since '{since}'").WithoutErrors();
            Assert.Equal(first["SnapshotSha256"], saved["Base"]);
        }

        Assert.Equal(["BaseNotFound"], samples.Save(samples.Folder["x.tar"], "-Since 99").ErrorIds);
        Assert.Equal(["BundleNotFound"], samples.Save(samples.Folder["x.tar"], "-Since nothing.tar").ErrorIds);
        Assert.Equal(["BaseInvalid"], samples.Save(samples.Folder["x.tar"], "-Since 1 -SinceLast").ErrorIds);
        Assert.False(File.Exists(samples.Folder["x.tar"]));
    }
}
