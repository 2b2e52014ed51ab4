using System.Diagnostics;
using System.Management.Automation;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Quay;
using QuayAirGap.TestKit.Samples;

namespace QuayAirGap.Tests;

/// <summary>Coverage and needs with the cmdlets, over a site that has imported the sample upstream's feeds.</summary>
public sealed class CoverageTests(CoverageTests.ImportedSite imported) : IClassFixture<CoverageTests.ImportedSite>
{
    private const string Psk = "c2hvcnQ=";

    private static readonly string[] s_ingested = ["debian/updater", "osv/pypi", "rhel-vex"];

    private readonly Samples _samples = imported.Samples;

    private Engine Engine => _samples.Engine;

    [Fact]
    public void Reports_in_files_come_out_as_flat_objects_with_the_verdict()
    {
        EngineResult all = Engine.Run("param($p, $s) Get-ClairImageCoverage $p -SitePath $s", Fixture("*"), _samples.Inside).WithoutErrors();
        PSObject Of(string name) => all.Output.Single(o => ((string)o.Properties["Image"].Value).EndsWith($"/{name}.json", StringComparison.Ordinal));

        Assert.Equal(Directory.GetFiles(Path.GetDirectoryName(Fixture("x"))!).Length, all.Output.Count);
        Assert.Equal("Covered", Of("debian-12").Properties["Verdict"].Value);
        Assert.All(
            ["go-scratch", "debian-13", "alpine-edge", "amazon-2023", "oracle-8", "sles-15", "ubuntu-24.04", "several-distributions", "ubi-8"],
            name => Assert.Equal("Covered", Of(name).Properties["Verdict"].Value)); // the families name their releases as the rules do
        Assert.Equal("Unsupported", Of("rocky-9").Properties["Verdict"].Value);
        Assert.Equal("Unindexed", Of("scratch-empty").Properties["Verdict"].Value);
        Assert.Equal("Incomplete", Of("ubi-9-no-repositories").Properties["Verdict"].Value);
        Assert.Equal("Unsupported", Of("photon-5").Properties["Verdict"].Value);
        Assert.Equal("4.9.0", Of("photon-5").Properties["ClairRelease"].Value);
        Assert.Equal(5, Of("debian-12").Properties["PackagesSpokenFor"].Value);
        Assert.All(all.Output, o => Assert.Equal((string)o.Properties["Verdict"].Value == "Covered", ((Array)o.Properties["Gaps"].Value).Length == 0));
        string view = string.Concat(Engine.Run(
            "param($p, $s) Get-ClairImageCoverage $p -SitePath $s | ForEach-Object { $_.ToString() }", Fixture("rocky-9"), _samples.Inside).WithoutErrors().Output);
        Assert.EndsWith(": Unsupported", view, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_report_is_an_error_of_its_own_and_the_others_go_on()
    {
        File.WriteAllText(_samples.Folder["no.json"], "{\"code\":\"not-found\"}");
        EngineResult result = Engine.Run(
            "param($a, $b, $c, $s) $a, $b, $c | Get-ClairImageCoverage -SitePath $s", _samples.Folder["no.json"], _samples.Folder["none.json"], Fixture("debian-12"), _samples.Inside);

        Assert.Equal(["IndexReportInvalid", "IndexReportNotFound"], result.ErrorIds);
        Assert.Equal("Covered", result["Verdict"]);
        Assert.Equal(["SiteNotFound"], Engine.Run("param($p, $s) Get-ClairImageCoverage $p -SitePath $s", Fixture("debian-12"), _samples.Folder["nowhere"]).ErrorIds);
        PSObject literal = Engine.Run("param($p, $s) [IO.FileInfo]::new($p) | Get-ClairImageCoverage -SitePath $s", Fixture("debian-12"), _samples.Inside).WithoutErrors().Single;
        Assert.Equal("Covered", literal.Properties["Verdict"].Value);
    }

    [Fact]
    public async Task A_running_Clair_is_asked_by_digest_and_an_image_that_it_does_not_have_is_unindexed()
    {
        await using ClairServer clair = await ClairServer.StartAsync(Psk, "quay");
        string debian = Add(clair, "debian-12");
        string none = "sha256:" + new string('0', 64);
        await File.WriteAllTextAsync(_samples.Folder["psk"], Psk, TestContext.Current.CancellationToken);

        const string Get = "param($d, $u, $k, $s) Get-ClairImageCoverage -ManifestDigest $d -ClairUri $u -PskPath $k -SitePath $s";
        EngineResult result = Engine.Run(Get, new[] { debian, none, "latest" }, clair.Uri, _samples.Folder["psk"], _samples.Inside);

        Assert.Equal(["ManifestDigestInvalid"], result.ErrorIds);
        Assert.Equal(["Covered", "Unindexed"], result.Output.Select(o => o.Properties["Verdict"].Value));
        Assert.Equal([debian, none], result.Output.Select(o => o.Properties["Image"].Value));

        clair.Operations.Clear();
        EngineResult empty = Engine.Run(Get, new[] { debian }, clair.Uri, _samples.Folder["psk"], _samples.Inside).WithoutErrors();
        Assert.Equal("Incomplete", empty["Verdict"]);
        Assert.StartsWith("FEED-NOT-INGESTED", ((Array)empty["Gaps"]!).GetValue(0)!.ToString(), StringComparison.Ordinal);

        EngineResult refused = Engine.Run("param($d, $u, $s) Get-ClairImageCoverage -ManifestDigest $d -ClairUri $u -SitePath $s", debian, clair.Uri, _samples.Inside);
        Assert.Equal(["ClairUnauthorized"], refused.ErrorIds);
    }

    [Fact]
    public async Task Every_image_of_a_Quay_is_judged_once_and_its_needs_are_added_up()
    {
        await using ClairServer clair = await ClairServer.StartAsync(Psk, "quay");
        await using QuayServer quay = await QuayServer.StartAsync();
        quay.Tokens["t"] = ["repo:read", "user:read"];
        quay.Memberships.Add("apps");
        quay.Organizations.Add("apps");
        string debian = Add(clair, "debian-12");
        string python = Add(clair, "python-on-alpine");
        string ubi = Add(clair, "ubi-8");
        string unknown = "sha256:" + new string('e', 64);
        quay.Repository("apps", "shop").Image(debian, "1.0", "latest").Image(python, "2.0").Image(unknown, "3.0");
        quay.Repository("apps", "base").Image(ubi, "8").Image(debian, "12");
        quay.Repository("robin", "own").Image(debian, "x");
        await File.WriteAllTextAsync(_samples.Folder["psk"], Psk, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_samples.Folder["token"], "t\n", TestContext.Current.CancellationToken);
        const string Rest = "-QuayUri $q -QuayTokenPath $t -ClairUri $u -PskPath $k -SitePath $s";
        object[] arguments = [quay.Uri, _samples.Folder["token"], clair.Uri, _samples.Folder["psk"], _samples.Inside];

        EngineResult apps = Engine.Run($"param($q, $t, $u, $k, $s) Get-ClairImageCoverage -Organization apps {Rest}", arguments).WithoutErrors();
        Dictionary<string, string> verdicts = apps.Output.ToDictionary(o => ((string)o.Properties["Image"].Value).Split('/', 2)[1], o => (string)o.Properties["Verdict"].Value);

        Assert.Equal(["apps/base:12", "apps/base:8", "apps/shop:1.0", "apps/shop:2.0", "apps/shop:3.0"], verdicts.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("Unindexed", verdicts["apps/shop:3.0"]);
        Assert.Equal("Covered", verdicts["apps/shop:1.0"]);
        Assert.Equal(4, clair.Asked.Count); // each manifest once, however many names lead to it
        Assert.Equal(["1.0", "latest"], (string[])apps.Output.Single(o => ((string)o.Properties["Image"].Value).EndsWith("shop:1.0", StringComparison.Ordinal)).Properties["Tags"].Value);
        Assert.Equal(6, Engine.Run($"param($q, $t, $u, $k, $s) Get-ClairImageCoverage -All {Rest}", arguments).WithoutErrors().Output.Count);
        Assert.Equal(2, Engine.Run($"param($q, $t, $u, $k, $s) Get-ClairImageCoverage -Repository apps/base {Rest}", arguments).WithoutErrors().Output.Count);
        Assert.Empty(quay.Mistakes);

        string file = _samples.Folder["need.json"];
        EngineResult needs = Engine.Run(
            $"param($q, $t, $u, $k, $s, $f) Get-ClairImageCoverage -All {Rest} | Get-ClairFeedNeed -SitePath $s -OutFile $f", [.. arguments, file]).WithoutErrors();
        Assert.Contains(needs.Warnings, w => w.StartsWith("1 of 6 images", StringComparison.Ordinal));
        Assert.Equal(3, Row(needs, "debian", "bookworm").Properties["ImageCount"].Value);
        Assert.Equal("Met", Row(needs, "debian", "bookworm").Properties["State"].Value);
        Assert.Equal("NotNeeded", Row(needs, "photon", null).Properties["State"].Value);
        Assert.Equal("NotNeeded", Row(needs, "osv", "rubygems").Properties["State"].Value);
        string text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        Assert.Contains("\"unindexed\": 1", text, StringComparison.Ordinal);
        Assert.DoesNotContain("shop", text, StringComparison.Ordinal);
        Assert.DoesNotContain("sha256", text, StringComparison.Ordinal);
        EngineResult same = Engine.Run($"param($q, $t, $u, $k, $s) Get-ClairFeedNeed -All {Rest} -IncludeImageName", arguments).WithoutErrors();
        Assert.Equal(needs.Output.Select(o => o.ToString()), same.Output.Select(o => o.ToString()));
        Assert.Contains((string[])Row(same, "rhel-vex", null).Properties["Images"].Value, i => i.EndsWith("apps/base:8", StringComparison.Ordinal));
    }

    /// <summary>Red Hat's packages of repositories that came after the mapping are judged by nothing: an image that is newer is not covered.</summary>
    [Fact]
    public async Task An_image_of_Quay_that_is_newer_than_the_mapping_is_incomplete_and_one_that_was_only_tagged_later_is_not()
    {
        await using ClairServer clair = await ClairServer.StartAsync(Psk, "quay");
        await using QuayServer quay = await QuayServer.StartAsync();
        quay.Tokens["t"] = ["repo:read"];
        quay.Memberships.Add("apps");
        string ubi = Add(clair, "ubi-8");
        string debian = Add(clair, "debian-12");
        DateTimeOffset now = DateTimeOffset.UtcNow;
        QuayRepositoryData shop = quay.Repository("apps", "shop").Image(ubi, "8").Image(debian, "12");
        await File.WriteAllTextAsync(_samples.Folder["psk"], Psk, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_samples.Folder["token"], "t\n", TestContext.Current.CancellationToken);
        PSObject Of(string tag) => Engine.Run(
            "param($q, $t, $u, $k, $s) Get-ClairImageCoverage -Repository apps/shop -QuayUri $q -QuayTokenPath $t -ClairUri $u -PskPath $k -SitePath $s",
            quay.Uri, _samples.Folder["token"], clair.Uri, _samples.Folder["psk"], _samples.Inside).WithoutErrors()
            .Output.Single(o => ((string)o.Properties["Image"].Value).EndsWith(":" + tag, StringComparison.Ordinal));

        // Tagged long ago: nothing more is asked.
        Assert.Equal("Covered", Of("8").Properties["Verdict"].Value);
        Assert.DoesNotContain(quay.Requests, r => r.Contains("/manifest/", StringComparison.Ordinal));

        // Tagged after the capture, and made before it; then made after it; then of an age that its history does not tell.
        DateTimeOffset made = now.AddYears(-1);
        shop.Dated(ubi, now.AddHours(1), made, null).Dated(debian, now.AddHours(1), now.AddMinutes(30));
        Assert.Equal("Covered", Of("8").Properties["Verdict"].Value);
        Assert.Equal(made.ToUnixTimeSeconds(), ((DateTimeOffset)Of("8").Properties["ImageCreatedAt"].Value).ToUnixTimeSeconds());
        shop.Dated(ubi, now.AddHours(1), made, now.AddMinutes(30));
        Assert.Equal("Incomplete", Of("8").Properties["Verdict"].Value);
        Assert.StartsWith("MAPPING-OLDER-THAN-IMAGE", ((Array)Of("8").Properties["Gaps"].Value).GetValue(0)!.ToString(), StringComparison.Ordinal);
        Assert.Equal("Covered", Of("12").Properties["Verdict"].Value); // nothing of Debian depends on a mapping
        shop.Dated(ubi, now.AddHours(1), DateTimeOffset.UnixEpoch);
        Assert.Equal("Incomplete", Of("8").Properties["Verdict"].Value);
        Assert.Empty(quay.Mistakes);
    }

    [Fact]
    public async Task When_an_image_was_made_can_be_told_for_files_and_digests()
    {
        await using ClairServer clair = await ClairServer.StartAsync(Psk, "quay");
        string ubi = Add(clair, "ubi-8");
        await File.WriteAllTextAsync(_samples.Folder["psk"], Psk, TestContext.Current.CancellationToken);
        DateTimeOffset after = DateTimeOffset.UtcNow.AddHours(1);

        Assert.Equal("Covered", Engine.Run("param($p, $s) Get-ClairImageCoverage $p -ImageCreatedAt 2020-01-01 -SitePath $s", Fixture("ubi-8"), _samples.Inside).WithoutErrors()["Verdict"]);
        Assert.Equal("Incomplete", Engine.Run("param($p, $t, $s) Get-ClairImageCoverage $p -ImageCreatedAt $t -SitePath $s", Fixture("ubi-8"), after, _samples.Inside).WithoutErrors()["Verdict"]);
        Assert.Equal(["Incomplete", "Covered"], Engine.Run(
            "param($d, $t, $u, $k, $s) [pscustomobject]@{ ManifestDigest = $d; ImageCreatedAt = $t }, [pscustomobject]@{ ManifestDigest = $d } | "
            + "Get-ClairImageCoverage -ClairUri $u -PskPath $k -SitePath $s", ubi, after, clair.Uri, _samples.Folder["psk"], _samples.Inside).WithoutErrors()
            .Output.Select(o => o.Properties["Verdict"].Value));
    }

    [Fact]
    public async Task What_judges_the_images_is_a_setting_of_the_site_and_a_parameter_goes_before_it()
    {
        await using Samples samples = await ImportedSite.ImportAsync();
        await File.AppendAllTextAsync(Path.Combine(samples.Inside, "sources.yaml"), "\nclair:\n  release: main\n", TestContext.Current.CancellationToken);

        EngineResult set = samples.Engine.Run("param($p, $s) Get-ClairImageCoverage $p -SitePath $s", Fixture("photon-5"), samples.Inside).WithoutErrors();
        EngineResult told = samples.Engine.Run("param($p, $s) Get-ClairImageCoverage $p -ClairRelease 4.9.0 -SitePath $s", Fixture("photon-5"), samples.Inside).WithoutErrors();

        Assert.Equal(("main", "NotAsked"), (set["ClairRelease"], set["ClairAsked"]));
        Assert.Equal(("4.9.0", "Unsupported"), (told["ClairRelease"], told["Verdict"]));
    }

    [Fact]
    public void The_list_of_needs_selects_outside_and_tells_what_is_not_collected()
    {
        string file = _samples.Folder["need-outside.json"];
        string site = _samples.Folder["collector"];
        Engine.Run(
            "param($p, $f, $s) Get-ClairFeedNeed -Path $p -OutFile $f -SitePath $s", new[] { Fixture("debian-12"), Fixture("python-on-alpine"), Fixture("go-scratch") }, file,
            _samples.Inside).WithoutErrors();
        Engine.Run("param($s) Set-ClairFeedSource debian -Enabled $false -SitePath $s; Set-ClairFeedSource osv -Include go -SitePath $s", site).WithoutErrors();

        EngineResult saved = Engine.Run(
            "param($d, $k, $u, $s, $f) Save-ClairFeed -Destination $d -Signer $k -UpstreamRoot $u -SitePath $s -Need $f -Name repository-to-cpe",
            _samples.Folder["need.tar"], _samples.Signer, _samples.Upstream.Root, site, file);
        Assert.Equal(["debian", "osv"], saved.Errors.Where(e => e.FullyQualifiedErrorId.StartsWith("NeedNotMet,", StringComparison.Ordinal)).Select(e => (string)e.TargetObject));
        Assert.True(File.Exists(_samples.Folder["need.tar"]));

        string before = File.ReadAllText(Path.Combine(site, "sources.yaml"));
        Engine.Run("param($f, $s) Set-ClairFeedSource -Need $f -WhatIf -SitePath $s", file, site).WithoutErrors();
        Assert.Equal(before, File.ReadAllText(Path.Combine(site, "sources.yaml")));
        EngineResult set = Engine.Run("param($f, $s) Set-ClairFeedSource -Need $f -PassThru -SitePath $s", file, site).WithoutErrors();
        Assert.Equal(["debian", "osv"], set.Output.Select(o => o.ToString()));
        EngineResult sources = Engine.Run("param($s) Get-ClairFeedSource -SitePath $s", site).WithoutErrors();
        PSObject Source(string name) => sources.Output.Single(o => o.ToString() == name);
        Assert.Equal(true, Source("debian").Properties["Enabled"].Value);
        Assert.Equal(["go", "pypi"], (string[])Source("osv").Properties["Include"].Value);
        Assert.Equal(true, Source("photon").Properties["Enabled"].Value);

        Engine.Run("param($f, $s) Set-ClairFeedSource -Need $f -DisableUnneeded -SitePath $s", file, site).WithoutErrors();
        sources = Engine.Run("param($s) Get-ClairFeedSource -SitePath $s", site).WithoutErrors();
        Assert.Equal(false, Source("photon").Properties["Enabled"].Value);
        Assert.Equal(true, Source("clair.cvss").Properties["Enabled"].Value);
        Assert.Equal(true, Source("repository-to-cpe").Properties["Enabled"].Value);
        Assert.Equal(["v3.22"], (string[])Source("alpine").Properties["Include"].Value);
        Assert.Empty(Engine.Run("param($f, $s) Set-ClairFeedSource -Need $f -DisableUnneeded -PassThru -SitePath $s", file, site).WithoutErrors().Output);

        File.WriteAllText(_samples.Folder["bad.json"], "{\"format\":\"quayairgap.need\",\"version\":9}");
        Assert.Equal(["NeedFileInvalid"], Engine.Run("param($f, $s) Set-ClairFeedSource -Need $f -SitePath $s", _samples.Folder["bad.json"], site).ErrorIds);
        File.WriteAllText(_samples.Folder["half.json"], File.ReadAllText(file).Replace("\"unindexed\": 0", "\"unindexed\": 2", StringComparison.Ordinal));
        Assert.Equal(["NeedIncomplete"], Engine.Run("param($f, $s) Set-ClairFeedSource -Need $f -DisableUnneeded -SitePath $s", _samples.Folder["half.json"], site).ErrorIds);
    }

    [Fact]
    public async Task What_is_needed_and_deselected_here_is_not_good()
    {
        await using Samples samples = await ImportedSite.ImportAsync();
        Assert.Equal(true, samples.Engine.Run("param($s) Test-ClairFeedFreshness -Quiet -SitePath $s", samples.Inside).WithoutErrors().Single.BaseObject);
        samples.Engine.Run("param($s) Set-ClairFeedSource debian -Enabled $false -SitePath $s", samples.Inside).WithoutErrors();
        Assert.Equal(true, samples.Engine.Run("param($s) Test-ClairFeedFreshness -Quiet -SitePath $s", samples.Inside).WithoutErrors().Single.BaseObject);

        EngineResult kept = samples.Engine.Run("param($p, $s) Get-ClairFeedNeed $p -Save -SitePath $s", Fixture("debian-12"), samples.Inside).WithoutErrors();
        Assert.Equal("Deselected", Row(kept, "debian", "bookworm").Properties["State"].Value);

        Assert.Equal(false, samples.Engine.Run("param($s) Test-ClairFeedFreshness -Quiet -SitePath $s", samples.Inside).WithoutErrors().Single.BaseObject);
        PSObject debian = samples.Engine.Run("param($s) Test-ClairFeedFreshness debian -SitePath $s", samples.Inside).WithoutErrors().Single;
        Assert.Equal(("Critical", "Deselected", true), (debian.Properties["Level"].Value, debian.Properties["State"].Value, debian.Properties["Required"].Value));
        Assert.Equal("need.saved", samples.Engine.Run("param($s) (Get-ClairFeedLedger -SitePath $s)[-1].Event", samples.Inside).WithoutErrors().Single.BaseObject);
    }

    [Theory]
    [InlineData("debian-12", 0)]
    [InlineData("rocky-9", 1)]
    public void The_verdict_makes_the_exit_code(string fixture, int code)
    {
        var start = new ProcessStartInfo(Built.Executable) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["-OutputFormat", "Json", "-Command", $"Get-ClairImageCoverage '{Fixture(fixture)}' -SitePath '{_samples.Inside}'"])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(code, process.ExitCode);
        Assert.Contains(code == 0 ? "\"Verdict\":\"Covered\"" : "\"Code\":\"UNSUPPORTED\"", output, StringComparison.Ordinal);
    }

    private static string Fixture(string name) => Path.Combine(RepositoryFolders.Root, "tests", "fixtures", "index-reports", name + ".json");

    private static PSObject Row(EngineResult needs, string source, string? part) =>
        needs.Output.Single(o => (string)o.Properties["Source"].Value == source && (string?)o.Properties["Part"].Value == part);

    private static string Add(ClairServer clair, string fixture)
    {
        string report = File.ReadAllText(Fixture(fixture));
        string digest = report.Split("\"manifest_hash\": \"")[1].Split('"')[0];
        clair.IndexReports[digest] = report;
        clair.Operations.AddRange(s_ingested.Select(u => new ClairServerOperation(u, "x", DateTimeOffset.UnixEpoch)));
        return digest;
    }

    /// <summary>Both sides of a gap, once for all these tests.</summary>
    public sealed class ImportedSite : IAsyncLifetime
    {
        internal Samples Samples { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Samples = await ImportAsync();

        public async ValueTask DisposeAsync() => await Samples.DisposeAsync();

        internal static async Task<Samples> ImportAsync()
        {
            Samples samples = await Samples.StartAsync();
            samples.Save(more: "").WithoutErrors();
            samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
            return samples;
        }
    }
}
