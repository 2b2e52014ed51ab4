using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Notifying;
using QuayAirGap.TestKit.Prometheus;
using Xunit;

namespace QuayAirGap.Core.Tests.Notifying;

/// <summary>What each channel puts on the wire.</summary>
public sealed partial class ChannelTests
{
    private readonly FakeTimeProvider _clock = new(WarnedSite.Start);

    [Fact]
    public async Task Quay_shows_exactly_one_message_of_ours_and_none_when_all_is_good()
    {
        var messages = new ConcurrentDictionary<string, JsonObject>();
        messages["theirs"] = new JsonObject { ["content"] = "Maintenance on Sunday", ["severity"] = "info", ["media_type"] = "text/plain" };
        var faults = new ConcurrentQueue<string>();
        (int, string) Answer(HttpListenerRequest request, string body)
        {
            if (request.Headers["Authorization"] != "Bearer tok-1")
            {
                return (403, "{}");
            }

            switch (request.HttpMethod, request.Url!.AbsolutePath)
            {
                case ("GET", "/api/v1/messages"):
                    return (200, new JsonObject
                    {
                        ["messages"] = new JsonArray([.. messages.Select(m =>
                        {
                            var copy = (JsonObject)m.Value.DeepClone();
                            copy["uuid"] = m.Key;
                            return copy;
                        })]),
                    }.ToJsonString());
                case ("POST", "/api/v1/messages"):
                    // endpoints/api/globalmessages.py: CreateMessage
                    var root = (JsonObject)JsonNode.Parse(body)!;
                    var message = root["message"] as JsonObject;
                    if (request.ContentType?.StartsWith("application/json", StringComparison.Ordinal) != true || root.Count != 1 || message is null
                        || !message.Select(m => m.Key).Order(StringComparer.Ordinal).SequenceEqual(["content", "media_type", "severity"])
                        || (string?)message["severity"] is not ("info" or "warning" or "error")
                        || (string?)message["media_type"] is not ("text/plain" or "text/markdown"))
                    {
                        faults.Enqueue(body);
                        return (400, "{}");
                    }

                    messages[Guid.NewGuid().ToString()] = (JsonObject)message.DeepClone();
                    return (201, "");
                case ("DELETE", var path) when path.StartsWith("/api/v1/message/", StringComparison.Ordinal):
                    messages.TryRemove(path["/api/v1/message/".Length..], out _);
                    return (204, "");
                default:
                    faults.Enqueue($"{request.HttpMethod} {request.Url}");
                    return (404, "{}");
            }
        }

        using var quay = new HttpSink(Answer);
        using var site = new WarnedSite("");
        string token = site["token"];
        File.WriteAllText(token, "tok-1\n");
        site.Warnings = $"  quay:\n    url: {quay.Url}\n    tokenFile: {token}";
        site.Require("alpine");
        site.Publish(WarnedSite.Start, WarnedSite.Start, WarnedSite.Alpine(WarnedSite.Start, error: "<script>alert(1)</script> [x](http://evil)"));

        string[] Ours() => [.. messages.Values.Select(m => (string)m["content"]!).Where(c => c.Contains("QuayAirGap", StringComparison.Ordinal))];
        Assert.True((await site.SendAsync(_clock)).Single().Sent);
        string first = Assert.Single(Ours());
        Assert.DoesNotContain("script", first, StringComparison.Ordinal);
        Assert.DoesNotContain("evil", first, StringComparison.Ordinal);
        Assert.Contains("alpine", first, StringComparison.Ordinal);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.False((await site.SendAsync(_clock)).Single().Sent); // nothing changed

        _clock.Advance(TimeSpan.FromDays(6));
        await site.SendAsync(_clock);
        Assert.NotEqual(first, Assert.Single(Ours()));
        Assert.Equal("error", (string?)messages.Values.Single(m => ((string)m["content"]!).Contains("QuayAirGap", StringComparison.Ordinal))["severity"]);

        await site.SendAsync(_clock, new WarningRequest { Test = true });
        Assert.Single(Ours());
        site.Publish(_clock.GetUtcNow(), _clock.GetUtcNow(), WarnedSite.Alpine(_clock.GetUtcNow()));
        await site.SendAsync(_clock);
        Assert.Empty(Ours());
        Assert.True(messages.ContainsKey("theirs"));
        Assert.Empty(faults);

        File.WriteAllText(token, "wrong");
        _clock.Advance(TimeSpan.FromDays(4));
        Assert.Equal(ErrorIds.WarningRefused, (await site.SendAsync(_clock)).Single().Error!.ErrorId);
    }

    [Fact]
    public async Task A_channel_that_fails_stops_no_other_and_is_tried_again()
    {
        var bodies = new ConcurrentQueue<JsonNode>();
        bool down = true;
        using var hook = new HttpSink((request, body) =>
        {
            if (down || request.Headers["X-Key"] != "k1")
            {
                return (503, "");
            }

            bodies.Enqueue(JsonNode.Parse(body)!);
            return (200, "");
        });
        using var site = new WarnedSite("");
        File.WriteAllText(site["headers"], "X-Key: k1\n");
        site.Warnings = $"  webhook:\n    url: {hook.Url}\n    headersFile: {site["headers"]}\n  textfile:\n    path: {site["feeds.prom"]}";
        site.Require("alpine");

        IReadOnlyList<WarningOutcome> failed = await site.SendAsync(_clock);
        Assert.Equal([ErrorIds.WarningNotSent, null], failed.Select(o => o.Error?.ErrorId));
        Assert.True(File.Exists(site["feeds.prom"]));
        down = false;
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.All(await site.SendAsync(_clock), o => Assert.True(o.Sent));
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Null((await site.SendAsync(_clock))[0].Plan.Warning);
        _clock.Advance(TimeSpan.FromHours(23));
        await site.SendAsync(_clock);

        Assert.Equal(2, bodies.Count);
        JsonNode first = bodies.First();
        Assert.Equal(("feed.problem", "lab", "critical"), ((string?)first["event"], (string?)first["site"], (string?)first["level"]));
        Assert.Equal(("alpine", "missing", "NotCollected"), ((string?)first["sources"]![0]!["name"], (string?)first["sources"]![0]!["state"], (string?)first["sources"]![0]!["cause"]));
        Assert.Equal((string?)first["incident"], (string?)bodies.Last()["incident"]);
        Assert.Equal($"{first["incident"]}.2", (string?)bodies.Last()["id"]);
    }

    [Fact]
    public async Task Slack_gets_text_in_which_nothing_is_markup()
    {
        string? sent = null;
        using var hook = new HttpSink((_, body) =>
        {
            sent = body;
            return (200, "");
        });
        using var site = new WarnedSite($"  webhook:\n    url: {hook.Url}\n    format: slack");
        site.Publish(WarnedSite.Start, WarnedSite.Start, WarnedSite.Alpine(WarnedSite.Start, error: "<!channel> & more\nline"));
        await site.SendAsync(_clock);
        var message = (JsonObject)JsonNode.Parse(sent!)!;
        Assert.Contains("&lt;!channel&gt; &amp; more line", (string?)message["text"], StringComparison.Ordinal);
        Assert.Single(message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Syslog_gets_lines_of_RFC_5424_with_ids_that_stay(bool udp)
    {
        using var site = new WarnedSite("");
        string path = site["log.sock"];
        using Socket server = udp ? new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
            : new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        server.Bind(udp ? new IPEndPoint(IPAddress.Loopback, 0) : new UnixDomainSocketEndPoint(path));
        server.ReceiveTimeout = 10_000;
        site.Warnings = udp ? $"  syslog:\n    host: 127.0.0.1\n    port: {((IPEndPoint)server.LocalEndPoint!).Port}" : $"  syslog:\n    socket: {path}";
        site.Require("alpine");
        site.Publish(WarnedSite.Start, WarnedSite.Start, WarnedSite.Alpine(WarnedSite.Start, error: "two\nlines"));
        await site.SendAsync(_clock);
        string[] lines = [Receive(server), Receive(server)];
        foreach (string line in lines)
        {
            Match match = Syslog().Match(line);
            Assert.True(match.Success, line);
            Assert.Equal(("28", "FEED-WARNING"), (match.Groups["pri"].Value, match.Groups["id"].Value));
            Assert.Equal(WarnedSite.Start, DateTimeOffset.Parse(match.Groups["time"].Value, CultureInfo.InvariantCulture));
        }

        Assert.Contains("source=alpine", lines[1], StringComparison.Ordinal);
        Assert.Contains("two lines", lines[1], StringComparison.Ordinal);
        site.Publish(WarnedSite.Start, WarnedSite.Start, WarnedSite.Alpine(WarnedSite.Start));
        await site.SendAsync(_clock);
        Assert.Contains(" FEED-RESOLVED ", Receive(server), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_textfile_holds_times_in_the_exposition_format()
    {
        using var site = new WarnedSite("");
        site.Warnings = $"  textfile:\n    path: {site["feeds.prom"]}";
        site.Require("alpine");
        site.Publish(WarnedSite.Start, WarnedSite.Start, WarnedSite.Alpine(WarnedSite.Start));
        await site.SendAsync(_clock);
        string text = File.ReadAllText(site["feeds.prom"]);
        Dictionary<string, double> samples = Exposition.Read(text).Samples;
        (int Code, string Text)? tool = await Exposition.PromtoolAsync(text);
        Assert.True(tool is null or { Code: 0, Text: "" }, tool?.Text);
        Assert.Equal(WarnedSite.Start.ToUnixTimeSeconds(), samples["quayairgap_source_captured_timestamp_seconds{site=\"lab\",source=\"alpine\"}"]);
        Assert.Equal(0, samples["quayairgap_site_level{site=\"lab\"}"]);
        Assert.DoesNotContain(samples.Keys, k => k.Contains("age", StringComparison.Ordinal));

        _clock.Advance(TimeSpan.FromDays(8));
        await site.SendAsync(_clock);
        samples = Exposition.Read(File.ReadAllText(site["feeds.prom"])).Samples;
        Assert.Equal(3, samples["quayairgap_site_level{site=\"lab\"}"]);
        Assert.Equal(_clock.GetUtcNow().ToUnixTimeSeconds(), samples["quayairgap_evaluated_timestamp_seconds{site=\"lab\"}"]);
        Assert.Equal(["feeds.prom"], Directory.GetFiles(site.Folder, "*prom*").Select(Path.GetFileName));
    }

    private static string Receive(Socket server)
    {
        byte[] buffer = new byte[8192];
        return Encoding.UTF8.GetString(buffer, 0, server.Receive(buffer));
    }

    [GeneratedRegex("""^<(?<pri>\d{1,3})>1 (?<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) [!-~]+ quayairgap - (?<id>[!-~]{1,32}) - [^\p{Cc}]+$""")]
    private static partial Regex Syslog();
}
