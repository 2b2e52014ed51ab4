using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Notifying.Channels;

/// <summary>Posts an event to an address: as JSON of our own (docs/cmdlets/Send-ClairFeedWarning.md), or as Slack and its like take it.</summary>
internal sealed class WebhookChannel(WebhookSettings settings) : IWarningChannel
{
    public WarningChannel Channel => WarningChannel.Webhook;

    public string Destination => settings.Url is { } url ? url.AbsoluteUri : $"the address in '{settings.UrlFile}'";

    public bool IsStanding => false;

    public async Task<bool> SendAsync(FeedWarning warning, CancellationToken token)
    {
        using HttpClient client = WarningHttp.Client(Channel, settings.CaFile);
        using var request = new HttpRequestMessage(HttpMethod.Post, Address())
        {
            Content = new StringContent((settings.Format == WebhookFormat.Slack ? Slack(warning) : Json(warning)).ToJsonString(), Encoding.UTF8, "application/json"),
        };
        AddHeaders(request);
        await WarningHttp.SendAsync(this, client, request, token);
        return true;
    }

    private static JsonObject Slack(FeedWarning warning) => new()
    {
        ["text"] = WarningText.Body(warning).Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal),
    };

    private static JsonObject Json(FeedWarning warning) => new()
    {
        ["version"] = 1,
        ["id"] = warning.EventId,
        ["incident"] = warning.Incident,
        ["event"] = "feed." + warning.Kind.ToString().ToLowerInvariant(),
        ["site"] = warning.Site,
        ["level"] = warning.Level.ToString().ToLowerInvariant(),
        ["time"] = Iso(warning.At),
        ["summary"] = WarningText.Summary(warning),
        ["sources"] = new JsonArray([.. warning.Facts.Select(Fact)]),
        ["notes"] = new JsonArray([.. warning.Notes.Select(n => JsonValue.Create(WarningText.Plain(n)))]),
    };

    private static JsonNode Fact(WarningFact fact) => new JsonObject
    {
        ["name"] = fact.Source.Name,
        ["level"] = fact.Source.Level.ToString().ToLowerInvariant(),
        ["state"] = fact.Source.State.ToString().ToLowerInvariant(),
        ["since"] = Iso(fact.Since),
        ["capturedAt"] = Iso(fact.Source.CapturedAt),
        ["upstreamModified"] = Iso(fact.Source.UpstreamModified),
        ["publishedAt"] = Iso(fact.Source.PublishedAt),
        ["clair"] = fact.Source.ClairHolding.ToString(),
        ["ingestedAt"] = Iso(fact.Source.IngestedAt),
        ["ingestedCapturedAt"] = Iso(fact.Source.IngestedCapturedAt),
        ["ageSeconds"] = fact.Source.Age is { } age ? (long)age.TotalSeconds : null,
        ["warnAfterSeconds"] = (long)fact.Source.WarnAfter.TotalSeconds,
        ["criticalAfterSeconds"] = (long)fact.Source.CriticalAfter.TotalSeconds,
        ["expireAfterSeconds"] = (long)fact.Source.ExpireAfter.TotalSeconds,
        ["cause"] = fact.Source.Cause.ToString(),
        ["reason"] = WarningText.Plain(fact.Source.Reason),
        ["remedy"] = fact.Source.Remedy is { } remedy ? WarningText.Plain(remedy) : null,
    };

    private static string? Iso(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private Uri Address()
    {
        if (settings.Url is { } url)
        {
            return url;
        }

        string text = WarningFiles.Secret(Channel, settings.UrlFile, variable: null)!;
        return Uri.TryCreate(text, UriKind.Absolute, out Uri? read) && read.Scheme is "http" or "https" && read.UserInfo.Length == 0
            ? read
            : throw WarningErrors.Secret(Channel, $"the first line of '{settings.UrlFile}' is no http or https address");
    }

    private void AddHeaders(HttpRequestMessage request)
    {
        if (settings.HeadersFile is not { } file)
        {
            return;
        }

        foreach (string line in WarningFiles.Text(Channel, file).Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 1 || !request.Headers.TryAddWithoutValidation(line[..colon].TrimEnd(), line[(colon + 1)..].Trim()))
            {
                throw WarningErrors.Secret(Channel, $"'{file}' has a line that is no 'Name: value' of a request's header");
            }
        }
    }
}
