using System.Globalization;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>One fix as Clair would store it.</summary>
/// <param name="Release"><c>3.8</c> or <c>edge</c>: from the folder's name, not from the document.</param>
/// <param name="Repository"><c>main</c> or <c>community</c>.</param>
/// <param name="Package">Source package.</param>
/// <param name="Version">Version that fixes it; <c>0</c> where the package was never affected.</param>
/// <param name="Id">As given, for example <c>CVE-2099-10001</c>.</param>
public sealed record AlpineFix(string Release, string Repository, string Package, string Version, string Id);

/// <summary>Acts as Clair's <c>alpine</c> set (claircore:alpine/updater.go, fetcher.go, parser.go).</summary>
public sealed class AlpineUpdaters : ClairUpdaterSet<IReadOnlyDictionary<string, IReadOnlySet<AlpineFix>>>
{
    /// <summary>More HEAD requests in a row than releases can exist: Clair would go on for ever.</summary>
    private const int DiscoveryLimit = 300;

    private readonly ClairHttp _http;
    private readonly Uri _root;
    private readonly Dictionary<string, string> _fingerprints = new(StringComparer.Ordinal);
    private Dictionary<string, IReadOnlySet<AlpineFix>> _held = new(StringComparer.Ordinal);
    private List<Database> _current = [];
    private byte[] _stamp = [];
    private string _etag = string.Empty;

    internal AlpineUpdaters(ClairHttp http, ClairConfig config)
    {
        _http = http;
        _root = GoUrl.Parse(config.AlpineUrl.EndsWith('/') ? config.AlpineUrl : config.AlpineUrl + "/");
    }

    /// <inheritdoc/>
    public override string Name => "alpine";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, IReadOnlySet<AlpineFix>> Held => _held;

    /// <inheritdoc/>
    public override void Restart()
    {
        _current = [];
        _stamp = [];
        _etag = string.Empty;
    }

    private protected override async Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(
            HttpMethod.Get, GoUrl.Resolve(_root, "last-update"), cancellationToken, ("If-None-Match", _etag));
        switch ((int)response.StatusCode)
        {
            case 304:
                return ClairOutcome.Unchanged;
            case 200:
                break;
            default:
                throw ClairException.Failed($"alpine: unexpected status requesting `last-update`: {(int)response.StatusCode}");
        }

        var stamp = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        if (stamp.AsSpan().SequenceEqual(_stamp))
        {
            return ClairOutcome.Unchanged;
        }

        var found = new List<Database>();
        foreach (var release in (await DiscoverAsync(cancellationToken)).Append("edge"))
        {
            foreach (var repository in new[] { "main", "community" })
            {
                var url = GoUrl.Resolve(_root, GoPath.Join(release, repository + ".json"));
                using var head = await _http.SendAsync(HttpMethod.Head, url, cancellationToken);
                if ((int)head.StatusCode == 200)
                {
                    found.Add(new Database(release, repository, url));
                }
            }
        }

        _etag = ClairHttp.Header(response, "ETag");
        _stamp = stamp;
        _current = found;
        return ClairOutcome.Updated;
    }

    private protected override IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(
        CancellationToken cancellationToken) =>
        _current.Select(database => (database.Updater, (Func<Task<ClairOutcome>>)(() => UpdateAsync(database, cancellationToken))));

    private static HashSet<AlpineFix> Parse(Database database, byte[] body)
    {
        using var document = GoJson.Decode(body);
        var release = database.Release.TrimStart('v');
        var fixes = new HashSet<AlpineFix>();
        foreach (var package in GoJson.Items(document.RootElement, "packages"))
        {
            if (GoJson.Member(package, "pkg") is not { } details)
            {
                continue;
            }

            var name = GoJson.Text(details, "name");
            foreach (var (version, ids) in GoJson.Map(details, "secfixes"))
            {
                fixes.UnionWith(GoJson.Texts(ids).Select(id => new AlpineFix(release, database.Repository, name, version, id)));
            }
        }

        return fixes;
    }

    private async Task<List<string>> DiscoverAsync(CancellationToken cancellationToken)
    {
        var releases = new List<string>();
        var asked = 0;
        for (var major = 3; ; major++)
        {
            var foundInMajor = false;
            for (var minor = major == 3 ? 3 : 0; ; minor++)
            {
                if (++asked > DiscoveryLimit)
                {
                    throw ClairException.Hung(
                        "alpine: the search for releases finds no end: what is missing must answer 404");
                }

                var release = string.Create(CultureInfo.InvariantCulture, $"v{major}.{minor}");
                using var response = await _http.SendAsync(HttpMethod.Head, GoUrl.Resolve(_root, release + "/"), cancellationToken);
                if ((int)response.StatusCode == 200)
                {
                    foundInMajor = true;
                    releases.Add(release);
                }
                else if ((int)response.StatusCode == 404)
                {
                    if (!foundInMajor)
                    {
                        return releases;
                    }

                    break;
                }
            }
        }
    }

    private async Task<ClairOutcome> UpdateAsync(Database database, CancellationToken cancellationToken)
    {
        var fingerprint = _fingerprints.GetValueOrDefault(database.Updater, string.Empty);
        using var response = await _http.SendAsync(HttpMethod.Get, database.Url, cancellationToken, ("If-None-Match", fingerprint));
        var etag = ClairHttp.Header(response, "ETag");
        switch ((int)response.StatusCode)
        {
            case 304:
            case 200 when fingerprint.Length > 0 && fingerprint == etag:
                return ClairOutcome.Unchanged;
            case 200:
                break;
            default:
                throw ClairException.Failed($"alpine: http response error: {(int)response.StatusCode}");
        }

        var fixes = Parse(database, await response.Content.ReadAsByteArrayAsync(cancellationToken));
        _held = new(_held, StringComparer.Ordinal) { [database.Updater] = fixes };
        _fingerprints[database.Updater] = etag;
        return ClairOutcome.Updated;
    }

    private sealed record Database(string Release, string Repository, Uri Url)
    {
        public string Updater => $"alpine-{Repository}-{Release}-updater";
    }
}
