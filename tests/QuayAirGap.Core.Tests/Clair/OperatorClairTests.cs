using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Quay;
using Xunit;

namespace QuayAirGap.Core.Tests.Clair;

/// <summary>Objects of the operator: single keys change, everything else stays, and everything can be taken back.</summary>
public sealed class OperatorClairTests
{
    private static readonly QuayRegistry s_registry = QuayRegistry.Parse("registry.yaml", ClairKit.Fixture("quayregistry.yaml"));

    private static readonly ProxySettings s_proxy = new(new Uri("http://mirror.example:3128"), ["localhost", "quay.example"]);

    [Theory]
    [InlineData(AirGapMode.Mirror)]
    [InlineData(AirGapMode.Upstream)]
    [InlineData(AirGapMode.Offline)]
    public void The_bundle_is_accepted_by_every_operators_Clair_and_comes_back_byte_for_byte(AirGapMode mode)
    {
        string user = ClairKit.Fixture("operator-user.yaml");
        foreach (string? own in new[] { user, user.Replace("\n", "\r\n", StringComparison.Ordinal), "\n", null, "# only words\n", "{matcher: {period: 1h}}\n" })
        {
            string manifest = ClairKit.Secret(own);
            AirGapChange change = Plan(manifest, mode, registry: null);
            string edited = ClairKit.ClairConfigOf(change.After!)!;
            foreach (string version in ClairKit.OperatorVersions)
            {
                ClairConfiguration read = ClairKit.Operator(version, edited);
                Assert.Empty(ClairConfigSchema.Unknown(read.Merged));
                Assert.Equal(mode == AirGapMode.Offline, (bool?)read.Find("matcher", "disable_updaters"));
                if (mode == AirGapMode.Mirror)
                {
                    // The operator pins sets without osv: every language ecosystem would look clean.
                    Assert.Contains("osv", read.Find("updaters", "sets")!.AsArray().Select(s => (string?)s));
                }
            }

            AirGapChange again = Plan(change.After!, mode, registry: null);
            Assert.Equal(change.After, again.After);
            Assert.Empty(again.Diff);
            AirGapChange back = Plan(change.After!, AirGapMode.Connected, registry: null);
            Assert.Equal(manifest, back.After);
        }
    }

    [Fact]
    public void Going_from_mode_to_mode_ends_as_if_the_last_had_been_the_first()
    {
        string manifest = ClairKit.Secret(ClairKit.Fixture("operator-user.yaml"));
        string direct = Plan(manifest, AirGapMode.Offline).After!;
        string around = new[] { AirGapMode.Mirror, AirGapMode.Upstream, AirGapMode.Mirror, AirGapMode.Offline }
            .Aggregate(manifest, (m, mode) => Plan(m, mode).After!);
        Assert.Equal(direct, around);
    }

    [Fact]
    public void What_people_wrote_stays_with_its_comments_and_what_they_add_later_stays_too()
    {
        string manifest = ClairKit.Secret(ClairKit.Fixture("operator-user.yaml"));
        string edited = ClairKit.ClairConfigOf(Plan(manifest, AirGapMode.Mirror).After!)!;
        Assert.Contains("  layer_scan_concurrency: 8   # the workers have few cores\n", edited, StringComparison.Ordinal);
        Assert.Contains("  period: 24h # twice a day\n", edited, StringComparison.Ordinal);
        Assert.Contains("      # the team of the registry asked for npm, too\n", edited, StringComparison.Ordinal);

        string later = edited.Replace("matcher:\n", "matcher:\n  cache_age: 1h # since May\n", StringComparison.Ordinal);
        string back = ClairKit.ClairConfigOf(Plan(
            Plan(manifest, AirGapMode.Mirror).After!.Replace(Base64(edited), Base64(later), StringComparison.Ordinal), AirGapMode.Connected).After!)!;
        Assert.Equal(
            ClairKit.Fixture("operator-user.yaml").Replace("matcher:\n", "matcher:\n  cache_age: 1h # since May\n", StringComparison.Ordinal), back);
    }

    [Fact]
    public void Everything_else_of_the_secret_stays_byte_for_byte()
    {
        string manifest = ClairKit.Secret(ClairKit.Fixture("operator-user.yaml"));
        string[] before = manifest.Split('\n');
        string[] after = Plan(manifest, AirGapMode.Mirror).After!.Split('\n');
        Assert.Equal(
            before.Where(l => !l.Contains("clair-config.yaml", StringComparison.Ordinal)),
            after.Where(l => !l.Contains("clair-config.yaml", StringComparison.Ordinal) && !l.Contains("annotations:", StringComparison.Ordinal)
                && !l.Contains("quayairgap-changes", StringComparison.Ordinal)));
        Assert.Contains(after, l => l.EndsWith("  # Clair's part", StringComparison.Ordinal));
    }

    [Fact]
    public void Json_manifests_and_readable_ones_stay_what_they_are()
    {
        string json = """
            {
              "apiVersion": "v1", "kind": "Secret",
              "metadata": {"name": "b", "namespace": "quay"},
              "data": {"config.yaml": "YTogMQo="}
            }

            """;
        AirGapChange change = Plan(json, AirGapMode.Mirror);
        using var parsed = System.Text.Json.JsonDocument.Parse(change.After!);
        Assert.NotNull(ClairKit.ClairConfigOf(change.After!));
        Assert.Equal(json, Plan(change.After!, AirGapMode.Connected).After);

        string readable = "kind: Secret\nstringData:\n  clair-config.yaml: |\n    matcher:\n      period: 1h # ours\n\n    log_level: info\n  config.yaml: |\n    a: 1\n";
        change = Plan(readable, AirGapMode.Offline);
        Assert.Contains("      period: 1h # ours\n", change.After, StringComparison.Ordinal);
        Assert.Contains("      disable_updaters: true\n", change.After, StringComparison.Ordinal);
        Assert.Equal(readable, Plan(change.After!, AirGapMode.Connected).After);
    }

    [Fact]
    public void Connstrings_go_where_the_database_is_the_operators_and_are_shown_nowhere()
    {
        string manifest = ClairKit.Secret(ClairKit.Fixture("operator-user.yaml"));
        AirGapChange managed = Plan(manifest, AirGapMode.Mirror, registry: s_registry);
        Assert.DoesNotContain("connstring", ClairKit.ClairConfigOf(managed.After!), StringComparison.Ordinal);
        Assert.DoesNotContain("not-a-secret", managed.Diff, StringComparison.Ordinal);
        Assert.Contains("- ", managed.Diff, StringComparison.Ordinal);
        Assert.Contains(managed.Notes, n => n.StartsWith("indexer.connstring taken out", StringComparison.Ordinal));
        Assert.DoesNotContain("not-a-secret", managed.After, StringComparison.Ordinal);

        var unmanaged = QuayRegistry.Parse("r", ClairKit.Fixture("quayregistry.yaml").Replace(
            "clairpostgres\n      managed: true", "clairpostgres\n      managed: false", StringComparison.Ordinal));
        Assert.Contains("connstring", ClairKit.ClairConfigOf(Plan(manifest, AirGapMode.Mirror, registry: unmanaged).After!), StringComparison.Ordinal);
        Assert.Contains(Plan(manifest, AirGapMode.Mirror, registry: null).Notes, n => n.Contains("-QuayRegistry", StringComparison.Ordinal));
    }

    [Fact]
    public void A_Clair_that_is_not_managed_is_not_configured_by_the_secret_and_a_managed_one_not_by_Quays_file()
    {
        var unmanaged = QuayRegistry.Parse("r", ClairKit.Fixture("quayregistry.yaml").Replace(
            "kind: clair\n      managed: true", "kind: clair\n      managed: false", StringComparison.Ordinal));
        Assert.Equal(
            ErrorIds.ClairConfigConflict, Assert.Throws<FeedException>(() => Plan(ClairKit.Secret(null), AirGapMode.Mirror, registry: unmanaged)).ErrorId);
        Assert.Equal(
            ErrorIds.ClairConfigConflict,
            Assert.Throws<FeedException>(() => QuayConfig.Plan("config.yaml", "a: 1\n", new Uri("http://clair/"), s_registry)).ErrorId);
        Assert.Contains(
            Plan(ClairKit.Secret(null, "FEATURE_SECURITY_SCANNER: true\n"), AirGapMode.Mirror, registry: s_registry).Notes,
            n => n.Contains("FEATURE_SECURITY_SCANNER", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("3.16", "Nothing more")]
    [InlineData("3.17.0", "Nothing more")]
    [InlineData("3.17.2", "oc rollout restart deploy/example-registry-clair-app -n quay")]
    [InlineData("v3.18", "oc rollout restart deploy/example-registry-clair-app -n quay")]
    [InlineData(null, "operators from 3.17.1 on do not restart")]
    public void The_restart_is_what_the_operators_version_needs(string? version, string said)
    {
        AirGapChange change = OperatorClair.PlanSecret("s.yaml", ClairKit.Secret(null), ClairKit.Request(AirGapMode.Mirror), s_registry, null, version);
        Assert.Contains(change.NextSteps, s => s.Contains(said, StringComparison.Ordinal));
    }

    [Fact]
    public void The_mirrors_CA_travels_in_the_secret_and_leaves_with_the_rest()
    {
        string manifest = ClairKit.Secret(null);
        AirGapChange change = OperatorClair.PlanSecret("s", manifest, ClairKit.Request(AirGapMode.Mirror), null, "-----BEGIN CERTIFICATE-----\n", null);
        Assert.Contains($"  extra_ca_cert_quayairgap.crt: {Base64("-----BEGIN CERTIFICATE-----\n")}\n", change.After, StringComparison.Ordinal);
        Assert.Contains("+ extra_ca_cert_quayairgap.crt", change.Diff, StringComparison.Ordinal);
        Assert.Equal(manifest, Plan(change.After!, AirGapMode.Connected).After);
    }

    [Theory]
    [InlineData("quayregistry.yaml", "")]
    [InlineData("quayregistry.yaml", "      overrides:\n        env:\n          # for the pods of the lab\n          - name: GOGC\n            value: \"50\"\n")]
    public void The_registrys_environment_gets_the_proxy_and_loses_it_again(string fixture, string without)
    {
        string manifest = ClairKit.Fixture(fixture);
        manifest = without.Length == 0 ? manifest : manifest.Replace(without, "", StringComparison.Ordinal);
        AirGapChange change = OperatorClair.PlanRegistry("r.yaml", manifest, s_proxy);
        string env = ClairYaml.Parse(change.After!).Root!["spec"]!["components"]![1]!["overrides"]!["env"]!.ToJsonString();
        Assert.Contains("""{"name":"HTTPS_PROXY","value":"http://mirror.example:3128"}""", env, StringComparison.Ordinal);
        Assert.Contains("""{"name":"NO_PROXY","value":"localhost,quay.example"}""", env, StringComparison.Ordinal);
        Assert.Equal(without.Length == 0, env.Contains("GOGC", StringComparison.Ordinal));
        Assert.Equal(change.After, OperatorClair.PlanRegistry("r.yaml", change.After!, s_proxy).After);
        Assert.Equal(manifest, OperatorClair.PlanRegistry("r.yaml", change.After!, null).After);
    }

    [Fact]
    public void A_proxy_that_was_there_before_comes_back()
    {
        string manifest = ClairKit.Fixture("quayregistry.yaml").Replace(
            "- name: GOGC\n            value: \"50\"", "- name: HTTPS_PROXY # corporate\n            value: http://old:1", StringComparison.Ordinal);
        AirGapChange change = OperatorClair.PlanRegistry("r.yaml", manifest, s_proxy);
        Assert.DoesNotContain("value: http://old:1", change.After, StringComparison.Ordinal);
        AirGapChange back = OperatorClair.PlanRegistry("r.yaml", change.After!, null);
        Assert.Equal(manifest.Replace("http://old:1", "\"http://old:1\"", StringComparison.Ordinal), back.After);
        Assert.Equal(
            ErrorIds.ClairConfigConflict,
            Assert.Throws<FeedException>(() => OperatorClair.PlanRegistry(
                "r", manifest.Replace("value: http://old:1", "valueFrom: {secretKeyRef: {name: a, key: b}}", StringComparison.Ordinal), s_proxy)).ErrorId);
    }

    [Fact]
    public void No_proxy_keeps_Quay_its_storage_and_Clairs_own_addresses_out()
    {
        var proxy = ProxySettings.For(
            new Uri("http://mirror:3128"), ["10.0.0.0/8"], inCluster: false, ClairKit.Operator("3.18", null).Merged,
            ClairYaml.Parse(ClairKit.Fixture("quay-config.yaml")).Root);
        Assert.Equal(
            ["localhost", "127.0.0.1", "::1", "quay.example", "10.0.0.0/8", "example-registry-clair-app.quay.svc.cluster.local", "s3.example"], proxy.NoProxy);
        Assert.Equal(
            ErrorIds.ClairModeIncomplete, Assert.Throws<FeedException>(() => ProxySettings.For(new Uri("http://m"), [], false, null, null)).ErrorId);
    }

    [Theory]
    [InlineData("a: &x {b: 1}\nmatcher: *x\n")]
    [InlineData("? [complex]\n: key\n")]
    [InlineData("matcher: a word\n")]
    public void What_cannot_be_edited_by_single_keys_is_refused_whole(string clair)
    {
        string manifest = ClairKit.Secret(clair);
        FeedException error = Assert.Throws<FeedException>(() => Plan(manifest, AirGapMode.Mirror));
        Assert.Contains(error.ErrorId, (string[])[ErrorIds.ClairConfigConflict, ErrorIds.ClairConfigInvalid]);
    }

    private static AirGapChange Plan(string manifest, AirGapMode mode, QuayRegistry? registry = null) =>
        OperatorClair.PlanSecret("secret.yaml", manifest, ClairKit.Request(mode), registry, null, null);

    private static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
}
