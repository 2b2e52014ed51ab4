using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Quay;
using QuayAirGap.Core.Tests.Support;
using Xunit;

namespace QuayAirGap.Core.Tests.Clair;

/// <summary>What Clair is told in each mode, and what its loader makes of it.</summary>
public sealed class AirGapSettingsTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 24, 18, 0, 0, TimeSpan.Zero));

    [Fact]
    public void In_mirror_mode_no_updater_of_any_release_is_left_with_an_address_on_the_internet()
    {
        ClairConfiguration read = Apply(ClairKit.Request(AirGapMode.Mirror));
        JsonObject config = read.Find("updaters", "config")!.AsObject();
        Assert.Equal(
            ["alpine", "clair.cvss", "debian", "oracle", "osv", "photon", "rhel-vex", "suse", "ubuntu"], Texts(read.Find("updaters", "sets")));
        foreach (int year in Enumerable.Range(2007, 21))
        {
            Assert.Equal(
                $"http://mirror.example:8080/linux.oracle.com/security/oval/com.oracle.elsa-{year}.xml.bz2", (string?)config[$"oracle-{year}-updater"]!["url"]);
        }

        foreach (string name in new[] { "photon-updater-photon1", "photon-updater-photon3", "photon-updater-1.0", "photon-updater-5.0" })
        {
            Assert.Equal("none", (string?)config[name]!["compression"]);
        }

        Assert.All(
            config.SelectMany(c => c.Value!.AsObject()).Where(m => m.Key.EndsWith("url", StringComparison.Ordinal) || m.Key == "feed_root"),
            m => Assert.StartsWith("http://mirror.example:8080/", (string?)m.Value, StringComparison.Ordinal));
        foreach (UpdaterRule rule in ClairRelease.All.SelectMany(r => r.Rules).Where(r => r.FolderKeys.Count > 0))
        {
            (string name, JsonNode? entry) = config.First(c => rule.Names.IsMatch(c.Key));
            Assert.All(rule.FolderKeys, k => Assert.True(((string?)entry![k])!.EndsWith('/'), name));
        }

        Assert.Equal("24h", (string?)read.Find("matcher", "period"));
        Assert.Equal(2, (long?)read.Find("matcher", "update_retention"));
        Assert.False((bool?)read.Find("matcher", "disable_updaters"));
        Assert.Equal(
            "http://mirror.example:8080/security.access.redhat.com/data/metrics/repository-to-cpe.json",
            (string?)read.Find("indexer", "scanner", "repo", "rhel-repository-scanner", "repo2cpe_mapping_url"));
        Assert.NotNull(read.Find("indexer", "scanner", "package", "rhel_containerscanner", "name2repos_mapping_url"));
        Assert.True((bool?)read.Find("indexer", "scanner", "package", "java", "disable_api"));
        Assert.Null(read.Find("indexer", "airgap"));
    }

    [Fact]
    public void Ubuntu_is_forced_only_for_releases_whose_version_the_series_document_has()
    {
        ClairConfiguration read = Apply(ClairKit.Request(AirGapMode.Mirror));
        Assert.Equal(
            """[{"name":"focal","version":"20.04"},{"name":"jammy","version":"22.04"},{"name":"noble","version":"24.04"}]""",
            read.Find("updaters", "config", "ubuntu", "force")!.ToJsonString());
        Assert.True((bool?)read.Find("updaters", "config", "ubuntu/updater/jammy", "use_bzip2"));
        Assert.Null(read.Find("updaters", "config", "ubuntu/updater/oracular"));
        Assert.Contains(AirGapSettings.For(ClairKit.Request(AirGapMode.Mirror)).Notes, n => n.Contains("oracular", StringComparison.Ordinal));
    }

    [Fact]
    public void What_the_mirror_does_not_serve_is_left_out_and_said()
    {
        AirGapRequest request = ClairKit.Request(AirGapMode.Mirror, "oracle", "photon", "suse", "ubuntu", "clair.cvss", "repository-to-cpe");
        ClairConfiguration read = Apply(request);
        Assert.Equal(["alpine", "debian", "osv", "rhel-vex"], Texts(read.Find("updaters", "sets")));
        Assert.Equal(["alpine", "debian", "osv", "rhel-vex"], read.Find("updaters", "config")!.AsObject().Select(c => c.Key));
        IReadOnlyList<string> notes = AirGapSettings.For(request).Notes;
        Assert.All(
            (string[])["oracle is left out", "photon is left out", "suse is left out", "ubuntu is left out", "clair.cvss is left out", "aws is left out", "cannot index ANY image"],
            said => Assert.Contains(notes, n => n.Contains(said, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_mirror_that_serves_nothing_configures_nothing() => Assert.Equal(
        ErrorIds.MirrorServesNothing,
        Assert.Throws<FeedException>(() => AirGapSettings.For(ClairKit.Request(AirGapMode.Mirror) with { Served = ClairKit.Served() with { Sources = [] } })).ErrorId);

    [Theory]
    [InlineData(AirGapMode.Mirror)]
    [InlineData(AirGapMode.Upstream)]
    [InlineData(AirGapMode.Offline)]
    public void Every_mode_is_accepted_by_the_loader_on_every_sample_and_can_be_taken_back(AirGapMode mode)
    {
        string[] samples = ["standalone.yaml", .. ClairKit.OperatorVersions.Select(v => $"operator-{v}.yaml")];
        foreach (string sample in samples)
        {
            string path = _folder.Of(sample);
            File.WriteAllText(path, ClairKit.Fixture(sample));
            string before = ClairConfiguration.Load(path).Merged.ToJsonString();
            AirGapChange change = StandaloneClair.Plan(path, ClairKit.Request(mode));
            Assert.NotEmpty(change.Diff);
            Assert.Null(ConfigFile.Apply(change, _clock));

            var read = ClairConfiguration.Load(path);
            Assert.Empty(ClairConfigSchema.Unknown(read.Merged));
            Assert.Equal(mode == AirGapMode.Offline, (bool?)read.Find("matcher", "disable_updaters"));
            Assert.NotNull(read.Find("indexer", "connstring"));
            AirGapChange again = StandaloneClair.Plan(path, ClairKit.Request(mode));
            Assert.False(again.IsChange);
            Assert.Empty(again.Diff);

            string? backup = ConfigFile.Apply(StandaloneClair.Plan(path, ClairKit.Request(AirGapMode.Connected)), _clock);
            Assert.Equal(change.After, File.ReadAllText(backup!));
            Assert.Equal(before, ClairConfiguration.Load(path).Merged.ToJsonString());
            Assert.Equal(ClairKit.Fixture(sample), File.ReadAllText(path));
        }
    }

    [Fact]
    public void Offline_has_the_mappings_as_files_and_says_what_it_means()
    {
        AirGapRequest request = ClairKit.Request(AirGapMode.Offline);
        ClairConfiguration read = Apply(request, "indexer: {scanner: {repo: {rhel-repository-scanner: {repo2cpe_mapping_url: 'http://old/x.json'}}}}\n");
        Assert.Equal(
            """{"repo2cpe_mapping_file":"/data/repository-to-cpe.json"}""", read.Find("indexer", "scanner", "repo", "rhel-repository-scanner")!.ToJsonString());
        Assert.Contains(AirGapSettings.For(request).Notes, n => n.Contains("changes only when somebody imports", StringComparison.Ordinal));
        Assert.Equal(
            ErrorIds.ClairModeIncomplete, Assert.Throws<FeedException>(() => AirGapSettings.For(request with { MappingFolder = null })).ErrorId);
    }

    [Fact]
    public void Upstream_mode_has_no_feed_setting()
    {
        ClairConfiguration read = Apply(ClairKit.Request(AirGapMode.Upstream));
        Assert.Null(read.Find("updaters"));
        Assert.Equal("24h", (string?)read.Find("matcher", "period"));
    }

    [Fact]
    public void A_file_of_variables_keeps_the_others_and_taking_back_works_on_a_broken_configuration()
    {
        string path = _folder.Of("clair.env");
        File.WriteAllText(path, "TZ=UTC\nHTTPS_PROXY=http://old:1\n");
        var proxy = new ProxySettings(new Uri("http://mirror.example:3128"), ["quay.example"]);
        AirGapChange change = StandaloneClair.PlanEnvironment(path, proxy, caPath: null);
        ConfigFile.Apply(change, _clock);
        Assert.Contains(change.Notes, n => n.Contains("HTTPS_PROXY stands", StringComparison.Ordinal));
        Assert.StartsWith("TZ=UTC\nHTTPS_PROXY=http://old:1\n# QuayAirGap: begin\nHTTP_PROXY=http://mirror.example:3128\n", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.False(StandaloneClair.PlanEnvironment(path, proxy, caPath: null).IsChange);
        ConfigFile.Apply(StandaloneClair.PlanEnvironment(path, null, caPath: null), _clock);
        Assert.Equal("TZ=UTC\nHTTPS_PROXY=http://old:1\n", File.ReadAllText(path));

        string config = _folder.Of("config.yaml");
        Apply(ClairKit.Request(AirGapMode.Mirror));
        File.WriteAllText(config, "a: [\n");
        AirGapChange back = StandaloneClair.Plan(config, ClairKit.Request(AirGapMode.Connected));
        ConfigFile.Apply(back, _clock);
        Assert.False(File.Exists(back.Path));
    }

    [Fact]
    public void A_later_drop_in_that_says_otherwise_is_said()
    {
        string path = _folder.Of("config.yaml");
        File.WriteAllText(path, ClairKit.Fixture("standalone.yaml"));
        Directory.CreateDirectory(path + ".d");
        File.WriteAllText(Path.Combine(path + ".d", "90-team.yaml"), "updaters: {sets: [osv]}\n");
        AirGapChange change = StandaloneClair.Plan(path, ClairKit.Request(AirGapMode.Mirror));
        Assert.Contains(change.Notes, n => n.Contains("updaters.sets", StringComparison.Ordinal) && n.Contains("90-team.yaml:1", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_changed_meanwhile_is_left_alone_and_modes_and_backups_are_kept()
    {
        string path = _folder.Of("quay.yaml");
        File.WriteAllText(path, ClairKit.Fixture("quay-config.yaml"));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        AirGapChange change = QuayConfig.Plan(path, File.ReadAllText(path), new Uri("http://clair.example:6060"), registry: null);
        File.AppendAllText(path, "# somebody\n");
        Assert.Equal(ErrorIds.ClairConfigConflict, Assert.Throws<FeedException>(() => ConfigFile.Apply(change, _clock)).ErrorId);

        string now = File.ReadAllText(path);
        string? backup = ConfigFile.Apply(QuayConfig.Plan(path, now, new Uri("http://clair.example:6060"), registry: null), _clock);
        Assert.Equal(now, File.ReadAllText(backup!));
        Assert.EndsWith("quay.yaml.20261124T180000Z.bak", backup, StringComparison.Ordinal);
        Assert.Equal(
            now.Replace("FEATURE_SECURITY_SCANNER: false", "FEATURE_SECURITY_SCANNER: true", StringComparison.Ordinal)
                .Replace("# somebody\n", "SECURITY_SCANNER_V4_ENDPOINT: \"http://clair.example:6060\"\n# somebody\n", StringComparison.Ordinal),
            File.ReadAllText(path));
        Assert.Equal([path, backup], Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal));
        if (!OperatingSystem.IsWindows())
        {
            foreach (string file in (string[])[path, backup!])
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }
    }

    public void Dispose() => _folder.Dispose();

    private static string[] Texts(JsonNode? list) => [.. list!.AsArray().Select(v => (string)v!)];

    private ClairConfiguration Apply(AirGapRequest request, string? config = null)
    {
        string path = _folder.Of("config.yaml");
        File.WriteAllText(path, config ?? ClairKit.Fixture("standalone.yaml"));
        ConfigFile.Apply(StandaloneClair.Plan(path, request), _clock);
        return ClairConfiguration.Load(path);
    }
}
