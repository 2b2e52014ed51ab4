using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace QuayAirGap.Core.Clair;

/// <summary>
/// Asks a mirror as each updater would that the configuration runs, up to the point at which feeds would be transferred: what stops an
/// updater is found before Clair is restarted. The rules are those of claircore's updaters, named at each.
/// </summary>
public sealed partial class MirrorProbe : IDisposable
{
    private const string Failed = "Clair logs it at most, keeps what it had or has nothing, and images look clean.";

    private readonly ClairConfiguration _configuration;
    private readonly ClairRelease _release;
    private readonly int _year;
    private readonly MirrorClient _client = new();
    private readonly List<AirGapFinding> _found = [];

    /// <param name="configuration">What Clair would start with.</param>
    /// <param name="release">Its release.</param>
    /// <param name="year">Today's year.</param>
    public MirrorProbe(ClairConfiguration configuration, ClairRelease release, int year)
    {
        _configuration = configuration;
        _release = release;
        _year = year;
    }

    /// <summary>Every requests' trouble, set by set; one set's trouble does not stop the others.</summary>
    /// <param name="report">Told which set is asked for.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    public async Task<IReadOnlyList<AirGapFinding>> AskAsync(Action<string> report, CancellationToken cancellationToken)
    {
        (string Name, Func<CancellationToken, Task> Ask)[] all =
        [
            ("alpine", AlpineAsync), ("clair.cvss", CvssAsync), ("debian", DebianAsync), ("oracle", OracleAsync), ("osv", OsvAsync), ("photon", PhotonAsync),
            ("rhel-vex", RhelVexAsync), ("suse", SuseAsync), ("ubuntu", UbuntuAsync),
        ];
        string[]? sets = _configuration.Find("updaters", "sets") is JsonArray list ? [.. list.Select(Text).OfType<string>()] : null;
        foreach ((string name, Func<CancellationToken, Task> ask) in all.Where(a => sets is null || sets.Contains(a.Name)).Append(("mappings", MappingsAsync)))
        {
            report(name);
            try
            {
                await ask(cancellationToken).ConfigureAwait(false);
            }
            catch (FeedException e)
            {
                Add("MirrorUnreachable", name, e.Message, $"{name} gets nothing. {Failed}", "See that the mirror runs and can be reached from here: quayairgap serve.");
            }
            catch (UriFormatException e)
            {
                Add("MirrorAddress", name, $"The address of {name} is none: {e.Message}", Failed);
            }
        }

        return _found;
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    /// <summary>alpine/updater.go: discovery goes upwards from v3.3 and ends at a 404; anything else but 200 never ends.</summary>
    private async Task AlpineAsync(CancellationToken cancellationToken)
    {
        if (Url("alpine", "url") is not { } written)
        {
            return;
        }

        var root = new Uri(written.TrimEnd('/') + "/");
        await NeedAsync("alpine", new Uri(root, "last-update"), cancellationToken).ConfigureAwait(false);
        await NeedAsync("alpine", new Uri(root, "v3.3/"), cancellationToken, "discovery begins here: without it no release is found").ConfigureAwait(false);
        await NeedAsync("alpine", new Uri(root, "edge/main.json"), cancellationToken).ConfigureAwait(false);
        var missing = new Uri(root, "v3.999/");
        HttpStatusCode status = await _client.HeadAsync(missing, cancellationToken).ConfigureAwait(false);
        if (status != HttpStatusCode.NotFound)
        {
            Add(
                "MirrorEndless", missing.AbsoluteUri, $"A release that does not exist is answered with {(int)status} and not with 404.",
                "Clair asks for the next one and the next, for ever, and no other feed is updated any more (M7).", "Serve it with quayairgap, or make the web server answer 404.");
        }
    }

    /// <summary>debian/updater.go: the listing must be HTML with relative links in double quotes.</summary>
    private async Task DebianAsync(CancellationToken cancellationToken)
    {
        if (Url("debian", "mirror_url") is { } mirror)
        {
            var dists = new Uri(new Uri(new Uri(mirror), "debian/"), "dists/");
            if (await GetAsync("debian", dists, cancellationToken).ConfigureAwait(false) is { } listing && !Link().Matches(listing.Text).Any(m => IsRelease(m.Groups[1].Value)))
            {
                Add(
                    "MirrorListing", dists.AbsoluteUri, "The listing has no relative link to a release, in double quotes and lower case.",
                    "Clair finds no release and drops every advisory of Debian without an error (M8).", "Serve it with quayairgap.");
            }
        }

        if (Url("debian", "json_url") is { } json)
        {
            await NeedAsync("debian", new Uri(json), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>updater/osv/osv.go: the list is at the host's root, and must not have an ETag.</summary>
    private async Task OsvAsync(CancellationToken cancellationToken)
    {
        if (Url("osv", "url") is not { } written)
        {
            return;
        }

        var list = new Uri(new Uri(written), "/ecosystems.txt");
        if (await GetAsync("osv", list, cancellationToken).ConfigureAwait(false) is not { } answer)
        {
            return;
        }

        if (answer.ETag is not null)
        {
            Add(
                "MirrorFreezesOsv", list.AbsoluteUri, "The list of ecosystems has an ETag.",
                "Clair takes a 304 for an empty list, and no OSV feed is updated any more until it is restarted (M4).", "Serve it with quayairgap, which sends none.");
        }

        JsonArray? allowed = _configuration.Find("updaters", "config", "osv", "allowlist") as JsonArray;
        foreach (Sources.Osv.OsvEcosystem ecosystem in Sources.Osv.OsvEcosystems.Parse(new StringReader(answer.Text))
            .Where(e => allowed is null || allowed.Any(a => string.Equals(Text(a), e.Key, StringComparison.OrdinalIgnoreCase))))
        {
            if (ecosystem.ArchiveUnder(new Uri(written.TrimEnd('/') + "/")) is { } archive)
            {
                await NeedAsync("osv", archive, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>rhel/vex/fetcher.go.</summary>
    private async Task RhelVexAsync(CancellationToken cancellationToken)
    {
        if (Url("rhel-vex", "url") is not { } written)
        {
            return;
        }

        var root = new Uri(written);
        var latest = new Uri(root, "archive_latest.txt");
        foreach (string name in new[] { "changes.csv", "deletions.csv" })
        {
            await NeedAsync("rhel-vex", new Uri(root, name), cancellationToken, "it must be there even when it is empty").ConfigureAwait(false);
        }

        if (await GetAsync("rhel-vex", latest, cancellationToken).ConfigureAwait(false) is not { } answer)
        {
            return;
        }

        if (answer.Text.Trim() != answer.Text && _release == ClairRelease.V490)
        {
            Add(
                "MirrorNewline", latest.AbsoluteUri, "The name of the archive ends in a line break.",
                $"Clair {_release.Name} takes it for part of the address and reads nothing of Red Hat (M2).", "Serve it with quayairgap.");
        }

        var archive = new Uri(root, answer.Text.Trim());
        (HttpStatusCode status, DateTimeOffset? modified) = await _client.HeadersAsync(archive, cancellationToken).ConfigureAwait(false);
        if (status != HttpStatusCode.OK || modified is null)
        {
            Add(
                "MirrorStatus", archive.AbsoluteUri, status == HttpStatusCode.OK ? "The archive has no Last-Modified." : $"The archive is answered with {(int)status}.",
                $"A Clair without data of Red Hat needs both (M2). {Failed}", "Import the newest bundle, and serve it with quayairgap.");
        }
    }

    private async Task OracleAsync(CancellationToken cancellationToken)
    {
        for (int year = 2007; year <= _year; year++)
        {
            await UpdaterAsync("oracle", $"oracle-{year}-updater", cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task PhotonAsync(CancellationToken cancellationToken)
    {
        foreach (string name in _release.PhotonUpdaters)
        {
            await UpdaterAsync("photon", name, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>suse/factory.go: one anchor for each file, or the whole set fails.</summary>
    private async Task SuseAsync(CancellationToken cancellationToken)
    {
        if (Url("suse", "url") is not { } written)
        {
            return;
        }

        var root = new Uri(written.TrimEnd('/') + "/");
        if (await GetAsync("suse", root, cancellationToken).ConfigureAwait(false) is not { } listing)
        {
            return;
        }

        string[] links = [.. Anchor().Matches(listing.Text).Select(m => m.Groups[1].Value).Where(h => SuseFile().IsMatch(h))];
        if (links.Length == 0 || links.Select(h => SuseFile().Match(h).Value).Distinct().Count() != links.Length)
        {
            Add(
                "MirrorListing", root.AbsoluteUri, links.Length == 0 ? "The listing has no release of SUSE." : "The listing has several links to one file.",
                "The whole of SUSE fails without an error that anything counts (M9).", "Serve it with quayairgap.");
        }

        foreach (string link in links.Distinct())
        {
            await NeedAsync("suse", new Uri(root, link), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>ubuntu/updaterset.go.</summary>
    private async Task UbuntuAsync(CancellationToken cancellationToken)
    {
        if (Url("ubuntu", "url") is not { } written)
        {
            return;
        }

        var series = new Uri(new Uri(written), "ubuntu/series");
        if (await GetAsync("ubuntu", series, cancellationToken).ConfigureAwait(false) is not { } answer)
        {
            return;
        }

        JsonArray? entries = Entries(answer.Text);
        if (entries is null)
        {
            Add("MirrorContent", series.AbsoluteUri, "This is no list of Ubuntu's releases.", $"The whole of Ubuntu fails. {Failed}", "Import the newest bundle.");
            return;
        }

        string[] active = [.. entries.Where(e => e?["active"] is JsonValue v && v.TryGetValue(out bool on) && on).Select(e => Text(e?["name"]) ?? "?")];
        if (active.Length > 0)
        {
            Add(
                "MirrorContent", series.AbsoluteUri, $"The list says of {string.Join(", ", active)} that they are active.",
                "Clair asks security-metadata.canonical.com for each, whatever is configured, and the whole of Ubuntu fails (M10).", "Serve it with quayairgap.");
        }

        foreach (JsonNode? forced in _configuration.Find("updaters", "config", "ubuntu", "force") as JsonArray ?? [])
        {
            if (Text(forced?["version"]) is { } version && !entries.Any(e => Text(e?["version"]) == version))
            {
                Add("ForcedReleaseUnknown", series.AbsoluteUri, $"The list has no {version}, which is forced.", "Clair ends at once (M10).");
            }

            if (Text(forced?["name"]) is { } name)
            {
                await UpdaterAsync("ubuntu", $"ubuntu/updater/{name}", cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>enricher/cvss/cvss.go: one year without its files, this one too, fails all.</summary>
    private async Task CvssAsync(CancellationToken cancellationToken)
    {
        if (Url("clair.cvss", "feed_root") is not { } written)
        {
            return;
        }

        for (int year = 2002; year <= _year; year++)
        {
            var meta = new Uri(new Uri(written), $"nvdcve-2.0-{year}.meta");
            if (await GetAsync("clair.cvss", meta, cancellationToken).ConfigureAwait(false) is { } answer && !Digest().IsMatch(answer.Text))
            {
                Add("MirrorContent", meta.AbsoluteUri, "There is no line 'sha256:' with a line break behind it.", $"All of CVSS fails (M12). {Failed}", "Import the newest bundle.");
            }

            await NeedAsync("clair.cvss", new Uri(new Uri(written), $"nvdcve-2.0-{year}.json.gz"), cancellationToken, "one missing year fails all (M12)").ConfigureAwait(false);
        }
    }

    private async Task MappingsAsync(CancellationToken cancellationToken)
    {
        string[][] places =
        [
            ["indexer", "scanner", "repo", "rhel-repository-scanner", "repo2cpe_mapping_url"],
            ["indexer", "scanner", "package", "rhel_containerscanner", "name2repos_mapping_url"],
        ];
        foreach (string url in places.Select(p => Text(_configuration.Find(p))).OfType<string>())
        {
            await NeedAsync("mappings", new Uri(url), cancellationToken, "without it images cannot be indexed (M18)").ConfigureAwait(false);
        }
    }

    private async Task UpdaterAsync(string set, string updater, CancellationToken cancellationToken)
    {
        if (Url(updater, "url") is { } url)
        {
            await NeedAsync(set, new Uri(url), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task NeedAsync(string set, Uri uri, CancellationToken cancellationToken, string? because = null)
    {
        HttpStatusCode status = await _client.HeadAsync(uri, cancellationToken).ConfigureAwait(false);
        if (status != HttpStatusCode.OK)
        {
            AddStatus(set, uri, status, because);
        }
    }

    private async Task<MirrorAnswer?> GetAsync(string set, Uri uri, CancellationToken cancellationToken)
    {
        MirrorAnswer answer = await _client.GetAsync(uri, null, cancellationToken).ConfigureAwait(false);
        if (answer.Status == HttpStatusCode.OK)
        {
            return answer;
        }

        AddStatus(set, uri, answer.Status, null);
        return null;
    }

    private void AddStatus(string set, Uri uri, HttpStatusCode status, string? because) => Add(
        "MirrorStatus", uri.AbsoluteUri, $"{set} is answered with {(int)status}{(because is null ? "" : ": " + because)}.", Failed,
        $"Collect and import {set}; Get-ClairFeed says what is published.");

    private void Add(string id, string where, string what, string why, string remedy = "Set-ClairAirGap -Mode Mirror writes the addresses anew.") =>
        _found.Add(new AirGapFinding(id, FindingSeverity.Error, where, what, why, remedy));

    private string? Url(string entry, string key) => Text(_configuration.Find("updaters", "config", entry, key));

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static JsonArray? Entries(string json)
    {
        try
        {
            return JsonNode.Parse(json)?["entries"] as JsonArray;
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>What Clair's own filter lets through.</summary>
    private static bool IsRelease(string link) =>
        link.Length > 0 && link[0] is not ('/' or '?') && link != "../"
        && !((string[])["-", "Debian", "sid", "stable", "testing", "experimental", "README", "updates", "backports"]).Any(w => link.Contains(w, StringComparison.Ordinal));

    [GeneratedRegex("href=\"([^\"]+)\"", RegexOptions.CultureInvariant)]
    private static partial Regex Link();

    [GeneratedRegex("""<a\s[^>]*href\s*=\s*["']?([^"'\s>]+)""", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Anchor();

    [GeneratedRegex(@"(?:suse\.linux\.enterprise\.server\.[1-9][1-9]|opensuse\.leap\.1[0-9]\.[0-9]+)\.xml\.gz", RegexOptions.CultureInvariant)]
    private static partial Regex SuseFile();

    [GeneratedRegex("^sha256:[0-9A-Fa-f]{64}\r?\n", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Digest();
}
