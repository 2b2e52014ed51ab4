using System.Globalization;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// Acts as Clair's <c>ubuntu</c> set (claircore:ubuntu/updaterset.go, updater.go): the series that Launchpad calls active and a fixed host
/// has a document of, and whatever the configuration forces.
/// </summary>
public sealed class UbuntuUpdaters : OvalUpdaterSet
{
    private readonly ClairConfig _config;
    private readonly Uri _series;
    private Dictionary<string, string> _distributions = new(StringComparer.Ordinal);
    private List<Updater> _current = [];

    internal UbuntuUpdaters(ClairHttp http, ClairConfig config)
        : base(http)
    {
        _config = config;
        _series = GoUrl.Resolve(GoUrl.Parse(config.UbuntuUrl), "ubuntu/series");
    }

    /// <inheritdoc/>
    public override string Name => "ubuntu";

    /// <inheritdoc/>
    public override void Restart() => _distributions = new Dictionary<string, string>(StringComparer.Ordinal);

    private protected override async Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken)
    {
        _current = [];
        using var response = await Http.SendAsync(HttpMethod.Get, _series, cancellationToken, ("TE", "gzip"), ("Accept", "application/json"));
        if ((int)response.StatusCode != 200)
        {
            throw ClairException.Failed($"ubuntu: unexpected status requesting \"{_series}\": {(int)response.StatusCode}");
        }

        using var document = GoJson.Decode(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        var found = new List<Updater>();
        foreach (var entry in GoJson.Items(document.RootElement, "entries"))
        {
            var (name, version) = (GoJson.Text(entry, "name"), GoJson.Text(entry, "version"));
            _distributions.TryAdd(version, "ubuntu " + version);
            if (GoJson.Member(entry, "active")?.GetBoolean() == true && await InspectAsync(name, version, cancellationToken) is { } updater)
            {
                Add(found, updater);
            }
        }

        foreach (var (name, version) in _config.UbuntuForce.Where(f => !found.Exists(u => u.Name == f.Name)))
        {
            found.Add(new Updater(name, version, new Uri(FixedUrl(name) + ".bz2"), UsesBzip2: true));
        }

        _current = found;
        return ClairOutcome.Updated;
    }

    private protected override IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(CancellationToken cancellationToken) =>
        _current.Select(u => ("ubuntu/updater/" + u.Name, (Func<Task<ClairOutcome>>)(() => UpdateAsync(Configured(u), cancellationToken))));

    private static void Add(List<Updater> found, Updater updater)
    {
        if (found.Exists(u => u.Name == updater.Name))
        {
            throw ClairException.Failed($"ubuntu: updater already exists: {updater.Name}");
        }

        found.Add(updater);
    }

    /// <summary>Not to be configured in Clair. Its https is answered as http here, where a server stands in for all hosts.</summary>
    private string FixedUrl(string name) =>
        $"{(_config.AllHostsAt is null ? "https" : "http")}://security-metadata.canonical.com/oval/com.ubuntu.{name}.cve.oval.xml";

    private Updater Configured(Updater updater) => _config.UbuntuUpdaterUrl is { } url
        ? updater with { Url = GoUrl.Parse(url(updater.Name)), UsesBzip2 = true }
        : updater;

    private async Task<Updater?> InspectAsync(string name, string version, CancellationToken cancellationToken)
    {
        var url = new Uri(FixedUrl(name));
        using var response = await Http.SendAsync(HttpMethod.Head, url, cancellationToken, ("Accept", "application/x-bzip2,application/xml;q=0.9"));
        switch ((int)response.StatusCode)
        {
            case 200:
                break;
            case 404:
                return null;
            default:
                throw ClairException.Failed($"ubuntu: unexpected status requesting \"{url}\": {(int)response.StatusCode}");
        }

        var usesBzip2 = ClairHttp.Header(response, "Content-Type").Equals("application/x-bzip2", StringComparison.OrdinalIgnoreCase);
        return new Updater(name, version, GoUrl.Resolve(response.RequestMessage!.RequestUri!, ClairHttp.Header(response, "Content-Location")), usesBzip2);
    }

    private async Task<ClairOutcome> UpdateAsync(Updater updater, CancellationToken cancellationToken)
    {
        var name = "ubuntu/updater/" + updater.Name;
        var fingerprint = Fingerprint(name).ETag;
        using var response = await Http.SendAsync(HttpMethod.Get, updater.Url, cancellationToken, ("If-None-Match", fingerprint));
        var etag = ClairHttp.Header(response, "ETag");
        switch ((int)response.StatusCode)
        {
            case 304:
            case 200 when fingerprint.Length > 0 && fingerprint == etag:
                return ClairOutcome.Unchanged;
            case 200:
                break;
            default:
                throw ClairException.Failed(string.Create(CultureInfo.InvariantCulture, $"ubuntu: unexpected response: {(int)response.StatusCode}"));
        }

        var packed = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        var document = OvalDocument.Parse(Unpack(packed, updater.UsesBzip2 ? "bzip2" : "none"));
        Store(name, new HashSet<OvalRow>(document.DpkgRows(() => LookUp(updater.Version))), (etag, string.Empty));
        return ClairOutcome.Updated;
    }

    private string LookUp(string version) => _distributions.TryGetValue(version, out var distribution)
        ? distribution
        : throw ClairException.Crashed($"panic: programmer error: unknown key \"{version}\"");

    private sealed record Updater(string Name, string Version, Uri Url, bool UsesBzip2);
}
