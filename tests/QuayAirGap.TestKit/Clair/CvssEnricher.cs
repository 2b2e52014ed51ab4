using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// Acts as Clair's <c>clair.cvss</c> set (claircore:enricher/cvss). Holds by CVE id the CVSS record that Clair would store: the first
/// primary one of version 3.1, else of 3.0, as compact JSON.
/// </summary>
public sealed class CvssEnricher : ClairUpdaterSet<IReadOnlyDictionary<string, string>>
{
    private const int FirstYear = 2002;

    private readonly ClairHttp _http;
    private readonly TimeProvider _time;
    private readonly string _feedRoot;
    private Dictionary<int, string> _fingerprint = [];
    private Dictionary<string, string> _held = new(StringComparer.Ordinal);

    internal CvssEnricher(ClairHttp http, ClairConfig config, TimeProvider time)
    {
        _http = http;
        _time = time;
        _feedRoot = config.CvssFeedRoot;
    }

    /// <inheritdoc/>
    public override string Name => "clair.cvss";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Held => _held;

    /// <inheritdoc/>
    public override void Restart()
    {
        // All that it knows is in the database.
    }

    private protected override Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken) => Task.FromResult(ClairOutcome.Updated);

    private protected override IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(CancellationToken cancellationToken) =>
        [("clair.cvss", () => UpdateAsync(cancellationToken))];

    /// <summary>The hash, upper case; empty where there is none. The last line counts only if it has an end; the status is not looked at.</summary>
    private static string Hash(string meta)
    {
        var hash = string.Empty;
        foreach (var line in meta.Split('\n')[..^1].Select(l => l.Trim()))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var value = colon < 0 ? string.Empty : line[(colon + 1)..];
            switch (colon < 0 ? string.Empty : line[..colon])
            {
                case "lastModifiedDate":
                    _ = GoTime.Rfc3339(value);
                    break;
                case "size" or "zipSize" or "gzSize":
                    _ = long.Parse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
                    break;
                case "sha256":
                    hash = value;
                    break;
            }
        }

        return hash.ToUpperInvariant();
    }

    private static void Take(byte[] feed, Dictionary<string, string> records)
    {
        using var document = GoJson.Decode(feed);
        var root = document.RootElement;
        if (GoJson.Member(root, "totalResults") is { } total && total.GetInt64() < 0)
        {
            throw ClairException.Crashed("makeslice: cap out of range");
        }

        if (!GoJson.Map(root).Any(m => m.Key.Equals("vulnerabilities", StringComparison.OrdinalIgnoreCase)))
        {
            throw ClairException.Failed("unable to process item feed: unexpected end of JSON input");
        }

        foreach (var item in GoJson.Items(root, "vulnerabilities"))
        {
            var cve = GoJson.Member(item, "cve");
            var id = cve is { } c ? GoJson.Text(c, "id") : string.Empty;
            var status = cve is { } v ? GoJson.Text(v, "vulnStatus") : string.Empty;
            var metrics = cve is { } m ? GoJson.Member(m, "metrics") : null;
            var all = metrics is { } known ? GoJson.Items(known, "cvssMetricV31").Concat(GoJson.Items(known, "cvssMetricV30")).ToArray() : [];
            var types = all.Select(metric => GoJson.Text(metric, "type")).ToArray();
            if (status.Equals("Rejected", StringComparison.OrdinalIgnoreCase) || Array.IndexOf(types, "Primary") is not (>= 0 and var primary))
            {
                continue;
            }

            // A primary record without data ends the search, and there is nothing to store.
            if (GoJson.Map(all[primary]).LastOrDefault(p => p.Key.Equals("cvssData", StringComparison.OrdinalIgnoreCase)) is { Key: not null } data)
            {
                records[id] = JsonSerializer.Serialize(data.Value);
            }
        }
    }

    private async Task<ClairOutcome> UpdateAsync(CancellationToken cancellationToken)
    {
        if (!_feedRoot.EndsWith('/'))
        {
            throw ClairException.Failed($"URL missing trailing slash: \"{_feedRoot}\"");
        }

        var root = GoUrl.Parse(_feedRoot);
        int[] years = [.. Enumerable.Range(FirstYear, _time.GetUtcNow().Year - FirstYear + 1)];
        var current = new Dictionary<int, string>();
        foreach (var year in years)
        {
            using var response = await _http.SendAsync(HttpMethod.Get, GoUrl.Resolve(root, $"nvdcve-2.0-{year}.meta"), cancellationToken);
            current[year] = Hash(Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken)));
        }

        if (years.All(year => _fingerprint.GetValueOrDefault(year, string.Empty) == current[year]))
        {
            return ClairOutcome.Unchanged;
        }

        var records = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var year in years)
        {
            using var response = await _http.SendAsync(HttpMethod.Get, GoUrl.Resolve(root, $"nvdcve-2.0-{year}.json.gz"), cancellationToken);
            await using var packed = await response.Content.ReadAsStreamAsync(cancellationToken);
            await using var gzip = new GZipStream(packed, CompressionMode.Decompress);
            using var feed = new MemoryStream();
            await gzip.CopyToAsync(feed, cancellationToken);
            Take(feed.ToArray(), records);
        }

        _held = records;
        _fingerprint = current;
        return ClairOutcome.Updated;
    }
}
