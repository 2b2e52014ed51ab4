using System.Text.Json;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// Acts as the indexer's fetching of one Red Hat mapping file (claircore:rhel/internal/common/updater.go): at most once in 24 hours, with
/// If-Modified-Since; what was read stays in memory through failures, and is gone with the process.
/// </summary>
public sealed class ClairMapping
{
    private static readonly TimeSpan s_interval = TimeSpan.FromHours(24);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    private readonly ClairHttp _http;
    private readonly TimeProvider _time;
    private readonly Uri _url;
    private readonly Func<JsonElement, IEnumerable<string>> _values;
    private string _lastModified = string.Empty;
    private DateTimeOffset _nextFetch = DateTimeOffset.MinValue;

    internal ClairMapping(ClairHttp http, TimeProvider time, string name, string url, Func<JsonElement, IEnumerable<string>> values)
    {
        _http = http;
        _time = time;
        _url = GoUrl.Parse(url);
        _values = values;
        Name = name;
    }

    /// <summary><c>repository-to-cpe</c> or <c>container-name-repos-map</c>.</summary>
    public string Name { get; }

    /// <summary>
    /// The mapping in memory: CPEs by repository id, or repositories by image name. Null before the first success: with no
    /// <c>repository-to-cpe</c> every image then fails to index ("rhel: unable to create a mappingFile object").
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Held { get; private set; }

    /// <summary>What the indexer does at its start and at each layer: asks for the file if 24 hours have passed since it last asked.</summary>
    public async Task<ClairUpdate> PollAsync(CancellationToken cancellationToken = default)
    {
        var now = _time.GetUtcNow();
        if (now < _nextFetch)
        {
            return new ClairUpdate(Name, ClairOutcome.Unchanged);
        }

        _nextFetch = now + s_interval;
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(s_timeout);
        try
        {
            return new ClairUpdate(Name, await FetchAsync(limited.Token));
        }
        catch (Exception error) when (error is ClairException or HttpRequestException or IOException or InvalidDataException
            or JsonException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new ClairUpdate(Name, ClairOutcome.Failed, error.Message);
        }
    }

    private async Task<ClairOutcome> FetchAsync(CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(HttpMethod.Get, _url, cancellationToken, ("If-Modified-Since", _lastModified));
        switch ((int)response.StatusCode)
        {
            case 304:
                return ClairOutcome.Unchanged;
            case 200:
                break;
            default:
                throw ClairException.Failed($"received status code {(int)response.StatusCode} querying mapping url");
        }

        using var document = GoJson.Decode(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        var mapping = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var (key, value) in GoJson.Map(document.RootElement, "data"))
        {
            mapping[key] = [.. _values(value)];
        }

        _lastModified = ClairHttp.Header(response, "Last-Modified");
        Held = mapping;
        return ClairOutcome.Updated;
    }
}
