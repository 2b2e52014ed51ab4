using System.Text;
using System.Text.Json;
using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Pages;

/// <summary>
/// What the status page says, for programs: times and thresholds, so that the reader reckons the age when it is read. The level is that
/// of the moment in madeAt, and can only grow until something is brought in.
/// </summary>
public static class StatusJson
{
    public const string FormatName = "quayairgap.status";

    public static byte[] Write(StatusFacts facts)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("format", FormatName);
            json.WriteNumber("version", 1);
            json.WriteString("site", facts.Site);
            json.WriteString("madeAt", PageText.Machine(facts.MadeAt));
            json.WriteString("level", facts.Level.ToString());
            Time(json, "goodUntil", StatusPage.GoodUntil(facts));
            json.WriteStartArray("notes");
            foreach (string note in facts.Notes)
            {
                json.WriteStringValue(note);
            }

            json.WriteEndArray();
            if (facts.Generation is { } generation)
            {
                json.WriteStartObject("generation");
                json.WriteNumber("number", generation.Number);
                json.WriteNumber("sequence", generation.Sequence);
                json.WriteBoolean("restored", generation.Sequence < generation.HighestSequence);
                Time(json, "publishedAt", generation.PublishedAt);
                json.WriteNumber("heldBack", facts.HeldBack);
                json.WriteEndObject();
            }

            json.WriteStartArray("sources");
            foreach (SourceFreshness source in facts.Sources)
            {
                Write(json, facts, source);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return [.. buffer.ToArray(), .. "\n"u8];
    }

    /// <summary>For a site that cannot be judged.</summary>
    public static byte[] WriteTrouble(string site, DateTimeOffset madeAt, FeedException trouble) =>
        Encoding.UTF8.GetBytes(new System.Text.Json.Nodes.JsonObject
        {
            ["format"] = FormatName,
            ["version"] = 1,
            ["site"] = site,
            ["madeAt"] = PageText.Machine(madeAt),
            ["level"] = nameof(FreshnessLevel.Critical),
            ["errorId"] = trouble.ErrorId,
            ["error"] = trouble.Message,
        }.ToJsonString() + "\n");

    private static void Write(Utf8JsonWriter json, StatusFacts facts, SourceFreshness s)
    {
        json.WriteStartObject();
        json.WriteString("name", s.Name);
        json.WriteString("state", s.State.ToString());
        json.WriteString("level", s.Required ? s.Level.ToString() : "None");
        json.WriteBoolean("required", s.Required);
        Time(json, "upstreamModified", s.UpstreamModified);
        Time(json, "capturedAt", s.CapturedAt);
        Time(json, "publishedAt", s.PublishedAt);
        Time(json, "ingestedAt", s.IngestedAt);
        json.WriteNumber("warnAfterSeconds", (long)s.WarnAfter.TotalSeconds);
        json.WriteNumber("criticalAfterSeconds", (long)s.CriticalAfter.TotalSeconds);
        json.WriteNumber("expireAfterSeconds", (long)s.ExpireAfter.TotalSeconds);
        Time(json, "staleSince", s.StaleSince);
        Time(json, "upstreamSilentSince", s.SilentSince);
        json.WriteString("cause", s.Cause.ToString());
        json.WriteString("reason", s.Reason);
        json.WriteString("remedy", s.Remedy);
        json.WriteEndObject();
    }

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        if (time is { } known)
        {
            json.WriteString(name, PageText.Machine(known));
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
