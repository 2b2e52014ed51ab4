using System.Net;
using System.Text;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Quay;
using QuayAirGap.Core.Tests.Support;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Clair;

/// <summary>Every silent trap of a configuration is found, and a configuration of ours has none.</summary>
public sealed class AirGapLintTests
{
    private static readonly string s_good = YamlWriter.Block(AirGapSettings.For(ClairKit.Request(AirGapMode.Mirror)).ToMapping());

    public static TheoryData<string, string, string, string> Traps => new()
    {
        { "matcher:\n", "matcher:\n  updater_sets: [a]\n", "UnknownKey", "updater_sets" },
        { "sets: [alpine,", "sets: [rhel, alpine,", "UnknownSet", "'rhel-vex'" },
        { "sets: [alpine,", "sets: [alpin, alpine,", "UnknownSet", "'alpine'" },
        { "sets: [alpine,", "sets: [rhcc, alpine,", "UnknownSet", "Nothing needs to be done" },
        { "updaters:\n", "matchers: {names: [debian]}\nupdaters:\n", "UnknownMatcher", "'debian-matcher'" },
        { "clair.cvss: {feed_root:", "clair.cvss: {url:", "UnknownUpdaterKey", "'feed_root'" },
        { "clair.cvss: {feed_root:", "clair.cvss: {url:", "InternetUrl", "feed_root" },
        { "    suse:", "    oracle-24-updater: {url: \"http://mirror.example/\"}\n    suse:", "UnknownUpdater", "oracle-" },
        { "    suse:", "    aws: {url: \"http://mirror.example/\"}\n    suse:", "UnknownUpdater", "-Mode Upstream" },
        { "cve/2.0/", "cve/2.0", "MissingSlash", "clair.cvss" },
        { "v2/vex/", "v2/vex", "MissingSlash", "rhel-vex" },
        { "version: \"22.04\"", "version: 22.04", "UnquotedVersion", "jammy" },
        { "version: \"22.04\"", "version: \"22.05\"", "ForcedReleaseUnknown", "22.05" },
        { "    oracle-2019-updater: {url: \"http://mirror.example:8080/linux.oracle.com/security/oval/com.oracle.elsa-2019.xml.bz2\"}\n", "", "MissingYear", "2019" },
        { "    oracle-2027-updater: {url: \"http://mirror.example:8080/linux.oracle.com/security/oval/com.oracle.elsa-2027.xml.bz2\"}\n", "", "MissingYear", "1 January" },
        { "photon-updater-photon3", "photon-updater-photon33", "MissingRelease", "photon-updater-photon3" },
        { "{name: jammy, version: \"22.04\"}", "{name: focal, version: \"20.04\"}", "MissingRelease", "jammy (22.04)" },
        { "    ubuntu/updater/jammy:", "    ubuntu/updater/jamy:", "InternetUrl", "ubuntu/updater/jammy" },
        { "sets: [alpine, ", "sets: [", "NotConfigured", "alpine" },
        { "allowlist: [go, ", "allowlist: [", "NotConfigured", "go" },
        { "period: 24h", "period: 6h", "PeriodTooShort", "6h" },
        { "period: 24h", "period: 1 day", "DurationForm", "1 day" },
        { "compressed_file_timeout: 30m", "compressed_file_timeout: 1800", "DurationForm", "1800" },
        { "update_retention: 2", "update_retention: 1", "RetentionHigh", "10" },
        { "repo2cpe_mapping_url", "repo2cpe_mapping_uri", "MappingMissing", "repository-to-cpe" },
        { "http://mirror.example:8080/security.access.redhat.com/data/metrics/rep", "https://security.access.redhat.com/data/metrics/rep", "InternetUrl", "repository-to-cpe" },
        { "http://mirror.example:8080/secdb.alpinelinux.org/", "https://secdb.alpinelinux.org/", "InternetUrl", "alpine" },
        { "    debian:\n", "    debian:\n      archive_url: \"http://mirror.example/\"\n", "FatalKey", "archive_url" },
        { "indexer:\n", "indexer:\n  scanner: {repo: {rhel-repository-scanner: {timeout: 30s}}}\nindexers:\n", "DurationForm", "30s" },
    };

    [Theory]
    [MemberData(nameof(Traps))]
    public void Each_trap_is_found_and_says_what_to_write(string good, string bad, string id, string said)
    {
        Assert.Contains(good, s_good, StringComparison.Ordinal);
        AirGapFinding[] found = [.. Check(s_good.Replace(good, bad, StringComparison.Ordinal)).Where(f => f.Id == id)];
        AirGapFinding finding = Assert.Single(found, f => $"{f.What} {f.Why} {f.Remedy}".Contains(said, StringComparison.Ordinal));
        Assert.NotEmpty(finding.Why);
        Assert.NotEmpty(finding.Remedy);
        Assert.NotEmpty(finding.Where);
    }

    [Fact]
    public void What_the_generator_writes_has_no_finding_in_any_release()
    {
        foreach (string sample in (string[])["standalone.yaml", "operator-3.15.yaml"])
        {
            foreach (ClairRelease release in ClairRelease.All)
            {
                var read = ClairConfiguration.Of([("config.yaml", ClairKit.Fixture(sample)), ("50-quayairgap.yaml", s_good)]);
                AirGapFinding[] found = [.. Check(read, release).Where(f => f.Severity > FindingSeverity.Information && f.Id != "OneDatabase")];
                Assert.Empty(found.Select(f => $"{f.Id}: {f.What}"));
            }
        }
    }

    [Fact]
    public void The_samples_as_they_come_ask_the_internet()
    {
        Assert.Contains(Check(ClairKit.Fixture("standalone.yaml")), f => f.Id == "NoFeedAddress" && f.Severity == FindingSeverity.Error);
        IReadOnlyList<AirGapFinding> found = Check(ClairKit.Fixture("standalone-three-documents.yaml"));
        Assert.Contains(found, f => f.Id == "SeveralDocuments");
        Assert.Contains(found, f => f.Id == "MappingMissing" && f.Severity == FindingSeverity.Error);
        Assert.DoesNotContain(found, f => f.Id == "UnknownSet"); // Clair never sees it
    }

    [Fact]
    public void One_database_for_all_modes_matters_to_main_only()
    {
        var read = ClairConfiguration.Of([("config.yaml", ClairKit.Fixture("standalone.yaml"))]);
        Assert.Contains(Check(read, ClairRelease.Main), f => f.Id == "OneDatabase");
        Assert.DoesNotContain(Check(read, ClairRelease.V490), f => f.Id == "OneDatabase");
    }

    [Fact]
    public void Offline_needs_no_address_and_upstream_neither()
    {
        string offline = YamlWriter.Block(AirGapSettings.For(ClairKit.Request(AirGapMode.Offline)).ToMapping());
        Assert.DoesNotContain(Check(offline), f => f.Severity == FindingSeverity.Error);
        string upstream = YamlWriter.Block(AirGapSettings.For(ClairKit.Request(AirGapMode.Upstream)).ToMapping());
        Assert.DoesNotContain(Check(upstream, AirGapMode.Upstream), f => f.Severity == FindingSeverity.Error);
        Assert.Contains(Check(upstream), f => f.Id == "NoFeedAddress");
    }

    [Fact]
    public void A_feed_that_the_mirror_lost_is_an_error_and_names_the_place()
    {
        var read = ClairConfiguration.Of([("config.yaml", s_good)]);
        AirGapFinding finding = Assert.Single(Check(read, ClairRelease.V490, served: ClairKit.Served("debian")), f => f.Id == "NotServed");
        Assert.Equal(FindingSeverity.Error, finding.Severity);
        Assert.StartsWith("config.yaml:", finding.Where, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_Clair_passes_over_are_found()
    {
        using var folder = new TempFolder();
        string path = folder.Of("config.yaml");
        File.WriteAllText(path, s_good);
        Directory.CreateDirectory(path + ".d");
        File.WriteAllText(Path.Combine(path + ".d", "a.yml"), "log_level: info\n");
        File.WriteAllText(Path.Combine(path + ".d", "b.yaml.20261124T180000Z.bak"), "log_level: info\n");
        AirGapFinding finding = Assert.Single(Check(ClairConfiguration.Load(path), ClairRelease.V490), f => f.Id == "DropInIgnored");
        Assert.EndsWith("a.yml", finding.Where, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bundle_that_the_operator_would_refuse_is_found_before_it_is_applied()
    {
        var registry = QuayRegistry.Parse("r", ClairKit.Fixture("quayregistry.yaml"));
        string manifest = ClairKit.Secret(ClairKit.Fixture("operator-user.yaml"), "SECURITY_SCANNER_V4_ENDPOINT: http://x\n");
        (ClairConfiguration configuration, IReadOnlyList<AirGapFinding> own) = OperatorClair.Read("s.yaml", manifest, registry);
        Assert.Equal(["ConnstringManaged", "ScannerKeysManaged"], own.Select(f => f.Id));
        Assert.Contains(Check(configuration, ClairRelease.V490), f => f.Id == "NotConfigured" && f.What.Contains("osv", StringComparison.Ordinal));
        Assert.DoesNotContain(own.Concat(Check(configuration, ClairRelease.V490)), f => $"{f.What}{f.Why}{f.Remedy}".Contains("not-a-secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("172.31.0.1", true)]
    [InlineData("172.32.0.1", false)]
    [InlineData("192.168.0.1", true)]
    [InlineData("169.254.0.1", true)]
    [InlineData("203.0.113.9", false)]
    [InlineData("::1", true)]
    [InlineData("fd00::1", true)]
    [InlineData("fe80::1", true)]
    [InlineData("2001:db8::1", false)]
    [InlineData("::ffff:10.0.0.1", true)]
    public async Task Airgap_is_on_only_where_every_address_is_private(string address, bool isPrivate)
    {
        (bool airgap, IReadOnlyList<string> notes) = await RegistryAddresses.DecideAsync(
            ["quay.example", "s3.example"],
            (host, _) => Task.FromResult<IPAddress[]>(host == "quay.example" ? [IPAddress.Parse("10.0.0.1")] : [IPAddress.Parse("10.0.0.2"), IPAddress.Parse(address)]),
            TestContext.Current.CancellationToken);
        Assert.Equal(isPrivate, airgap);
        Assert.Equal(2, notes.Count);
        (airgap, _) = await RegistryAddresses.DecideAsync(
            ["quay.example"], (_, _) => throw new System.Net.Sockets.SocketException(), TestContext.Current.CancellationToken);
        Assert.False(airgap);
    }

    private static IReadOnlyList<AirGapFinding> Check(string text, AirGapMode? mode = null) =>
        Check(ClairConfiguration.Of([("config.yaml", text)]), ClairRelease.V490, mode);

    private static IReadOnlyList<AirGapFinding> Check(ClairConfiguration read, ClairRelease release, AirGapMode? mode = null, ServedFeeds? served = null) =>
        AirGapLint.Check(new LintContext
        {
            Configuration = read,
            Release = release,
            Mode = mode,
            Served = served ?? ClairKit.Served(),
            Year = 2026,
            Command = "Set-ClairAirGap -Mode Mirror",
        });
}
