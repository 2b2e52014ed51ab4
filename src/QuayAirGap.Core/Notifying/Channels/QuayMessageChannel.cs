using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Notifying.Channels;

/// <summary>
/// A global message in Quay, shown to everybody above every page (quay: endpoints/api/globalmessages.py). Quay cannot change one: a new
/// one is posted before the old is deleted, so that a failure in between leaves two and never none. The old UI of every release shows it,
/// the new one from Quay 3.16.
/// </summary>
internal sealed class QuayMessageChannel(QuaySettings settings) : IWarningChannel
{
    private const string Marker = "[QuayAirGap:feeds]";
    private const string TestMarker = "[QuayAirGap:test]";

    public WarningChannel Channel => WarningChannel.Quay;

    public string Destination => $"the users of {settings.Url}";

    public bool IsStanding => true;

    public async Task<bool> SendAsync(FeedWarning warning, CancellationToken token)
    {
        string secret = WarningFiles.Secret(Channel, settings.TokenFile, settings.TokenVariable)!;
        using HttpClient client = WarningHttp.Client(Channel, settings.CaFile);
        try
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        }
        catch (FormatException e)
        {
            throw WarningErrors.Secret(Channel, "the token has characters that no token has", e);
        }

        if (warning.Kind == WarningKind.Test)
        {
            // Seen for a moment only: it proves address, token and rights.
            await PostAsync(client, $"{WarningText.Banner(warning)} {TestMarker}", "info", token);
            await DeleteAsync(client, (await OursAsync(client, TestMarker, token)).Select(m => m.Uuid), token);
            return true;
        }

        IReadOnlyList<Message> ours = await OursAsync(client, Marker, token);
        if (warning.Level == FreshnessLevel.Ok)
        {
            await DeleteAsync(client, ours.Select(m => m.Uuid), token);
            return ours.Count > 0;
        }

        string content = $"{WarningText.Banner(warning)} {Marker}";
        string severity = warning.Level == FreshnessLevel.Warning ? "warning" : "error";
        Message? same = ours.FirstOrDefault(m => m.Content == content && m.Severity == severity);
        if (same is null)
        {
            await PostAsync(client, content, severity, token);
        }

        Message[] superfluous = [.. ours.Where(m => m != same)];
        await DeleteAsync(client, superfluous.Select(m => m.Uuid), token);
        return same is null || superfluous.Length > 0;
    }

    private async Task<IReadOnlyList<Message>> OursAsync(HttpClient client, string marker, CancellationToken token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(settings.Url, "api/v1/messages"));
        string answer = await WarningHttp.SendAsync(this, client, request, token);
        try
        {
            return
            [
                .. (JsonNode.Parse(answer)?["messages"] as JsonArray ?? throw new JsonException("it has no messages"))
                    .Select(m => new Message((string)m!["uuid"]!, (string?)m["content"] ?? "", (string?)m["severity"] ?? ""))
                    .Where(m => m.Content.EndsWith(marker, StringComparison.Ordinal)),
            ];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException or NullReferenceException)
        {
            throw WarningErrors.NotSent(this, $"what it answers to {request.RequestUri!.AbsolutePath} is not Quay's list of messages", e);
        }
    }

    private async Task PostAsync(HttpClient client, string content, string severity, CancellationToken token)
    {
        var body = new JsonObject
        {
            ["message"] = new JsonObject { ["content"] = content, ["media_type"] = "text/markdown", ["severity"] = severity },
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(settings.Url, "api/v1/messages"))
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        await WarningHttp.SendAsync(this, client, request, token);
    }

    private async Task DeleteAsync(HttpClient client, IEnumerable<string> uuids, CancellationToken token)
    {
        foreach (string uuid in uuids)
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(settings.Url, $"api/v1/message/{Uri.EscapeDataString(uuid)}"));
            await WarningHttp.SendAsync(this, client, request, token);
        }
    }

    private sealed record Message(string Uuid, string Content, string Severity);
}
