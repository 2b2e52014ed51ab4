using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// Acts as Clair's <c>osv</c> set (claircore:updater/osv/osv.go). Holds per ecosystem (lower case, as in Clair's updater names) the
/// advisories by id, each with the SHA-256 (lower-case hexadecimal) of its document. Withdrawn advisories and those that affect no
/// versions are left out, as by Clair; a version range that ends before it begins is not recognised here.
/// </summary>
public sealed class OsvUpdaters : ClairUpdaterSet<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>>
{
    private static readonly HashSet<string> s_ignored = new(StringComparer.Ordinal)
    {
        "almalinux", "alpine", "android", "chainguard", "debian", "github actions", "linux", "opensuse", "oss-fuzz", "red hat",
        "rocky linux", "suse", "ubuntu", "wolfi",
    };

    private readonly ClairHttp _http;
    private readonly ClairConfig _config;
    private readonly TimeProvider _time;
    private readonly Uri _root;
    private readonly Dictionary<string, string> _fingerprints = new(StringComparer.Ordinal);
    private Dictionary<string, IReadOnlyDictionary<string, string>> _held = new(StringComparer.Ordinal);
    private List<(string Ecosystem, Uri Url)> _current = [];
    private string _etag = string.Empty;

    internal OsvUpdaters(ClairHttp http, ClairConfig config, TimeProvider time)
    {
        _http = http;
        _config = config;
        _time = time;
        _root = GoUrl.Parse(config.OsvUrl);
    }

    /// <inheritdoc/>
    public override string Name => "osv";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Held => _held;

    /// <inheritdoc/>
    public override void Restart() => _etag = string.Empty;

    private protected override async Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken)
    {
        _current = [];
        var list = new UriBuilder(_root) { Path = "/ecosystems.txt" }.Uri;
        using var response = await _http.SendAsync(
            HttpMethod.Get, list, cancellationToken, ("Accept", "text/plain"), ("If-None-Match", _etag));
        switch ((int)response.StatusCode)
        {
            case 304:
                // The set stays empty: no archive is asked for.
                return ClairOutcome.Unchanged;
            case 200:
                break;
            default:
                throw ClairException.Failed($"osv: unexpected response from \"{list}\": {(int)response.StatusCode}");
        }

        // Clair keeps the tag even where the body breaks off, and is then frozen by it.
        _etag = ClairHttp.Header(response, "ETag");
        var text = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in Lines(text))
        {
            var ecosystem = line.ToLowerInvariant().Split(':')[0];
            if (seen.Add(ecosystem) && !s_ignored.Contains(ecosystem) && IsAllowed(ecosystem))
            {
                _current.Add((ecosystem, GoUrl.JoinPath(_root, line, "all.zip")));
            }
        }

        return ClairOutcome.Updated;
    }

    private protected override IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(
        CancellationToken cancellationToken) =>
        _current.Select(e => ("osv/" + e.Ecosystem, (Func<Task<ClairOutcome>>)(() => UpdateAsync(e.Ecosystem, e.Url, cancellationToken))));

    private static IEnumerable<string> Lines(string text)
    {
        var lines = text.Split('\n');
        var count = lines[^1].Length == 0 ? lines.Length - 1 : lines.Length;
        return lines.Take(count).Select(line => line.EndsWith('\r') ? line[..^1] : line);
    }

    private bool IsAllowed(string ecosystem) =>
        _config.OsvAllowlist is not { Count: > 0 } allowed || allowed.Contains(ecosystem, StringComparer.OrdinalIgnoreCase);

    private async Task<ClairOutcome> UpdateAsync(string ecosystem, Uri url, CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(
            HttpMethod.Get,
            url,
            cancellationToken,
            ("Accept", "application/zip"),
            ("If-None-Match", _fingerprints.GetValueOrDefault(ecosystem, string.Empty)));
        switch ((int)response.StatusCode)
        {
            case 304:
                return ClairOutcome.Unchanged;
            case 200:
                break;
            default:
                throw ClairException.Failed($"osv: unexpected response from \"{url}\": {(int)response.StatusCode}");
        }

        var etag = ClairHttp.Header(response, "ETag");
        await using var spool = await Spool.CreateAsync(response.Content, cancellationToken);
        var advisories = Parse(spool);
        _held = new(_held, StringComparer.Ordinal) { [ecosystem] = advisories };
        _fingerprints[ecosystem] = etag;
        return ClairOutcome.Updated;
    }

    private Dictionary<string, string> Parse(Stream zip)
    {
        var now = _time.GetUtcNow();
        var advisories = new Dictionary<string, string>(StringComparer.Ordinal);
        using var archive = new ZipArchive(zip, ZipArchiveMode.Read, leaveOpen: true);
        foreach (var entry in archive.Entries)
        {
            using var member = entry.Open();
            using var bytes = new MemoryStream();
            member.CopyTo(bytes);
            var json = bytes.GetBuffer().AsSpan(0, (int)bytes.Length);
            if (OsvAdvisory.Ingest(json, _config.Release, now) is { } id)
            {
                advisories[id] = Convert.ToHexStringLower(SHA256.HashData(json));
            }
        }

        return advisories;
    }
}
