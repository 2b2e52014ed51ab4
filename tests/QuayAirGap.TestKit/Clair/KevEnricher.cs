using System.Text.Json;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// Acts as claircore's <c>clair.kev</c> set (claircore:enricher/kev). Holds by CVE id what it would store, as compact JSON.
/// </summary>
public sealed class KevEnricher : ClairUpdaterSet<IReadOnlyDictionary<string, string>>
{
    private readonly ClairHttp _http;
    private readonly Uri _feed;
    private string _fingerprint = string.Empty;
    private Dictionary<string, string> _held = new(StringComparer.Ordinal);

    internal KevEnricher(ClairHttp http, ClairConfig config)
    {
        _http = http;
        _feed = GoUrl.Parse(config.KevUrl);
    }

    /// <inheritdoc/>
    public override string Name => "clair.kev";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Held => _held;

    /// <inheritdoc/>
    public override void Restart()
    {
        // All that it knows is in the database.
    }

    private protected override Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken) => Task.FromResult(ClairOutcome.Updated);

    private protected override IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(CancellationToken cancellationToken) =>
        [("clair.kev", () => UpdateAsync(cancellationToken))];

    private static Dictionary<string, string> Parse(byte[] body)
    {
        using var document = GoJson.Decode(body);
        var root = document.RootElement;
        if (GoJson.Member(root, "count") is { } count && count.GetInt64() < 0)
        {
            throw ClairException.Crashed("makeslice: cap out of range");
        }

        var catalog = GoJson.Text(root, "catalogVersion");
        var entries = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var item in GoJson.Items(root, "vulnerabilities"))
        {
            if (item.ValueKind == JsonValueKind.Null)
            {
                throw ClairException.Crashed("clair.kev: nil pointer dereference");
            }

            var id = GoJson.Text(item, "cveID");
            entries[id] = JsonSerializer.Serialize(new[]
            {
                id, GoJson.Text(item, "vulnerabilityName"), catalog, GoJson.Text(item, "dateAdded"), GoJson.Text(item, "shortDescription"),
                GoJson.Text(item, "requiredAction"), GoJson.Text(item, "dueDate"), GoJson.Text(item, "knownRansomwareCampaignUse"),
            });
        }

        return entries;
    }

    private async Task<ClairOutcome> UpdateAsync(CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(HttpMethod.Get, _feed, cancellationToken, ("If-Modified-Since", _fingerprint));
        var lastModified = ClairHttp.Header(response, "Last-Modified");
        switch ((int)response.StatusCode)
        {
            case 304:
            case 200 when _fingerprint.Length > 0 && _fingerprint == lastModified:
                return ClairOutcome.Unchanged;
            case 200:
                break;
            default:
                throw ClairException.Failed($"http response error: {(int)response.StatusCode}");
        }

        _held = Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        _fingerprint = lastModified;
        return ClairOutcome.Updated;
    }
}
