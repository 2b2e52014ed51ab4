using System.Text.Json.Nodes;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Clair;

/// <summary>What a configuration is held against.</summary>
public sealed record LintContext
{
    public required ClairConfiguration Configuration { get; init; }

    public required ClairRelease Release { get; init; }

    /// <summary>How Clair is meant to get its feeds; null finds out from the configuration.</summary>
    public AirGapMode? Mode { get; init; }

    /// <summary>What the mirror has; null where nobody knows.</summary>
    public ServedFeeds? Served { get; init; }

    /// <summary>Today's year.</summary>
    public required int Year { get; init; }

    /// <summary>The command that writes this configuration anew: what most findings are mended by.</summary>
    public required string Command { get; init; }
}

/// <summary>
/// Finds what Clair itself says nothing of: names that it does not know are passed over silently, and what is left then looks clean.
/// </summary>
public static partial class AirGapLint
{
    private static readonly string[] s_repositoryScanner = ["indexer", "scanner", "repo", "rhel-repository-scanner"];
    private static readonly string[] s_containerScanner = ["indexer", "scanner", "package", "rhel_containerscanner"];
    private static readonly string[] s_java = ["indexer", "scanner", "package", "java"];
    private static readonly string[] s_modes = ["indexer", "matcher", "notifier"];
    private static readonly TimeSpan s_shortestPeriod = TimeSpan.FromHours(24);

    /// <summary>All findings, the worst first.</summary>
    public static IReadOnlyList<AirGapFinding> Check(LintContext context) =>
        [.. new Run(context).Check().OrderByDescending(f => f.Severity).ThenBy(f => f.Id, StringComparer.Ordinal)];

    private sealed partial class Run(LintContext context)
    {
        private readonly ClairConfiguration _c = context.Configuration;
        private readonly AirGapMode? _mode = context.Mode ?? ModeOf(context.Configuration);
        private readonly List<AirGapFinding> _found = [];

        public IEnumerable<AirGapFinding> Check()
        {
            CheckFiles();
            CheckKeys();
            CheckNames();
            CheckUpdaterKeys();
            CheckTimes();
            CheckDatabases();
            CheckMappings();
            if (_mode is null or AirGapMode.Mirror or AirGapMode.Upstream)
            {
                CheckAddresses();
                CheckOracle();
                CheckPhoton();
                CheckUbuntu();
                CheckServed();
            }

            return _found;
        }

        private void Add(string id, FindingSeverity severity, string[] path, string what, string why, string? remedy = null) =>
            Add(id, severity, _c.WhereIs(path) ?? string.Join('.', path), what, why, remedy);

        private void Add(string id, FindingSeverity severity, string where, string what, string why, string? remedy = null) =>
            _found.Add(new AirGapFinding(id, severity, where, what, why, remedy ?? context.Command));

        /// <summary>The sets that run; all where the key is absent.</summary>
        private IReadOnlyList<string> Sets() => _c.Find("updaters", "sets") is JsonArray list
            ? [.. list.Select(Text).OfType<string>().Where(s => context.Release.Sets.Contains(s))]
            : context.Release.Sets;

        private JsonObject Config => _c.Find("updaters", "config") as JsonObject ?? [];

        private void CheckFiles()
        {
            foreach (ClairConfigFile file in _c.Files)
            {
                if (file.Documents > 1)
                {
                    Add(
                        "SeveralDocuments", FindingSeverity.Error, file.Path, $"The file has {file.Documents} YAML documents; Clair reads the first.",
                        "Whatever stands behind the first '---' has no effect, disable_updaters and sets included, and Clair does not say so.",
                        "Make it one document: take out the lines '---' and join what stands twice.");
                }

                if (!file.IsMapping && file.Documents > 0)
                {
                    Add(
                        "NoMapping", FindingSeverity.Warning, file.Path, "The file says no mapping; Clair takes it for an empty one.",
                        "None of it has an effect.", "Write it as 'key: value', or take the file away.");
                }
            }

            foreach (string path in _c.Ignored)
            {
                Add(
                    "DropInIgnored", FindingSeverity.Warning, path, $"Clair passes this file over: it reads '{Path.GetExtension(_c.Files[0].Path)}' beside such a file, and no other ending.",
                    "What is in it has no effect.", $"Rename it to end in '{Path.GetExtension(_c.Files[0].Path)}'.");
            }
        }

        private void CheckKeys()
        {
            foreach ((string[] path, IReadOnlyCollection<string> known) in ClairConfigSchema.Unknown(_c.Merged))
            {
                string nearest = Nearest.To(path[^1], known.Order(StringComparer.Ordinal));
                Add(
                    "UnknownKey", FindingSeverity.Error, path, $"Clair {context.Release.Name} has no key '{string.Join('.', path)}'.",
                    "It does not start with a key that it does not know.", $"Did you mean '{nearest}'? Write that, or take the line out.");
            }
        }

        private void CheckNames()
        {
            CheckList(
                ["updaters", "sets"], "UnknownSet", context.Release.Sets,
                "Clair passes an unknown set over without a word: what it was to cover looks clean without being checked.");
            CheckList(
                ["matchers", "names"], "UnknownMatcher", context.Release.Matchers,
                "Clair passes an unknown matcher over without a word: nothing it was to match is reported, however good the feeds are.");
            if (_c.Find("updaters", "sets") is JsonArray { Count: 0 } && _mode != AirGapMode.Offline)
            {
                Add("NoSets", FindingSeverity.Error, ["updaters", "sets"], "No updater set runs.", "Nothing is ever updated; every image ends up looking clean.");
            }
        }

        private void CheckList(string[] path, string id, IReadOnlyList<string> known, string why)
        {
            if (_c.Find(path) is not JsonArray list)
            {
                return;
            }

            foreach (string name in list.Select(Text).OfType<string>().Where(n => !known.Contains(n)))
            {
                // What was Red Hat's container set until Clair 4.8 is part of rhel-vex; the operator still writes it.
                bool isMoved = name == "rhcc" && list.Any(n => Text(n) == "rhel-vex");
                string nearest = name is "rhel" or "rhcc" ? "rhel-vex" : known.FirstOrDefault(k => k.StartsWith(name + "-", StringComparison.Ordinal)) ?? Nearest.To(name, known);
                Add(
                    id, isMoved ? FindingSeverity.Information : FindingSeverity.Error, path, $"Clair {context.Release.Name} knows no '{name}'.",
                    isMoved ? "Nothing is lost: rhel-vex has what it had." : why, isMoved ? "Nothing needs to be done." : $"Did you mean '{nearest}'? {context.Command}");
            }
        }

        private void CheckUpdaterKeys()
        {
            foreach ((string name, JsonNode? entry) in Config)
            {
                string[] path = ["updaters", "config", name];
                UpdaterRule? rule = context.Release.Rules.Concat(ClairRelease.All.SelectMany(r => r.Rules)).FirstOrDefault(r => r.Names.IsMatch(name));
                if (rule is null)
                {
                    bool isAws = name.StartsWith("aws", StringComparison.Ordinal);
                    Add(
                        "UnknownUpdater", FindingSeverity.Warning, path, isAws ? "aws has no configuration in any Clair." : $"No updater reads '{name}'.",
                        "Clair passes it over without a word, and the updater that was meant asks the Internet.",
                        isAws ? "Take it out; -Mode Upstream serves aws." : $"Did you mean '{Nearest.To(name, Examples())}'? {context.Command}");
                    continue;
                }

                foreach ((string key, JsonNode? value) in entry as JsonObject ?? [])
                {
                    CheckUpdaterKey(rule, path, key, value);
                }
            }
        }

        private void CheckUpdaterKey(UpdaterRule rule, string[] path, string key, JsonNode? value)
        {
            string[] at = [.. path, key];
            string full = $"{path[^1]}.{key}";
            if (!rule.Keys.Contains(key, StringComparer.OrdinalIgnoreCase))
            {
                bool isHarmless = full == "rhel-vex.ignore_unpatched";
                Add(
                    "UnknownUpdaterKey", isHarmless ? FindingSeverity.Information : FindingSeverity.Error, at, $"'{path[^1]}' does not read '{key}'.",
                    isHarmless ? "It has no effect here; it belongs to the matcher." : "Clair passes it over without a word, and uses its own default: the Internet.",
                    isHarmless ? "Nothing needs to be done." : $"Did you mean '{Nearest.To(key, rule.Keys)}'? {context.Command}");
            }

            if (full is "debian.archive_url" or "debian.oval_url" && Text(value) is { Length: > 0 })
            {
                Add("FatalKey", FindingSeverity.Error, at, $"'{full}' is no longer used.", "Clair ends at once where it is set.", "Take the line out.");
            }

            if (full is "debian/updater.url" or "debian/updater.dists_url" && Text(value) is { Length: > 0 })
            {
                Add("FatalKey", FindingSeverity.Error, at, $"'{full}' is no longer used.", "Clair leaves the whole of Debian out where it is set.", "Take the line out.");
            }

            if (rule.FolderKeys.Contains(key, StringComparer.OrdinalIgnoreCase) && Text(value) is { Length: > 0 } url && !url.EndsWith('/'))
            {
                Add(
                    "MissingSlash", FindingSeverity.Error, at, $"{full} is '{url}', which does not end in a slash.",
                    "Clair resolves names beside it and not below it: it asks wrong addresses, or leaves the set out.");
            }
        }

        private IEnumerable<string> Examples() =>
        [
            .. context.Release.Sets.Where(s => s != "aws"), "debian/updater", "osv/go", "ubuntu/updater/jammy", $"oracle-{context.Year}-updater",
            .. context.Release.PhotonUpdaters, "suse-updater-suse.linux.enterprise.server.15", "alpine-main-v3.20-updater",
        ];

        private void CheckTimes()
        {
            string written = Text(_c.Find("matcher", "period")) ?? "6h";
            bool isValid = GoDuration.TryParse(written, out TimeSpan period);
            if (!isValid)
            {
                Add("DurationForm", FindingSeverity.Error, ["matcher", "period"], $"'{written}' is no duration.", "Clair does not start.", "Write it like 24h.");
            }
            else if (period < s_shortestPeriod && _mode != AirGapMode.Offline && Sets().Contains("rhel-vex"))
            {
                Add(
                    "PeriodTooShort", FindingSeverity.Warning, ["matcher", "period"], $"Feeds are polled every {written}{(_c.Find("matcher", "period") is null ? ", Clair's default" : "")}.",
                    "rhel-vex is never unchanged: each poll writes all of its rows, more than three million, anew (M17).");
            }

            long retention = _c.Find("matcher", "update_retention") is JsonValue value && value.TryGetValue(out long kept) ? kept : 0;
            if (retention is 0 or 1 or > 5 && _mode != AirGapMode.Offline)
            {
                Add(
                    "RetentionHigh", FindingSeverity.Warning, ["matcher", "update_retention"], $"Clair keeps {(retention > 1 ? retention : 10)} operations of each updater.",
                    "0, 1 and no value mean 10: rhel-vex alone writes millions of rows for each (M17).");
            }

            if (_c.Find("updaters", "config", "rhel-vex", "compressed_file_timeout") is { } limit && (Text(limit) is not { } text || !GoDuration.TryParse(text, out _)))
            {
                Add(
                    "DurationForm", FindingSeverity.Error, ["updaters", "config", "rhel-vex", "compressed_file_timeout"],
                    $"{limit.ToJsonString()} is no duration in quotes.", "Clair does not start.", "Write it like \"30m\".");
            }

            foreach (string[] scanner in (string[][])[s_repositoryScanner, s_containerScanner])
            {
                if (Text(_c.Find([.. scanner, "timeout"])) is { } timeout)
                {
                    Add(
                        "DurationForm", FindingSeverity.Error, [.. scanner, "timeout"], $"The timeout is the text '{timeout}'.",
                        "It is nanoseconds as a number here; Clair drops the scanner without a word otherwise, and nothing of Red Hat is found.", "Write 10000000000 for 10 seconds.");
                }
            }

            if (_c.Find([.. s_java, "disable_api"]) is not JsonValue disabled || !disabled.TryGetValue(out bool off) || !off)
            {
                Add(
                    "JavaApi", FindingSeverity.Information, s_java, "Clair asks search.maven.org about every jar without coordinates.",
                    "Behind an air gap that costs up to two seconds for each jar.");
            }
        }

        private void CheckDatabases()
        {
            string[] databases = [.. s_modes.Select(s => Text(_c.Find(s, "connstring"))).OfType<string>().Select(Database)];
            if (context.Release.NeedsOneDatabaseForEachMode && databases.Length > 1 && databases.Distinct().Count() < databases.Length)
            {
                Add(
                    "OneDatabase", FindingSeverity.Warning, ["matcher", "connstring"], "Indexer, matcher and notifier share a database.",
                    $"Clair {context.Release.Name} cannot set up one empty database for all of them: its migrations fail (M19). One that an earlier release set up is no problem.",
                    "Give each its own database before the first start.");
            }
        }

        private static string Database(string connstring) => string.Join(
            ' ', connstring.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(p => !p.StartsWith("pool_", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

        private void CheckMappings()
        {
            CheckMapping(
                s_repositoryScanner, "repo2cpe_mapping", AirGapSettings.RepositoryMapping, FindingSeverity.Error,
                "Without this mapping Clair cannot index any image, Alpine's and Debian's neither (M18).");
            CheckMapping(
                s_containerScanner, "name2repos_mapping", AirGapSettings.ContainerMapping, FindingSeverity.Warning,
                "Without this mapping images with Red Hat's older build information cannot be indexed.");
        }

        private void CheckMapping(string[] scanner, string key, string source, FindingSeverity severity, string why)
        {
            string? url = Text(_c.Find([.. scanner, key + "_url"]));
            string? file = Text(_c.Find([.. scanner, key + "_file"]));
            if (url is null && file is null && _mode != AirGapMode.Upstream)
            {
                Add("MappingMissing", severity, scanner, $"{source} is neither a file nor an address of the mirror.", why);
            }
            else if (url is not null && _mode != AirGapMode.Upstream && IsInternet(url))
            {
                Add("InternetUrl", severity, [.. scanner, key + "_url"], $"{source} is asked for at {url}.", why);
            }
            else if (url is not null && context.Served is { } served && !served.Has(source))
            {
                Add("NotServed", severity, [.. scanner, key + "_url"], $"The mirror does not serve {source}.", why, $"Collect it: Set-ClairFeedSource {source} -Enabled $true");
            }

            if (file is not null && Directory.Exists(Path.GetDirectoryName(file)) && !File.Exists(file))
            {
                Add(
                    "MappingFileMissing", severity, [.. scanner, key + "_file"], $"There is no '{file}' here.",
                    "Clair drops the scanner without a word where the file is missing: nothing of Red Hat is found.", "Put the file there before Clair starts.");
            }
        }

        private static AirGapMode? ModeOf(ClairConfiguration c) =>
            c.Find("matcher", "disable_updaters") is JsonValue value && value.TryGetValue(out bool disabled) && disabled ? AirGapMode.Offline
            : (c.Find("updaters", "config") as JsonObject ?? []).Any(e => e.Value is JsonObject entry && entry.Any(m => m.Key.EndsWith("url", StringComparison.OrdinalIgnoreCase) || m.Key == "feed_root"))
                ? AirGapMode.Mirror : null;

        private static bool IsInternet(string url) =>
            !Uri.TryCreate(url, UriKind.Absolute, out Uri? uri)
            || SourceCatalog.All.SelectMany(s => s.Hosts).Append("search.maven.org").Append("deb" + ".debian.org").Append("api.launchpad.net")
                .Contains(uri.Host, StringComparer.OrdinalIgnoreCase);

        private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;
    }
}
