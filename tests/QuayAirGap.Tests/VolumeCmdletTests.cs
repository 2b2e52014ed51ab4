using Xunit;

namespace QuayAirGap.Tests;

/// <summary>Bundles in parts, and the check of the store, as people use them in the real engine.</summary>
public sealed class VolumeCmdletTests
{
    [Fact]
    public async Task A_bundle_is_saved_in_parts_shown_tested_and_imported_from_media_one_after_another()
    {
        await using Samples samples = await Samples.StartAsync();
        string media = samples.Folder["media"];
        Directory.CreateDirectory(media);
        EngineResult saved = samples.Save(Path.Combine(media, "feed.tar"), "-Name alpine, osv, repository-to-cpe -VolumeSize 20000").WithoutErrors();
        string[] parts = [.. Directory.GetFiles(media).Order(StringComparer.Ordinal)];
        Assert.True(parts.Length >= 2, $"{parts.Length} parts");
        Assert.All(parts, p => Assert.True(new FileInfo(p).Length <= 20_000));
        Assert.Equal($"feed.vol001of{parts.Length:D3}.qagvol", Path.GetFileName(parts[0]));
        Assert.Equal(parts.Length, saved["Volumes"]);
        Assert.Equal(parts[0], saved["Path"]);

        EngineResult shown = samples.Engine.Run("param($b, $s) Get-ClairFeedBundle $b -SitePath $s", media, samples.Inside).WithoutErrors();
        Assert.Equal("Acceptable", shown["Verdict"]);
        Assert.Equal(saved["SnapshotSha256"], shown["SnapshotSha256"]);
        Assert.Equal(true, samples.Engine.Run("param($b, $s) Test-ClairFeedBundle $b -SitePath $s", media, samples.Inside).WithoutErrors().Single.BaseObject);

        // One medium alone.
        string one = samples.Folder["one"];
        Directory.CreateDirectory(one);
        File.Move(parts[0], Path.Combine(one, "part.QAGVOL"));
        Assert.Equal(true, samples.Engine.Run("param($b) Test-ClairFeedBundle \"$b/*\" -PartOnly", one).WithoutErrors().Single.BaseObject);
        shown = samples.Engine.Run("param($b, $s) Get-ClairFeedBundle $b -SitePath $s", one, samples.Inside).WithoutErrors();
        Assert.Equal("BundleVolumeMissing", shown["Verdict"]);
        Assert.Equal(Enumerable.Range(2, parts.Length - 1), (int[])shown["MissingVolumes"]!);
        Assert.Equal(false, samples.Engine.Run("param($b, $s) Test-ClairFeedBundle $b -SitePath $s", one, samples.Inside).WithoutErrors().Single.BaseObject);

        EngineResult would = samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s -WhatIf", one, samples.Inside).WithoutErrors();
        Assert.Empty(would.Output);
        Assert.False(Directory.Exists(Path.Combine(samples.Inside, "volumes")));
        Assert.Equal(["BundleVolumeMissing"], samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", one, samples.Inside).ErrorIds);
        Assert.True(Directory.Exists(Path.Combine(samples.Inside, "volumes")));
        EngineResult imported = samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s -PassThru", media, samples.Inside).WithoutErrors();
        Assert.Equal(true, imported["Changed"]);
        Assert.False(Directory.Exists(Path.Combine(samples.Inside, "volumes")));
    }

    [Fact]
    public void A_size_is_read_as_the_mediums_box_says_it()
    {
        using var engine = new Engine();
        foreach ((string text, long partSize) in new[]
        {
            ("4.7GB", 4_700_000_000 - (4L << 20)), ("25 gb", 25_000_000_000 - (4L << 20)), ("2GB", 2_000_000_000 - (4L << 20)),
            ("4.4GiB", 4_724_464_025 - (4L << 20)), ("2147483647", 2_147_483_647), ("600KB", 600_000),
        })
        {
            EngineResult result = engine.Run(
                """
                param($text)
                $attribute = (Get-Command Split-ClairFeedBundle).Parameters['VolumeSize'].Attributes.Where({ $_.GetType().Name -eq 'VolumeSizeTransformationAttribute' })[0]
                $attribute.Transform($ExecutionContext, $text).PartSize
                """, text).WithoutErrors();
            Assert.True(partSize == (long)result.Single.BaseObject, $"{text}: {result.Single}");
        }

        // A literal remembers how it was written, and is read by thousands too: this one is beyond the largest size by 1024. A value is bytes.
        Assert.Equal(["BundleNotFound"], engine.Run("Split-ClairFeedBundle /nothing.tar 1100TB").ErrorIds);
        Assert.Equal(["ParameterArgumentTransformationError"], engine.Run("Split-ClairFeedBundle /nothing.tar (1100TB)").ErrorIds);
        Assert.Equal(["ParameterArgumentTransformationError"], engine.Run("Split-ClairFeedBundle /nothing.tar '4.7 zigabytes'").ErrorIds);
        Assert.Equal(["ParameterArgumentTransformationError"], engine.Run("Split-ClairFeedBundle /nothing.tar 0").ErrorIds);
    }

    [Fact]
    public async Task A_bundle_is_split_and_what_is_no_size_is_refused()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save(more: "-Name alpine, osv, repository-to-cpe").WithoutErrors();
        string media = samples.Folder["media"];
        Directory.CreateDirectory(media);
        EngineResult split = samples.Engine.Run("param($b, $d) Split-ClairFeedBundle $b 20000 $d -PassThru", samples.Bundle, media).WithoutErrors();
        Assert.True(split.Output.Count >= 2);
        Assert.Equal(1, split.Output[0].Properties["Number"].Value);
        Assert.Equal(split.Output.Count, Directory.GetFiles(media).Length);
        Assert.Equal(["DestinationInvalid"], samples.Engine.Run("param($b, $d) Split-ClairFeedBundle $b 20000 $d", samples.Bundle, media).ErrorIds);
        Assert.Equal(["VolumeSizeInvalid"], samples.Engine.Run("param($b, $d) Split-ClairFeedBundle $b 100 $d", samples.Bundle, media).ErrorIds);
        samples.Engine.Run("param($b, $d) Split-ClairFeedBundle $b 20000 $d -Force -WhatIf", samples.Bundle, media).WithoutErrors();
        EngineResult imported = samples.Engine.Run(
            "param($b, $s) Get-ClairFeedBundle $b -SitePath $s | Import-ClairFeed -SitePath $s -PassThru", media, samples.Inside).WithoutErrors();
        Assert.Equal(true, imported["Changed"]);
    }

    [Fact]
    public async Task A_damaged_store_is_found_and_mended()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save(more: "-Name repository-to-cpe").WithoutErrors();
        samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
        Assert.Equal(true, samples.Engine.Run("param($s) Test-ClairFeedStore -SitePath $s -Quiet", samples.Inside).WithoutErrors().Single.BaseObject);

        string blob = Directory.GetFiles(Path.Combine(samples.Inside, "store"), "*", SearchOption.AllDirectories).OrderBy(f => new FileInfo(f).Length).Last();
        byte[] content = await File.ReadAllBytesAsync(blob, TestContext.Current.CancellationToken);
        content[^1] ^= 1;
        await File.WriteAllBytesAsync(blob, content, TestContext.Current.CancellationToken);
        EngineResult found = samples.Engine.Run("param($s) Repair-ClairFeedStore -SitePath $s -WhatIf; Test-ClairFeedStore -SitePath $s", samples.Inside).WithoutErrors();
        Assert.Equal(("Damaged", false, true), (found["Fault"], found["Removed"], File.Exists(blob)));
        Assert.Single(found.Warnings);
        found = samples.Engine.Run("param($s) Repair-ClairFeedStore -SitePath $s -PassThru", samples.Inside).WithoutErrors();
        Assert.Equal(("Damaged", true, false), (found["Fault"], found["Removed"], File.Exists(blob)));
        EngineResult fresh = samples.Engine.Run("param($s) Test-ClairFeedFreshness repository-to-cpe -SitePath $s", samples.Inside).WithoutErrors();
        Assert.Equal("Failed", fresh["State"]!.ToString());
        samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
        Assert.Equal("Fresh", samples.Engine.Run("param($s) Test-ClairFeedFreshness repository-to-cpe -SitePath $s", samples.Inside).WithoutErrors()["State"]!.ToString());
        Assert.Equal(true, samples.Engine.Run("param($s) Test-ClairFeedStore -SitePath $s -Quiet", samples.Inside).WithoutErrors().Single.BaseObject);
    }
}
