using System.Globalization;
using System.Management.Automation;
using System.Text.Json;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;

namespace QuayAirGap.Tests;

/// <summary>The cmdlets in the real engine, as people call them.</summary>
public sealed class CmdletTests
{
    [Fact]
    public async Task Everything_is_carried_over_and_published()
    {
        await using Samples samples = await Samples.StartAsync();
        EngineResult saved = samples.Save(more: "").WithoutErrors();
        Assert.Equal(samples.Bundle, saved["Path"]);
        Assert.Equal(1L, saved["Sequence"]);
        Assert.Equal(12, ((string[])saved["Sources"]!).Length);
        Assert.Equal(new FileInfo(samples.Bundle).Length, saved["Size"]);

        EngineResult imported = samples.Engine.Run(
            "param($b, $s) Get-ClairFeedBundle $b -SitePath $s | Import-ClairFeed -SitePath $s -PassThru", samples.Bundle, samples.Inside).WithoutErrors();
        Assert.Equal(true, imported["Changed"]);
        Assert.Equal(1, imported["Generation"]);
        Assert.Contains(imported.Warnings, w => w.StartsWith("debian: 1 held back", StringComparison.Ordinal));

        EngineResult again = samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s -PassThru", samples.Bundle, samples.Inside).WithoutErrors();
        Assert.Equal(false, again["Changed"]);

        EngineResult fresh = samples.Engine.Run("param($s) Test-ClairFeedFreshness -SitePath $s", samples.Inside).WithoutErrors();
        Assert.Equal(14, fresh.Output.Count);
        Assert.All(
            fresh.Output,
            o => Assert.Equal((bool)o.Properties["Required"].Value ? "Ok" : "None", o.Properties["Level"].Value));
        Assert.Equal(true, samples.Engine.Run("param($s) Test-ClairFeedFreshness -Quiet -SitePath $s", samples.Inside).Single.BaseObject);
        Assert.Equal(false, samples.Engine.Run("param($s) Test-ClairFeedFreshness clair.kev -Quiet -SitePath $s", samples.Inside).Single.BaseObject);

        EngineResult generations = samples.Engine.Run("param($s) Get-ClairFeed -SitePath $s", samples.Inside).WithoutErrors();
        Assert.Equal(true, generations["IsCurrent"]);
        Assert.Equal(12, ((string[])generations["Sources"]!).Length);
    }

    [Fact]
    public async Task A_second_day_and_a_restore_make_new_generations()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save().WithoutErrors();
        samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
        samples.Upstream.SetLayers(SampleUpstream.Day2);
        samples.Save(samples.Folder["day2.tar"]).WithoutErrors();
        samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Folder["day2.tar"], samples.Inside).WithoutErrors();

        EngineResult restored = samples.Engine.Run(
            "param($s) Get-ClairFeed -Generation 1 -SitePath $s | Restore-ClairFeed -SitePath $s -PassThru", samples.Inside).WithoutErrors();
        Assert.Equal(3, restored["Generation"]);
        Assert.Equal(1L, restored["Sequence"]);
        Assert.Equal([false, false, true], samples.Engine.Run("param($s) (Get-ClairFeed -SitePath $s).IsCurrent", samples.Inside).Output.Select(o => (bool)o.BaseObject));
        Assert.Equal(["GenerationNotFound"], samples.Engine.Run("param($s) Restore-ClairFeed 99 -SitePath $s", samples.Inside).ErrorIds);
    }

    /// <summary>A stick with the bundles of several days, named against their order: each is imported once, and the run after changes nothing and fails at nothing.</summary>
    [Fact]
    public async Task A_wildcard_takes_bundles_in_their_order_and_passes_over_the_older_ones()
    {
        await using Samples samples = await Samples.StartAsync();
        Directory.CreateDirectory(samples.Folder["stick"]);
        samples.Save(samples.Folder["stick/b.tar"]).WithoutErrors();
        samples.Save(samples.Folder["stick/a.tar"]).WithoutErrors();
        const string Import = "param($f, $s) Import-ClairFeed \"$f/*.tar\" -SitePath $s -PassThru";
        EngineResult first = samples.Engine.Run(Import, samples.Folder["stick"], samples.Inside).WithoutErrors();
        Assert.Equal(["1", "2"], first.Output.Select(o => $"{o.Properties["Sequence"].Value}"));

        EngineResult second = samples.Engine.Run(Import, samples.Folder["stick"], samples.Inside).WithoutErrors();
        Assert.Equal((2L, false), (Convert.ToInt64(Assert.Single(second.Output).Properties["Sequence"].Value, null), second.Output[0].Properties["Changed"].Value));
        Assert.Contains(second.Warnings, w => w.Contains("b.tar' is passed over", StringComparison.Ordinal));

        // Named by itself, or with nothing newer beside it, an older bundle is refused as ever: nobody may take it for news.
        Assert.StartsWith("BundleSequence", Assert.Single(samples.Engine.Run("param($f, $s) Import-ClairFeed \"$f/b.tar\" -SitePath $s", samples.Folder["stick"], samples.Inside).Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        File.Delete(samples.Folder["stick/a.tar"]);
        Assert.StartsWith("BundleSequence", Assert.Single(samples.Engine.Run(Import, samples.Folder["stick"], samples.Inside).Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_names_the_folder_of_a_medium_is_told_so_and_not_that_a_bundle_is_damaged()
    {
        await using Samples samples = await Samples.StartAsync();
        Directory.CreateDirectory(samples.Folder["stick"]);
        samples.Save(samples.Folder["stick/day.tar"]).WithoutErrors();
        ErrorRecord error = Assert.Single(samples.Engine.Run("param($f, $s) Import-ClairFeed $f -SitePath $s", samples.Folder["stick"], samples.Inside).Errors);
        Assert.StartsWith("BundleNotFound", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("day.tar", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.DoesNotContain("bundle.refused", File.ReadAllText(Path.Combine(samples.Inside, "ledger.jsonl")), StringComparison.Ordinal);
    }

    /// <summary>PowerShell shows what is recommended, and not the id that the page of errors goes by.</summary>
    [Fact]
    public void An_error_shows_its_id_and_the_nearest_name()
    {
        using var engine = new Engine();
        ErrorRecord error = Assert.Single(engine.Run("Get-ClairFeedSource rhel").Errors);
        Assert.EndsWith("[SourceUnknown]", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("'rhel-vex'", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_check_of_a_store_that_is_not_there_yet_finds_nothing()
    {
        await using Samples samples = await Samples.StartAsync();
        Assert.Empty(samples.Engine.Run("param($s) Test-ClairFeedStore -SitePath $s", samples.Inside).WithoutErrors().Output);
    }

    [Fact]
    public async Task A_source_that_fails_is_an_error_of_its_own_beside_a_whole_bundle()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Upstream.AddFault("**/repository-to-cpe.json", UpstreamFault.Status(403));
        EngineResult saved = samples.Save();
        ErrorRecord error = Assert.Single(saved.Errors);
        Assert.StartsWith("SourceFailed,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal("repository-to-cpe", error.TargetObject);
        Assert.Contains("403", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("there are no files of it", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(["alpine"], (string[])saved["Sources"]!);
        Assert.Contains((string[])saved["IncompleteSources"]!, s => s.StartsWith("repository-to-cpe: the capture failed", StringComparison.Ordinal));

        EngineResult imported = samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
        Assert.Contains(imported.Warnings, w => w.StartsWith("repository-to-cpe: the capture failed", StringComparison.Ordinal));
        EngineResult fresh = samples.Engine.Run("param($s) Test-ClairFeedFreshness repository-to-cpe -SitePath $s", samples.Inside);
        Assert.Equal("Failed", fresh["State"]);
        Assert.NotEqual("Ok", fresh["Level"]);
    }

    [Fact]
    public async Task An_upstream_that_is_down_writes_no_bundle()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Upstream.AddFault("**", UpstreamFault.Status(404));
        EngineResult saved = samples.Save();
        Assert.Equal(["NothingCollected"], saved.ErrorIds);
        Assert.False(File.Exists(samples.Bundle));
        Assert.Empty(saved.Output);
    }

    [Fact]
    public async Task A_bundle_that_changed_on_the_way_is_refused_and_nothing_is_written()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save().WithoutErrors();
        byte[] bytes = await File.ReadAllBytesAsync(samples.Bundle, TestContext.Current.CancellationToken);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(samples.Bundle, bytes, TestContext.Current.CancellationToken);

        EngineResult tested = samples.Engine.Run("param($b, $s) Test-ClairFeedBundle $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
        Assert.Equal(false, tested.Single.BaseObject);
        Assert.Contains("[Bundle", Assert.Single(tested.Warnings), StringComparison.Ordinal);

        EngineResult imported = samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s -PassThru", samples.Bundle, samples.Inside);
        Assert.StartsWith("Bundle", Assert.Single(imported.ErrorIds), StringComparison.Ordinal);
        Assert.NotEmpty(imported.Errors[0].ErrorDetails.RecommendedAction);
        Assert.Empty(imported.Output);
        Assert.Empty(samples.Engine.Run("param($s) Get-ClairFeed -SitePath $s", samples.Inside).WithoutErrors().Output);
    }

    [Fact]
    public async Task A_missing_bundle_is_an_error_and_not_false()
    {
        await using Samples samples = await Samples.StartAsync();
        EngineResult result = samples.Engine.Run("param($b, $s) Test-ClairFeedBundle $b -SitePath $s", samples.Bundle, samples.Inside);
        Assert.Equal(["BundleNotFound"], result.ErrorIds);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task Another_sites_signer_is_refused_by_name()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save().WithoutErrors();
        samples.Engine.Run("param($p, $s) New-ClairFeedSigner $p 'Somebody else' | Out-Null; Add-ClairFeedTrust ($p -replace 'pfx$', 'cer') -SitePath $s", samples.Folder["other.pfx"], samples.Folder["other"]).WithoutErrors();
        Assert.Equal(["BundleSignerUnknown"], samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Folder["other"]).ErrorIds);
        Assert.Equal("BundleSignerUnknown", samples.Engine.Run("param($b, $s) Get-ClairFeedBundle $b -SitePath $s", samples.Bundle, samples.Folder["other"])["Verdict"]);
        Assert.Equal("Acceptable", samples.Engine.Run("param($b, $s) Get-ClairFeedBundle $b -SitePath $s", samples.Bundle, samples.Inside)["Verdict"]);
        Assert.Equal("NotChecked", samples.Engine.Run("param($b, $s) Get-ClairFeedBundle $b -SitePath $s", samples.Bundle, samples.Folder["none"])["Verdict"]);
    }

    [Fact]
    public async Task Brackets_in_a_name_are_brackets_wherever_a_name_is_meant_literally()
    {
        await using Samples samples = await Samples.StartAsync();
        string path = samples.Folder["backup[1].tar"];
        samples.Save(path).WithoutErrors();
        Assert.Equal(path, samples.Engine.Run("param($b, $s) Get-ClairFeedBundle -LiteralPath $b -SitePath $s", path, samples.Inside).WithoutErrors()["Path"]);

        EngineResult imported = samples.Engine.Run(
            "param($b, $s) Get-ClairFeedBundle -LiteralPath $b -SitePath $s | Import-ClairFeed -SitePath $s -PassThru", path, samples.Inside).WithoutErrors();
        Assert.Equal(path, imported["Path"]);
        Assert.Equal(true, samples.Engine.Run("param($f, $s) [IO.FileInfo]$f | Test-ClairFeedBundle -SitePath $s", path, samples.Inside).WithoutErrors().Single.BaseObject);

        EngineResult wild = samples.Engine.Run("param($b, $s) Get-ClairFeedBundle $b -SitePath $s", path, samples.Inside);
        Assert.Equal(["BundleNotFound"], wild.ErrorIds);
        Assert.Contains("-LiteralPath", wild.Errors[0].ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(path, samples.Engine.Run("param($b, $s) Get-ClairFeedBundle $b -SitePath $s", samples.Folder["back*.tar"], samples.Inside).WithoutErrors()["Path"]);
    }

    [Fact]
    public async Task Relative_paths_are_relative_to_PowerShells_location()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save().WithoutErrors();
        EngineResult result = samples.Engine.Run(
            "param($r) $null = $ExecutionContext.SessionState.Path.SetLocation($r); Get-ClairFeedBundle bundle.tar -SitePath inside; 'bundle.tar' | Test-ClairFeedBundle -SitePath ./inside",
            samples.Folder.Root).WithoutErrors();
        Assert.Equal(samples.Bundle, result.Output[0].Properties["Path"].Value);
        Assert.Equal("Acceptable", result.Output[0].Properties["Verdict"].Value);
        Assert.Equal(true, result.Output[1].BaseObject);
    }

    [Fact]
    public async Task WhatIf_writes_nothing_anywhere()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save().WithoutErrors();
        samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
        samples.Upstream.SetLayers(SampleUpstream.Day2);
        samples.Save(samples.Folder["day2.tar"]).WithoutErrors();
        samples.Upstream.ClearRequests();
        string thumbprint = (string)samples.Engine.Run("param($s) (Get-ClairFeedTrust -SitePath $s).Thumbprint", samples.Inside).Single.BaseObject;
        samples.Engine.Run(
            "param($f) New-ClairFeedSigner $f/second.pfx x | Out-Null; New-ClairFeedSigner $f/root2.pfx x -Root | Out-Null; Add-ClairFeedTrust $f/root2.cer -SitePath $f/inside; "
            + "New-ClairFeedTrustDocument $f/trust.json $f/root2.pfx -Signer $f/second.cer | Out-Null", samples.Folder.Root).WithoutErrors();
        string before = samples.Folder.Listing;
        foreach (string command in new[]
        {
            "Set-ClairFeedSource * -WarnAfter 1h -SitePath $f/inside", "Set-ClairFeedSource alpine -Enabled $false -SitePath $f/new",
            "Save-ClairFeed $f/new.tar $f/collector.pfx -SitePath $f/outside", "Save-ClairFeed $f/new.tar $f/collector.pfx -SitePath $f/new",
            "Import-ClairFeed $f/day2.tar -SitePath $f/inside", "Restore-ClairFeed 1 -SitePath $f/inside",
            "New-ClairFeedSigner $f/new.pfx x", "Add-ClairFeedTrust $f/collector.cer -SitePath $f/new",
            $"Remove-ClairFeedTrust {thumbprint} -SitePath $f/inside", $"Remove-ClairFeedTrust {thumbprint} -Revoke -SitePath $f/inside",
            "New-ClairFeedSigner $f/root.pfx x -Root", "Set-ClairFeedTrust 2 -SitePath $f/inside", "Set-ClairFeedTrust 2 -SitePath $f/new",
            "Add-ClairFeedSignature $f/day2.tar $f/second.pfx -SitePath $f/inside",
            "New-ClairFeedTrustDocument $f/next.json $f/root2.pfx -Signer $f/second.cer",
            "Import-ClairFeedTrust $f/trust.json (Get-ClairFeedTrust -SitePath $f/inside | Where-Object { $_.Kind -eq 'Authority' }).Thumbprint -SitePath $f/inside",
            "Publish-ClairFeedBundle $f/day2.tar 127.0.0.1:1/a -SitePath $f/inside", "Receive-ClairFeedBundle 127.0.0.1:1/a $f/new.tar -SitePath $f/inside",
            $"Start-ClairFeedMirror http://127.0.0.1:0 -SitePath $f/inside -PassThru -ExecutablePath '{Built.Executable}'",
        })
        {
            Assert.Empty(samples.Engine.Run($"param($f) {command} -WhatIf", samples.Folder.Root).WithoutErrors().Output);
            Assert.Equal(before, samples.Folder.Listing);
        }

        Assert.Empty(samples.Upstream.Requests);
        Assert.NotEmpty(samples.Engine.Run("param($f) Import-ClairFeed $f/day2.tar -SitePath $f/inside -WhatIf:$false -PassThru", samples.Folder.Root).WithoutErrors().Output);
    }

    [Fact]
    public async Task Ctrl_C_stops_a_save_within_a_second_and_leaves_nothing_half_done()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Upstream.AddFault("**", UpstreamFault.Stall(0));
        using PowerShell shell = samples.Engine.Create(
            "param($d, $k, $u, $s) Save-ClairFeed -Destination $d -Signer $k -UpstreamRoot $u -SitePath $s", samples.Bundle, samples.Signer, samples.Upstream.Root, samples.Outside);
        IAsyncResult running = shell.BeginInvoke();
        while (samples.Upstream.Requests.Count == 0)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        long start = TimeProvider.System.GetTimestamp();
        shell.Stop();
        Assert.Throws<PipelineStoppedException>(() => shell.EndInvoke(running));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.False(File.Exists(samples.Bundle));
        Assert.Empty(shell.Streams.Error);

        samples.Upstream.ClearFaults();
        samples.Save().WithoutErrors(); // the site is not locked, and the next run finishes
    }

    [Fact]
    public async Task A_command_further_down_that_has_enough_ends_the_work()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save().WithoutErrors();
        EngineResult result = samples.Engine.Run(
            "param($b, $s) foreach ($x in 1) { $b, $b, $b | Test-ClairFeedBundle -SitePath $s | ForEach-Object { $_; break } }", samples.Bundle, samples.Inside);
        Assert.Equal(true, result.Single.BaseObject);
    }

    [Fact]
    public async Task Progress_is_told_for_each_source_and_completed()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Upstream.AddFault("**", UpstreamFault.Delay(TimeSpan.FromMilliseconds(400)));
        EngineResult saved = samples.Save().WithoutErrors();
        Assert.Contains(saved.Progress, p => p.Activity == "alpine" && p.ParentActivityId > 0);
        ILookup<int, ProgressRecord> byId = saved.Progress.ToLookup(p => p.ActivityId);
        Assert.All(byId, records => Assert.Equal(ProgressRecordType.Completed, records.Last().RecordType));
        Assert.All(byId, records => Assert.Single(records.Select(r => r.Activity).Distinct()));
    }

    [Fact]
    public void Settings_change_as_told_and_the_comments_stay()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        EngineResult set = engine.Run(
            "param($s) Set-ClairFeedSource debian -Enabled $false -WarnAfter 12h -CriticalAfter 2.00:00:00 -ExpireAfter ([timespan]'9.00:00:00') -UpstreamRoot http://cache.example -SitePath $s -PassThru",
            folder["site"]).WithoutErrors();
        Assert.Equal("Deselected", set["State"]);
        Assert.Equal(TimeSpan.FromHours(12), set["WarnAfter"]);
        Assert.Equal(TimeSpan.FromDays(2), set["CriticalAfter"]);
        Assert.Equal(TimeSpan.FromDays(9), set["ExpireAfter"]);
        Assert.Equal(new Uri("http://cache.example/"), set["UpstreamRoot"]);
        Assert.Contains("# QuayAirGap", File.ReadAllText(Path.Combine(folder["site"], "sources.yaml")), StringComparison.Ordinal);

        EngineResult back = engine.Run("param($s) Set-ClairFeedSource debian -Enabled $true -UpstreamRoot $null -SitePath $s -PassThru", folder["site"]).WithoutErrors();
        Assert.Equal("Enabled", back["State"]);
        Assert.Null(back["UpstreamRoot"]);
        Assert.Equal(TimeSpan.FromHours(12), back["WarnAfter"]);

        string ledger = File.ReadAllText(Path.Combine(folder["site"], "ledger.jsonl"));
        Assert.Contains("settings.changed", ledger, StringComparison.Ordinal);
        Assert.Contains("\"upstreamRoot\":", ledger, StringComparison.Ordinal);
        Assert.DoesNotContain("\"UpstreamRoot\":", ledger, StringComparison.Ordinal);
        engine.Run("param($s) Set-ClairFeedSource debian -Enabled $true -SitePath $s", folder["site"]).WithoutErrors();
        Assert.Equal(ledger, File.ReadAllText(Path.Combine(folder["site"], "ledger.jsonl")));
    }

    [Theory]
    [InlineData("3")]
    [InlineData("'3 days'")]
    [InlineData("'-3d'")]
    [InlineData("3.5")]
    public void A_duration_without_a_clear_unit_is_refused(string duration)
    {
        using var engine = new Engine();
        using var folder = new Folder();
        EngineResult result = engine.Run($"param($s) Set-ClairFeedSource debian -WarnAfter {duration} -SitePath $s", folder["site"]);
        Assert.Contains("3d, 12h, 30m", Assert.Single(result.Errors).ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["site"]));
    }

    [Theory]
    [InlineData("3d", 72)]
    [InlineData("'3d'", 72)]
    [InlineData("1.5D", 36)]
    [InlineData("6h", 6)]
    [InlineData("90m", 1.5)]
    [InlineData("1.06:00:00", 30)]
    [InlineData("([timespan]::FromHours(7))", 7)]
    public void A_duration_is_read_as_people_write_it(string duration, double hours)
    {
        using var engine = new Engine();
        using var folder = new Folder();
        EngineResult result = engine.Run($"param($s) Set-ClairFeedSource debian -WarnAfter {duration} -SitePath $s -PassThru", folder["site"]).WithoutErrors();
        Assert.Equal(TimeSpan.FromHours(hours), result["WarnAfter"]);
    }

    [Fact]
    public void Before_there_is_a_site_the_catalogue_is_shown_with_its_defaults()
    {
        string usual = OperatingSystem.IsWindows()
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "QuayAirGap")
            : "/var/lib/quayairgap";
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable("QUAYAIRGAP_SITE") is not null || File.Exists(Path.Combine(usual, "sources.yaml")), "This machine has a site.");
        using var engine = new Engine();
        EngineResult result = engine.Run("Get-ClairFeedSource").WithoutErrors();
        Assert.Equal(14, result.Output.Count);
        Assert.Contains("rhel-vex", result.Output.Select(o => o.ToString()));
    }

    [Fact]
    public void Every_collected_source_says_what_a_firewall_and_an_auditor_ask()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        engine.Run("param($s) Set-ClairFeedSource alpine -UpstreamRoot http://cache.example:81/ -SitePath $s", folder["site"]).WithoutErrors();
        EngineResult hosts = engine.Run("param($s) (Get-ClairFeedSource -SitePath $s | Where-Object Enabled).Hosts | Sort-Object -Unique", folder["site"]);
        EngineResult all = hosts.Errors.Count == 0 ? hosts : engine.Run("param($s) (Get-ClairFeedSource alpine, debian, osv -SitePath $s).Hosts", folder["site"]).WithoutErrors();
        string[] found = [.. all.Output.Select(o => o.ToString())];
        Assert.Contains("cache.example", found);
        Assert.Contains("ftp.debian.org", found);
        Assert.Contains("security-tracker.debian.org", found);
        Assert.DoesNotContain("secdb.alpinelinux.org", found);

        foreach (var source in engine.Run("param($s) Get-ClairFeedSource -SitePath $s", folder["site"]).WithoutErrors().Output.Where(o => (bool)o.Properties["Enabled"].Value))
        {
            Assert.NotEmpty((string[])source.Properties["Hosts"].Value);
            bool isMapping = (string)source.Properties["Kind"].Value == "IndexerMapping";
            Assert.True(isMapping || ((string[])source.Properties["UpdaterNames"].Value).Length > 0, $"{source} names no updaters.");
        }
    }

    [Fact]
    public async Task A_plan_says_what_would_be_fetched_and_fetches_and_writes_nothing()
    {
        await using Samples samples = await Samples.StartAsync();
        EngineResult first = samples.Save(more: "-Name alpine, debian -WhatIf").WithoutErrors();
        Assert.Equal(["alpine", "debian"], first.Output.Select(o => o.ToString()));
        Assert.All(first.Output, o => Assert.True((long)o.Properties["BytesToFetch"].Value > 0));
        Assert.False(Directory.Exists(samples.Outside));
        Assert.False(File.Exists(samples.Bundle));

        samples.Save(more: "-Name alpine, debian, osv").WithoutErrors();
        string[] before = [.. Directory.EnumerateFiles(samples.Outside, "*", SearchOption.AllDirectories).Order()];
        EngineResult same = samples.Save(more: "-Name alpine, osv -WhatIf").WithoutErrors();
        Assert.All(same.Output, o => Assert.Equal((0, true), ((int)o.Properties["FilesToFetch"].Value, (bool)o.Properties["IsComplete"].Value)));

        byte[] changed = [.. samples.Upstream.Content("osv-vulnerabilities.storage.googleapis.com/Go/all.zip"), .. new byte[300_000]];
        samples.Upstream.Replace("osv-vulnerabilities.storage.googleapis.com/Go/all.zip", changed);
        samples.Upstream.ClearRequests();
        EngineResult plan = samples.Save(more: "-Name osv -WhatIf").WithoutErrors();
        Assert.Equal(1, plan["FilesToFetch"]);
        Assert.Equal((long)changed.Length, plan["BytesToFetch"]);
        Assert.Equal(4, plan["UnchangedFiles"]);
        Assert.Equal(false, plan["IsComplete"]);
        Assert.All(samples.Upstream.Requests, r => Assert.Equal("HEAD", r.Method));
        Assert.Equal(before, Directory.EnumerateFiles(samples.Outside, "*", SearchOption.AllDirectories).Order());
    }

    [Fact]
    public async Task Parts_are_chosen_checked_and_what_is_left_out_is_said_at_once()
    {
        await using Samples samples = await Samples.StartAsync();
        string set = $"param($s) Set-ClairFeedSource osv -SitePath $s -PassThru ";
        EngineResult chosen = samples.Engine.Run(set + "-Include go, pypi", samples.Outside).WithoutErrors();
        Assert.Equal(["go", "pypi"], (string[])chosen["Include"]!);
        Assert.Contains("maven, rubygems", Assert.Single(chosen.Warnings), StringComparison.Ordinal);

        EngineResult saved = samples.Save(more: "-Name osv").WithoutErrors();
        Assert.DoesNotContain(samples.Upstream.Requests, r => r.HostPath.Contains("Maven", StringComparison.Ordinal));
        Assert.Equal(["osv"], (string[])saved["Sources"]!);

        Assert.Equal(["SourcePartUnknown"], samples.Engine.Run(set + "-Include pypy", samples.Outside).ErrorIds);
        Assert.Equal(["SourceIsWhole"], samples.Engine.Run("param($s) Set-ClairFeedSource debian -Exclude buster -SitePath $s", samples.Outside).ErrorIds);
        EngineResult back = samples.Engine.Run(set + "-Include $null", samples.Outside).WithoutErrors();
        Assert.Equal(["go", "maven", "pypi", "rubygems"], (string[])back["Include"]!);
        Assert.Empty(back.Warnings);
        Assert.Contains("\"include\":", await File.ReadAllTextAsync(Path.Combine(samples.Outside, "ledger.jsonl"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_that_lost_something_is_held_back_until_somebody_accepts_it_by_name()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save().WithoutErrors();
        samples.Upstream.Remove("secdb.alpinelinux.org/v3.8/main.json");

        EngineResult held = samples.Save(samples.Folder["second.tar"]);
        Assert.Equal(["SourceFailed"], held.ErrorIds);
        Assert.Contains("Regressed: ", held.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.Contains("alpine-main-v3.8-updater", held.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.Contains("alpine", (string[])held["Sources"]!);

        EngineResult accepted = samples.Save(samples.Folder["third.tar"], "-Name alpine -AcceptRegression alpine").WithoutErrors();
        Assert.Contains("alpine-main-v3.8-updater", Assert.Single(accepted.Warnings), StringComparison.Ordinal);
        samples.Save(samples.Folder["fourth.tar"], "-Name alpine").WithoutErrors();
        string ledger = await File.ReadAllTextAsync(Path.Combine(samples.Outside, "ledger.jsonl"), TestContext.Current.CancellationToken);
        Assert.Contains("\"acceptedRegressions\":\"alpine: ", ledger, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_source_of_Clair_is_listed_with_its_state()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        engine.Run("param($s) Set-ClairFeedSource alpine -Enabled $false -SitePath $s", folder["site"]).WithoutErrors();
        EngineResult result = engine.Run("param($s) Get-ClairFeedSource -SitePath $s", folder["site"]).WithoutErrors();
        Assert.Equal(
            "alpine=Deselected aws=Enabled clair.cvss=Enabled clair.epss=Deselected clair.kev=Deselected debian=Enabled oracle=Enabled osv=Enabled photon=Enabled " +
            "rhel-vex=Enabled suse=Enabled ubuntu=Enabled container-name-repos-map=Enabled repository-to-cpe=Enabled",
            string.Join(' ', result.Output.Select(o => $"{o.Properties["Name"].Value}={o.Properties["State"].Value}")));
        Assert.Equal(["debian"], engine.Run("param($s) (Get-ClairFeedSource deb* -SitePath $s).Name", folder["site"]).Output.Select(o => o.ToString()));
    }

    [Fact]
    public async Task Trust_is_given_shown_and_taken_away()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save().WithoutErrors();
        EngineResult trust = samples.Engine.Run("param($s) Get-ClairFeedTrust -SitePath $s", samples.Inside).WithoutErrors();
        Assert.Equal("Trusted", trust["State"]);
        Assert.Equal("Signer", trust["Kind"]);
        EngineResult revoked = samples.Engine.Run(
            "param($s) Get-ClairFeedTrust -SitePath $s | Remove-ClairFeedTrust -Revoke -SitePath $s -PassThru", samples.Inside).WithoutErrors();
        Assert.Equal("Revoked", revoked["State"]);
        Assert.Equal(["BundleSignerRevoked"], samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).ErrorIds);
        Assert.Equal(["TrustNotFound"], samples.Engine.Run("param($s) Remove-ClairFeedTrust 0000000000 -SitePath $s", samples.Inside).ErrorIds);
        string ledger = await File.ReadAllTextAsync(Path.Combine(samples.Inside, "ledger.jsonl"), TestContext.Current.CancellationToken);
        Assert.Contains("trust.added", ledger, StringComparison.Ordinal);
        Assert.Contains("trust.revoked", ledger, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signer_with_a_password_needs_it()
    {
        await using Samples samples = await Samples.StartAsync();
        string path = samples.Folder["locked.pfx"];
        samples.Engine.Run("param($p) New-ClairFeedSigner $p 'CN=Locked' -Password ([Net.NetworkCredential]::new('', 'right').SecurePassword)", path).WithoutErrors();
        const string Save = "param($d, $k, $u, $s, $w) Save-ClairFeed $d $k -SignerPassword ([Net.NetworkCredential]::new('', $w).SecurePassword) -Name alpine -UpstreamRoot $u -SitePath $s -PassThru";
        EngineResult wrong = samples.Engine.Run(Save, samples.Bundle, path, samples.Upstream.Root, samples.Outside, "wrong");
        Assert.Equal(["SignerPassword"], wrong.ErrorIds);
        Assert.DoesNotContain("wrong", wrong.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.Equal(["SignerNoPrivateKey"], samples.Engine.Run(Save, samples.Bundle, samples.Folder["collector.cer"], samples.Upstream.Root, samples.Outside, "").ErrorIds);
        Assert.Empty(samples.Upstream.Requests);
        samples.Engine.Run(Save, samples.Bundle, path, samples.Upstream.Root, samples.Outside, "right").WithoutErrors();
        Assert.Equal(["SignerExists"], samples.Engine.Run("param($p) New-ClairFeedSigner $p x", path).ErrorIds);
    }

    [Fact]
    public void Source_names_are_completed()
    {
        using var engine = new Engine();
        foreach (string command in new[] { "Get-ClairFeedSource ", "Set-ClairFeedSource -Name ", "Save-ClairFeed -Name ", "Test-ClairFeedFreshness " })
        {
            EngineResult result = engine.Run("param($t) [System.Management.Automation.CommandCompletion]::CompleteInput($t, $t.Length, @{}).CompletionMatches", command + "r");
            Assert.Equal(["repository-to-cpe", "rhel-vex"], result.Output.Select(o => (string)o.Properties["CompletionText"].Value).Order(StringComparer.Ordinal));
            Assert.All(result.Output, o => Assert.NotEmpty((string)o.Properties["ToolTip"].Value));
        }
    }

    [Theory]
    [InlineData("tr-TR")]
    [InlineData("de-DE")]
    public async Task Other_cultures_change_no_data(string culture)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
        try
        {
            await using Samples samples = await Samples.StartAsync();
            samples.Engine.Run("param($c) [Threading.Thread]::CurrentThread.CurrentCulture = $c", CultureInfo.CurrentCulture).WithoutErrors();
            samples.Save(more: "-Name ALPINE, REPOSITORY-TO-CPE").WithoutErrors();
            samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
            Assert.Equal("Fresh", samples.Engine.Run("param($s) Test-ClairFeedFreshness ALPINE -SitePath $s", samples.Inside).WithoutErrors()["State"]);
            Assert.Equal(TimeSpan.FromDays(1.5), samples.Engine.Run("param($s) Set-ClairFeedSource ALPINE -WarnAfter 1.5d -SitePath $s -PassThru", samples.Inside).WithoutErrors()["WarnAfter"]);
            foreach (string line in await File.ReadAllLinesAsync(Path.Combine(samples.Inside, "ledger.jsonl"), TestContext.Current.CancellationToken))
            {
                using var parsed = JsonDocument.Parse(line);
            }
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
