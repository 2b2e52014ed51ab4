using System.Globalization;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Clair;

/// <summary>How a Clair gets its feeds.</summary>
public enum AirGapMode
{
    /// <summary>From a QuayAirGap mirror, by path: every updater is given the mirror's address.</summary>
    Mirror,

    /// <summary>From a QuayAirGap mirror that answers as the upstreams themselves: only a proxy and one more CA are configured.</summary>
    Upstream,

    /// <summary>From files that are imported: no updater runs.</summary>
    Offline,

    /// <summary>From the Internet, as without QuayAirGap: everything that it set is taken back.</summary>
    Connected,
}

/// <summary>One value of Clair's configuration.</summary>
/// <param name="Path">The keys from the top.</param>
/// <param name="Value">What it is to be; null takes it out.</param>
public sealed record ClairSetting(IReadOnlyList<string> Path, JsonNode? Value);

/// <summary>What a Clair is to be told.</summary>
public sealed record AirGapRequest
{
    public required AirGapMode Mode { get; init; }

    /// <summary>The mirror's address as Clair reaches it; mirror mode.</summary>
    public Uri? MirrorUri { get; init; }

    /// <summary>What the mirror has; mirror and upstream mode.</summary>
    public ServedFeeds? Served { get; init; }

    /// <summary>Today's year where Clair runs: Oracle has an updater for each year, and a new one on 1 January.</summary>
    public required int Year { get; init; }

    /// <summary>indexer.airgap; null leaves it as it is.</summary>
    public bool? IndexerAirGap { get; init; }

    /// <summary>The folder of the two mapping files as Clair sees it; offline mode, and a seed in mirror mode.</summary>
    public string? MappingFolder { get; init; }

    /// <summary>True: an operator wrote the base, which pins the updater sets and leaves out osv.</summary>
    public bool IsOperator { get; init; }
}

/// <summary>The values of Clair's configuration for a mode, and what the person who sets them must know.</summary>
public sealed record AirGapSettings(IReadOnlyList<ClairSetting> Settings, IReadOnlyList<string> Notes)
{
    public const string RepositoryMapping = "repository-to-cpe";
    public const string ContainerMapping = "container-name-repos-map";

    private const int FirstOracleYear = 2007;

    /// <exception cref="FeedException"><see cref="ErrorIds.ClairModeIncomplete"/> or <see cref="ErrorIds.MirrorServesNothing"/></exception>
    public static AirGapSettings For(AirGapRequest request) => new Builder(request).Build();

    /// <summary>All values as one mapping; a value that is to go is null.</summary>
    public JsonObject ToMapping()
    {
        var root = new JsonObject();
        foreach (ClairSetting setting in Settings)
        {
            JsonObject at = root;
            foreach (string key in setting.Path.SkipLast(1))
            {
                if (at[key] is not JsonObject next)
                {
                    at[key] = next = [];
                }

                at = next;
            }

            at[setting.Path[^1]] = setting.Value?.DeepClone();
        }

        return root;
    }

    private sealed class Builder(AirGapRequest request)
    {
        private readonly List<ClairSetting> _settings = [];
        private readonly List<string> _notes = [];

        public AirGapSettings Build()
        {
            switch (request.Mode)
            {
                case AirGapMode.Mirror:
                    AddMatcher();
                    AddMirror(Served(), request.MirrorUri ?? throw Incomplete("the mirror's address", "-MirrorUri"));
                    break;
                case AirGapMode.Upstream:
                    AddMatcher();
                    AddUpstream();
                    break;
                case AirGapMode.Offline:
                    AddOffline();
                    break;
                case AirGapMode.Connected:
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(request));
            }

            if (request.Mode != AirGapMode.Connected)
            {
                Set(["indexer", "scanner", "package", "java"], new JsonObject { ["disable_api"] = true });
                if (request.IndexerAirGap is { } airgap)
                {
                    Set(["indexer", "airgap"], airgap);
                }
                else
                {
                    _notes.Add(
                        "indexer.airgap is left as it is: switched on, Clair can only fetch images from private addresses (RFC 1918), and every scan " +
                        "fails where the registry or its storage has another. -RegistryHost looks the addresses up and decides.");
                }
            }

            return new AirGapSettings(_settings, _notes);
        }

        private void Set(string[] path, JsonNode? value) => _settings.Add(new ClairSetting(path, value));

        private ServedFeeds Served() => request.Served is { Sources.Count: > 0 } served
            ? served
            : throw new FeedException(
                ErrorIds.MirrorServesNothing, "The mirror serves nothing yet, and nothing is configured that is not there.", null,
                "Import a bundle first: Import-ClairFeed.");

        /// <summary>rhel-vex writes all its rows anew at every poll: the period is long and few operations are kept (M17).</summary>
        private void AddMatcher()
        {
            Set(["matcher", "disable_updaters"], false);
            Set(["matcher", "period"], "24h");
            Set(["matcher", "update_retention"], 2L);
        }

        private void AddMirror(ServedFeeds served, Uri mirror)
        {
            string root = mirror.AbsoluteUri.TrimEnd('/');
            AddSets(served, withAws: false);
            AddFeeds(served, root);
            AddMappings(served, root);
        }

        private void AddSets(ServedFeeds served, bool withAws)
        {
            SourceDefinition[] sets = [.. SourceCatalog.All.Where(s => ClairRelease.All.Any(r => r.Sets.Contains(s.Name)))];
            Set(["updaters", "sets"], new JsonArray([.. sets.Where(s => served.Has(s.Name) && (withAws || s.Name != "aws")).Select(s => (JsonNode?)s.Name)]));
            foreach (SourceDefinition source in sets.Where(s => !served.Has(s.Name)))
            {
                _notes.Add($"{source.Name} is left out, as the mirror does not serve it: images that need it ({source.Covers}) look clean without being checked.");
            }

            if (!withAws && served.Has("aws"))
            {
                _notes.Add(
                    "aws is left out: its addresses cannot be configured in Clair. Images of Amazon Linux look clean without being checked; " +
                    "-Mode Upstream serves it too.");
            }
        }

        private void AddFeeds(ServedFeeds served, string root)
        {
            void Feed(string source, string entry, params (string Key, JsonNode? Value)[] values)
            {
                if (served.Has(source))
                {
                    Set(["updaters", "config", entry], new JsonObject(values.Select(v => KeyValuePair.Create(v.Key, v.Value))));
                }
            }

            JsonNode At(string name)
            {
                SourceDefinition source = SourceCatalog.Get(name);
                return root + Publishing.MirrorPath.Of(source.Uri);
            }

            Feed("alpine", "alpine", ("url", At("alpine")));
            Feed("clair.cvss", "clair.cvss", ("feed_root", root + ServedFeeds.CvssPath));
            Feed(
                "debian", "debian", ("mirror_url", root + Publishing.MirrorPath.Of(SourceCatalog.Get("debian").MirrorUri!)), ("json_url", At("debian")));
            AddOracle(served, root);
            Feed(
                "osv", "osv", ("url", At("osv")), ("allowlist", new JsonArray([.. Sources.Osv.OsvEcosystems.Matched
                    .Where(e => served.Ecosystems.Contains(e)).Select(e => (JsonNode?)e)])));
            AddPhoton(served, root);

            // Two minutes are Clair's default for the whole archive, its re-packing included.
            Feed("rhel-vex", "rhel-vex", ("url", At("rhel-vex")), ("compressed_file_timeout", "30m"));
            Feed("suse", "suse", ("url", root + ServedFeeds.SusePath));
            AddUbuntu(served, root);
        }

        /// <summary>One key for each year, next year's too: an updater without one goes to the Internet (M13).</summary>
        private void AddOracle(ServedFeeds served, string root)
        {
            if (!served.Has("oracle"))
            {
                return;
            }

            for (int year = FirstOracleYear; year <= Math.Max(request.Year + 1, served.OracleYears.DefaultIfEmpty().Max()); year++)
            {
                Set(
                    ["updaters", "config", $"oracle-{year}-updater"],
                    new JsonObject { ["url"] = $"{root}{ServedFeeds.OraclePath}com.oracle.elsa-{year}.xml.bz2" });
            }

            int[] missing = [.. Enumerable.Range(FirstOracleYear, request.Year - FirstOracleYear + 1).Except(served.OracleYears)];
            if (missing.Length > 0)
            {
                _notes.Add($"oracle: the mirror does not serve {string.Join(", ", missing)}; advisories of these years are not checked.");
            }
        }

        /// <summary>Releases under both of their names: Clair 4.9.0, which knows three, says photon3, later ones 3.0. The one that is not used is ignored.</summary>
        private void AddPhoton(ServedFeeds served, string root)
        {
            if (!served.Has("photon"))
            {
                return;
            }

            foreach (int release in Enumerable.Range(1, 5).Union(served.PhotonReleases).Order())
            {
                foreach (string name in (string[])[.. release <= 3 ? (string[])[$"photon-updater-photon{release}"] : [], $"photon-updater-{release}.0"])
                {
                    Set(
                        ["updaters", "config", name],
                        new JsonObject { ["url"] = $"{root}{ServedFeeds.PhotonPath}com.vmware.phsa-photon{release}.xml", ["compression"] = "none" });
                }
            }

            int[] missing = [.. Enumerable.Range(1, 5).Except(served.PhotonReleases)];
            if (missing.Length > 0)
            {
                _notes.Add($"photon: the mirror does not serve {string.Join(", ", missing.Select(r => $"{r}.0"))}; images of these releases are not checked.");
            }
        }

        /// <summary>
        /// Clair asks a fixed host about every series that is active, and all of Ubuntu fails with it: the published series document has none
        /// that is, and each release is forced and given its address (M10).
        /// </summary>
        private void AddUbuntu(ServedFeeds served, string root)
        {
            if (!served.Has("ubuntu"))
            {
                return;
            }

            var force = new JsonArray([.. served.Ubuntu.Select(u => (JsonNode?)new JsonObject { ["name"] = u.Name, ["version"] = u.Version })]);
            Set(["updaters", "config", "ubuntu"], new JsonObject { ["url"] = root + "/api.launchpad.net/1.0/", ["force"] = force });
            foreach (ServedUbuntu release in served.Ubuntu)
            {
                Set(
                    ["updaters", "config", $"ubuntu/updater/{release.Name}"],
                    new JsonObject { ["url"] = root + release.Path, ["use_bzip2"] = release.Path.EndsWith(".bz2", StringComparison.Ordinal) });
            }

            if (served.UnnamedUbuntu.Count > 0)
            {
                _notes.Add($"ubuntu: {string.Join(", ", served.UnnamedUbuntu)} are left out, as the mirror's list of releases does not have them and Clair would end at once.");
            }
        }

        private void AddMappings(ServedFeeds served, string root)
        {
            AddMapping(served, root, ["indexer", "scanner", "repo", "rhel-repository-scanner"], "repo2cpe_mapping", RepositoryMapping);
            AddMapping(served, root, ["indexer", "scanner", "package", "rhel_containerscanner"], "name2repos_mapping", ContainerMapping);
            if (!served.Has(RepositoryMapping))
            {
                _notes.Add("repository-to-cpe is not served: without it Clair cannot index ANY image (M18). Collect and import it before this is used.");
            }
        }

        private void AddMapping(ServedFeeds served, string root, string[] scanner, string key, string source)
        {
            if (served.Has(source))
            {
                var value = new JsonObject { [key + "_url"] = root + Publishing.MirrorPath.Of(SourceCatalog.Get(source).Uri) };
                if (request.MappingFolder is { } folder)
                {
                    value[key + "_file"] = $"{folder.TrimEnd('/')}/{source}.json";
                }

                Set(scanner, value);
            }
        }

        private void AddUpstream()
        {
            if (request.IsOperator)
            {
                AddSets(Served(), withAws: true);
            }

            foreach ((string[] scanner, string key) in Scanners())
            {
                Set([.. scanner, key + "_url"], null);
                Set([.. scanner, key + "_file"], null);
            }
        }

        private void AddOffline()
        {
            string folder = request.MappingFolder ?? throw Incomplete("the folder of the two mapping files as Clair sees it", "-MappingFolder");
            Set(["matcher", "disable_updaters"], true);
            Set(["matcher", "update_retention"], 2L);
            foreach ((string[] scanner, string key) in Scanners())
            {
                string file = key == "repo2cpe_mapping" ? RepositoryMapping : ContainerMapping;
                Set([.. scanner, key + "_url"], null);
                Set([.. scanner, key + "_file"], $"{folder.TrimEnd('/')}/{file}.json");
            }

            _notes.Add(
                "No updater of this Clair runs any more: what it knows changes only when somebody imports, and its own dates say when that was, not how old the data is.");
            _notes.Add(
                $"Clair reads {RepositoryMapping}.json and {ContainerMapping}.json in '{folder}' once, when it starts. Where the first is missing no image can be indexed.");
        }

        private static IEnumerable<(string[] Scanner, string Key)> Scanners()
        {
            yield return (["indexer", "scanner", "repo", "rhel-repository-scanner"], "repo2cpe_mapping");
            yield return (["indexer", "scanner", "package", "rhel_containerscanner"], "name2repos_mapping");
        }

        private FeedException Incomplete(string what, string parameter) => new(
            ErrorIds.ClairModeIncomplete, string.Create(CultureInfo.InvariantCulture, $"Mode {request.Mode} needs {what}."), request.Mode.ToString(),
            $"Name it with {parameter}.");
    }
}
