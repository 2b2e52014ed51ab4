using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>One row of the tracker as Clair would store it.</summary>
/// <param name="Codename">A release that the mirror lists.</param>
/// <param name="Package">Source package.</param>
/// <param name="Id">As given, for example <c>CVE-2099-10001</c>.</param>
/// <param name="FixedVersion">Empty where there is none.</param>
/// <param name="Urgency">As given.</param>
public sealed record DebianRow(string Codename, string Package, string Id, string FixedVersion, string Urgency);

/// <summary>What Clair holds of Debian.</summary>
/// <param name="Releases">Codename to major version: what this process has learnt of the mirror so far.</param>
/// <param name="Rows">The rows whose release was known when the tracker was parsed; all others were dropped without a word.</param>
public sealed record DebianHeld(IReadOnlyDictionary<string, int> Releases, IReadOnlySet<DebianRow> Rows);

/// <summary>Acts as Clair's <c>debian</c> set (claircore:debian/updater.go, parser.go, releases.go).</summary>
public sealed partial class DebianUpdater : ClairUpdaterSet<DebianHeld>
{
    private static readonly string[] s_noCodename =
        ["-", "Debian", "sid", "stable", "testing", "experimental", "README", "updates", "backports"];

    private readonly ClairHttp _http;
    private readonly Uri _dists;
    private readonly Uri _json;
    private string _fingerprint = string.Empty;
    private DebianHeld _held = new(new Dictionary<string, int>(StringComparer.Ordinal), new HashSet<DebianRow>());

    internal DebianUpdater(ClairHttp http, ClairConfig config)
    {
        _http = http;
        _dists = GoUrl.Resolve(GoUrl.Resolve(GoUrl.Parse(config.DebianMirrorUrl), "debian/"), "dists/");
        _json = GoUrl.Parse(config.DebianJsonUrl);
    }

    /// <inheritdoc/>
    public override string Name => "debian";

    /// <inheritdoc/>
    public override DebianHeld Held => _held;

    /// <inheritdoc/>
    public override void Restart() => _held = _held with { Releases = new Dictionary<string, int>(StringComparer.Ordinal) };

    private protected override async Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(HttpMethod.Get, _dists, cancellationToken);
        if ((int)response.StatusCode != 200)
        {
            throw ClairException.Failed($"debian: unexpected status fetching \"{_dists}\": {(int)response.StatusCode}");
        }

        var listing = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        foreach (var href in Href().Matches(listing).Select(m => m.Groups[1].Value))
        {
            if (href[0] is '/' or '?' || s_noCodename.Any(part => href.Contains(part, StringComparison.Ordinal)))
            {
                continue;
            }

            var codename = href.Trim('/');
            if (await MajorVersionAsync(codename, cancellationToken) is { } version && !_held.Releases.ContainsKey(codename))
            {
                var releases = new Dictionary<string, int>(_held.Releases, StringComparer.Ordinal) { [codename] = version };
                _held = _held with { Releases = releases };
            }
        }

        return ClairOutcome.Updated;
    }

    private protected override IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(
        CancellationToken cancellationToken) =>
        [("debian/updater", () => UpdateAsync(cancellationToken))];

    [GeneratedRegex("href=\"([^\"]+)\"", RegexOptions.CultureInvariant)]
    private static partial Regex Href();

    private static async Task<byte[]> ReadAsFarAsPossibleAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        try
        {
            await response.Content.CopyToAsync(bytes, cancellationToken);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            // Clair does not look at this error: it takes a Release file that broke off for a whole one.
        }

        return bytes.ToArray();
    }

    private async Task<int?> MajorVersionAsync(string codename, CancellationToken cancellationToken)
    {
        if (!GoUrl.TryResolve(_dists, GoPath.Join(codename, "Release"), out var release) || release.Host.Length == 0)
        {
            return null;
        }

        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(HttpMethod.Get, release, cancellationToken, ("Range", "bytes=0-512"));
        }
        catch (HttpRequestException)
        {
            // Logged and passed over: the release is missing from then on, and nothing fails.
            return null;
        }

        using (response)
        {
            var head = await ReadAsFarAsPossibleAsync(response, cancellationToken);
            return (int)response.StatusCode is 200 or 206
                && GoMimeHeader.TryRead(head, out var fields)
                && fields.TryGetValue("Version", out var version)
                && version.Split('.') is [var major, _, ..]
                && int.TryParse(major, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                    ? number
                    : null;
        }
    }

    private async Task<ClairOutcome> UpdateAsync(CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(HttpMethod.Get, _json, cancellationToken, ("If-Modified-Since", _fingerprint));
        var lastModified = ClairHttp.Header(response, "Last-Modified");
        switch ((int)response.StatusCode)
        {
            case 304:
            case 200 when _fingerprint.Length > 0 && _fingerprint == lastModified:
                return ClairOutcome.Unchanged;
            case 200:
                break;
            default:
                throw ClairException.Failed($"debian: unexpected response: {(int)response.StatusCode}");
        }

        _held = _held with { Rows = Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken)) };
        _fingerprint = lastModified;
        return ClairOutcome.Updated;
    }

    private HashSet<DebianRow> Parse(byte[] body)
    {
        using var tracker = GoJson.Decode(body);
        var rows = new HashSet<DebianRow>();
        foreach (var (package, advisories) in GoJson.Map(tracker.RootElement))
        {
            foreach (var (id, advisory) in GoJson.Map(advisories))
            {
                if (advisory.ValueKind == JsonValueKind.Null)
                {
                    throw ClairException.Crashed($"debian: nil pointer dereference at {package}/{id}");
                }

                _ = GoJson.Text(advisory, "description");
                foreach (var (codename, release) in GoJson.Map(advisory, "releases"))
                {
                    _ = GoJson.Text(release, "status");
                    var row = new DebianRow(codename, package, id, GoJson.Text(release, "fixed_version"), GoJson.Text(release, "urgency"));
                    if (_held.Releases.ContainsKey(codename))
                    {
                        rows.Add(row);
                    }
                }
            }
        }

        return rows;
    }
}
