using System.Text.Json.Nodes;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Clair;

public static partial class AirGapLint
{
    /// <summary>What each set needs to be told, so that it does not ask the Internet: the entry and its keys.</summary>
    private static readonly (string Set, string[] Keys)[] s_addresses =
    [
        ("alpine", ["url"]), ("clair.cvss", ["feed_root"]), ("debian", ["mirror_url", "json_url"]), ("osv", ["url"]), ("rhel-vex", ["url"]), ("suse", ["url"]),
        ("ubuntu", ["url"]),
    ];

    private sealed partial class Run
    {
        private const string Internet = "Clair asks the Internet, gets no answer behind the gap, and what this covers looks clean.";

        private void CheckAddresses()
        {
            if (_mode == AirGapMode.Upstream)
            {
                return;
            }

            if (_mode is null)
            {
                Add(
                    "NoFeedAddress", FindingSeverity.Error, ["updaters", "config"], "No feed has an address: Clair asks the upstreams themselves.",
                    Internet, $"{context.Command} (where Clair reaches the mirror as a proxy, test with -Mode Upstream)");
                return;
            }

            foreach ((string set, string[] keys) in s_addresses.Where(a => Sets().Contains(a.Set)))
            {
                foreach (string key in keys)
                {
                    CheckAddress([set, key], set);
                }
            }

            foreach ((string name, JsonNode? entry) in Config.Where(e => !s_addresses.Any(a => a.Set == e.Key)))
            {
                foreach ((string key, _) in (entry as JsonObject ?? []).Where(m => m.Key.EndsWith("url", StringComparison.OrdinalIgnoreCase)))
                {
                    CheckAddress([name, key], name);
                }
            }

            if (Sets().Contains("aws"))
            {
                Add(
                    "AwsNotRedirectable", FindingSeverity.Warning, ["updaters", "sets"], "aws runs, and its addresses cannot be configured.",
                    "Each poll ends in three failures; images of Amazon Linux look clean without being checked.", $"{context.Command} leaves it out; -Mode Upstream serves it.");
            }
        }

        private void CheckAddress(string[] path, string what)
        {
            string[] at = ["updaters", "config", .. path];
            JsonNode? value = Config[path[0]] is JsonObject entry
                ? entry.FirstOrDefault(m => string.Equals(m.Key, path[1], StringComparison.OrdinalIgnoreCase)).Value
                : null;
            string? url = Text(value);
            if (url is null || IsInternet(url))
            {
                Add(
                    "InternetUrl", FindingSeverity.Error, at, url is null ? $"{what} has no {path[1]}: it asks its upstream." : $"{what} asks {url}.", Internet);
            }
        }

        private void CheckOracle()
        {
            if (!Sets().Contains("oracle") || _mode != AirGapMode.Mirror)
            {
                return;
            }

            int[] missing = [.. Enumerable.Range(2007, context.Year + 2 - 2007).Where(y => Text(JsonPatches.Find(Config, $"oracle-{y}-updater", "url")) is null)];
            if (missing.Any(y => y <= context.Year))
            {
                Add(
                    "MissingYear", FindingSeverity.Error, ["updaters", "config"], $"oracle has no address for {Years(missing.Where(y => y <= context.Year))}.",
                    "Each year is an updater of its own, and one without an address asks the Internet: an image needs all years (M13).");
            }
            else if (missing.Length > 0)
            {
                Add(
                    "MissingYear", FindingSeverity.Warning, ["updaters", "config"], $"oracle has no address for {context.Year + 1}.",
                    "On 1 January Clair has an updater more, which asks the Internet (M13).");
            }
        }

        private void CheckPhoton()
        {
            string[] missing = !Sets().Contains("photon") || _mode != AirGapMode.Mirror ? [] :
                [.. context.Release.PhotonUpdaters.Where(n => Text(JsonPatches.Find(Config, n, "url")) is null)];
            if (missing.Length > 0)
            {
                Add(
                    "MissingRelease", FindingSeverity.Error, ["updaters", "config"], $"photon has no address for {string.Join(", ", missing)}.",
                    "These updaters ask the Internet. Their names changed behind Clair 4.9.0: both spellings belong into the configuration (M13).");
            }
        }

        private void CheckUbuntu()
        {
            if (!Sets().Contains("ubuntu") || Config["ubuntu"] is not JsonObject ubuntu)
            {
                return;
            }

            JsonArray force = ubuntu.FirstOrDefault(m => string.Equals(m.Key, "force", StringComparison.OrdinalIgnoreCase)).Value as JsonArray ?? [];
            string[] at = ["updaters", "config", "ubuntu", "force"];
            List<string> names = [];
            for (int i = 0; i < force.Count; i++)
            {
                JsonObject? entry = force[i] as JsonObject;
                string? name = Text(entry?.FirstOrDefault(m => string.Equals(m.Key, "name", StringComparison.OrdinalIgnoreCase)).Value);
                JsonNode? version = entry?.FirstOrDefault(m => string.Equals(m.Key, "version", StringComparison.OrdinalIgnoreCase)).Value;
                if (name is null || version is null)
                {
                    Add("ForceIncomplete", FindingSeverity.Error, [.. at, $"{i}"], "A forced release has a name and a version.", "Clair does not start, or leaves Ubuntu out.");
                    continue;
                }

                names.Add(name);
                if (Text(version) is not { } text)
                {
                    Add(
                        "UnquotedVersion", FindingSeverity.Error, [.. at, $"{i}"], $"The version of {name} is the number {version.ToJsonString()} and not a text.",
                        "Clair does not start.", $"Write it in quotes. {context.Command}");
                }
                else if (context.Served is { } served && served.Has("ubuntu") && !served.Ubuntu.Any(u => u.Version == text))
                {
                    Add(
                        "ForcedReleaseUnknown", FindingSeverity.Error, [.. at, $"{i}"], $"The mirror's list of releases has no Ubuntu {text}.",
                        "Clair ends at once, indexer and matcher with it, whenever it reads a forced release that is not in the list (M10).");
                }

                if (_mode == AirGapMode.Mirror && Text(JsonPatches.Find(Config, $"ubuntu/updater/{name}", "url")) is null)
                {
                    Add("InternetUrl", FindingSeverity.Error, [.. at, $"{i}"], $"ubuntu/updater/{name} has no url: it asks security-metadata.canonical.com.", Internet);
                }
            }

            if (context.Served is { } mirror && mirror.Ubuntu.Where(u => !names.Contains(u.Name)).ToArray() is { Length: > 0 } left && _mode == AirGapMode.Mirror)
            {
                Add(
                    "MissingRelease", FindingSeverity.Error, at, $"The mirror serves {string.Join(", ", left.Select(u => $"{u.Name} ({u.Version})"))}, and Clair is not told.",
                    "Images of these releases look clean without being checked.");
            }
        }

        /// <summary>The configuration against what the mirror has now: it was written for an earlier generation.</summary>
        private void CheckServed()
        {
            if (context.Served is not { } served)
            {
                return;
            }

            foreach (string set in Sets().Where(s => !served.Has(s) && (s != "aws" || _mode == AirGapMode.Upstream)))
            {
                SourceDefinition source = SourceCatalog.Get(set);
                Add(
                    "NotServed", FindingSeverity.Error, ["updaters", "sets"], $"{set} runs, and the mirror does not serve it.",
                    $"Images that need it ({source.Covers}) look clean without being checked.",
                    $"Collect it, or say that nobody needs it: Set-ClairFeedSource {set} -Enabled $true, or {context.Command}");
            }

            foreach (string set in context.Release.Sets.Where(s => served.Has(s) && !Sets().Contains(s) && (s != "aws" || _mode == AirGapMode.Upstream)))
            {
                Add(
                    "NotConfigured", FindingSeverity.Warning, ["updaters", "sets"], $"The mirror serves {set}, and it does not run.",
                    $"Images that need it ({SourceCatalog.Get(set).Covers}) look clean without being checked.");
            }

            if (Sets().Contains("osv") && JsonPatches.Find(Config, "osv", "allowlist") is JsonArray list)
            {
                string[] left = [.. Sources.Osv.OsvEcosystems.Matched.Where(e => served.Ecosystems.Contains(e) && !list.Any(a => string.Equals(Text(a), e, StringComparison.OrdinalIgnoreCase)))];
                if (left.Length > 0)
                {
                    Add(
                        "NotConfigured", FindingSeverity.Warning, ["updaters", "config", "osv", "allowlist"], $"The mirror serves {string.Join(", ", left)}, and osv does not take it.",
                        "Packages of these ecosystems look clean without being checked.");
                }
            }
        }

        private static string Years(IEnumerable<int> years)
        {
            int[] all = [.. years];
            return all.Length > 3 && all[^1] - all[0] == all.Length - 1 ? $"{all[0]} to {all[^1]}" : string.Join(", ", all);
        }
    }
}
