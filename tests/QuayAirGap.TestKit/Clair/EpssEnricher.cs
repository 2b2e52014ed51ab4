using System.Globalization;
using System.IO.Compression;
using System.Text;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>A CVE's score as claircore would store it.</summary>
/// <param name="Epss">From 0 to 1.</param>
/// <param name="Percentile">From 0 to 1.</param>
/// <param name="Model">For example <c>v2025.03.14</c>.</param>
/// <param name="Date">As given.</param>
public sealed record EpssScore(double Epss, double Percentile, string Model, string Date);

/// <summary>Acts as claircore's <c>clair.epss</c> set (claircore:enricher/epss/epss.go). Holds scores by CVE id.</summary>
public sealed class EpssEnricher : ClairUpdaterSet<IReadOnlyDictionary<string, EpssScore>>
{
    private readonly ClairHttp _http;
    private readonly ClairConfig _config;
    private readonly TimeProvider _time;
    private string _fingerprint = string.Empty;
    private Dictionary<string, EpssScore> _held = new(StringComparer.Ordinal);

    internal EpssEnricher(ClairHttp http, ClairConfig config, TimeProvider time)
    {
        _http = http;
        _config = config;
        _time = time;
    }

    /// <inheritdoc/>
    public override string Name => "clair.epss";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, EpssScore> Held => _held;

    /// <inheritdoc/>
    public override void Restart()
    {
        // All that it knows is in the database.
    }

    private protected override Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken) => Task.FromResult(ClairOutcome.Updated);

    private protected override IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(CancellationToken cancellationToken) =>
        [("clair.epss", () => UpdateAsync(cancellationToken))];

    private static Dictionary<string, EpssScore> Parse(string csv)
    {
        var end = csv.IndexOf('\n', StringComparison.Ordinal);
        if (end < 0)
        {
            throw ClairException.Failed("unable to read header line: EOF");
        }

        var about = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var field in GoCsv.Read(csv[..(end + 1)], 2).Single().Select(f => f.Trim()))
        {
            var pair = (field.StartsWith('#') ? field[1..] : field).Split(':', 2);
            about[pair[0]] = pair.Length == 2 ? pair[1] : throw ClairException.Failed($"unexpected metadata field format: {field}");
        }

        var (model, date) = (about.GetValueOrDefault("model_version", string.Empty), about.GetValueOrDefault("score_date", string.Empty));
        if (model.Length == 0 || date.Length == 0)
        {
            throw ClairException.Failed("missing metadata fields in record");
        }

        var scores = new Dictionary<string, EpssScore>(StringComparer.Ordinal);
        var isHeader = true;
        foreach (var record in GoCsv.Read(csv[(end + 1)..], 3).Where(r => !r[0].StartsWith('#')))
        {
            if (isHeader)
            {
                isHeader = record.SequenceEqual(["cve", "epss", "percentile"]) ? false : throw ClairException.Failed("unexpected CSV headers");
            }
            else if (double.TryParse(record[1], CultureInfo.InvariantCulture, out var epss)
                && double.TryParse(record[2], CultureInfo.InvariantCulture, out var percentile))
            {
                scores[record[0]] = new EpssScore(epss, percentile, model, date);
            }
        }

        return isHeader ? throw ClairException.Failed("unable to read header line: EOF") : scores;
    }

    private async Task<ClairOutcome> UpdateAsync(CancellationToken cancellationToken)
    {
        var url = _config.EpssUrl ?? string.Create(
            CultureInfo.InvariantCulture, $"https://epss.cyentia.com/epss_scores-{_time.GetUtcNow().AddDays(-1):yyyy-MM-dd}.csv.gz");
        if (!url.EndsWith(".gz", StringComparison.Ordinal))
        {
            throw ClairException.Failed($"invalid baseURL root: expected a '.gz' file, but got '{url}'");
        }

        using var response = await _http.SendAsync(HttpMethod.Get, GoUrl.Parse(url), cancellationToken);
        if ((int)response.StatusCode != 200)
        {
            throw ClairException.Failed($"unable to fetch file: unexpected status {(int)response.StatusCode}");
        }

        var etag = ClairHttp.Header(response, "ETag");
        if (etag.Length > 0 && etag == _fingerprint)
        {
            // It returns no body and no error, and the manager has it parse the body (claircore:libvuln/updates/manager.go).
            throw ClairException.Crashed("clair.epss: nil pointer dereference: the body is closed, and there is none");
        }

        await using var packed = await response.Content.ReadAsStreamAsync(cancellationToken);
        await using var gzip = new GZipStream(packed, CompressionMode.Decompress);
        using var csv = new MemoryStream();
        await gzip.CopyToAsync(csv, cancellationToken);
        _held = Parse(Encoding.UTF8.GetString(csv.ToArray()));
        _fingerprint = etag;
        return ClairOutcome.Updated;
    }
}
