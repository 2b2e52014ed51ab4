using System.Globalization;
using System.Text.Json;
using QuayAirGap.Core.Sources.Json;

namespace QuayAirGap.Core.Sources.Nvd;

/// <summary>
/// One CVE of a yearly document, as far as Clair decodes it (claircore enricher/cvss/feed.go): a wrong kind of value in one of these
/// members fails the whole source there.
/// </summary>
/// <param name="Id">"CVE-2026-0544".</param>
/// <param name="LastModified">UTC, which is what NVD means without saying so.</param>
internal sealed record NvdRecord(string Id, DateTimeOffset? LastModified)
{
    /// <param name="json">The object in the list "vulnerabilities".</param>
    /// <exception cref="JsonException">Clair could not decode it, or it has no id.</exception>
    public static NvdRecord Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        string id = "";
        DateTimeOffset? modified = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonText.IsName(ref reader, "cve"))
            {
                (id, modified) = ReadCve(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        return id.Length > 0 ? new NvdRecord(id, modified) : throw new JsonException("it has a record without a CVE id");
    }

    private static (string Id, DateTimeOffset? Modified) ReadCve(ref Utf8JsonReader reader)
    {
        string id = "";
        DateTimeOffset? modified = null;
        if (!Enter(ref reader, JsonTokenType.StartObject, "cve"))
        {
            return (id, modified);
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonText.IsName(ref reader, "id"))
            {
                id = JsonText.Value(ref reader, "id");
            }
            else if (JsonText.IsName(ref reader, "vulnStatus"))
            {
                _ = JsonText.Value(ref reader, "vulnStatus");
            }
            else if (JsonText.IsName(ref reader, "lastModified"))
            {
                modified = DateOf(JsonText.Value(ref reader, "lastModified"));
            }
            else if (JsonText.IsName(ref reader, "metrics"))
            {
                ReadMetrics(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        return (id, modified);
    }

    private static void ReadMetrics(ref Utf8JsonReader reader)
    {
        if (!Enter(ref reader, JsonTokenType.StartObject, "metrics"))
        {
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!JsonText.IsName(ref reader, "cvssMetricV30") && !JsonText.IsName(ref reader, "cvssMetricV31"))
            {
                reader.Skip();
            }
            else if (Enter(ref reader, JsonTokenType.StartArray, "cvssMetricV3x"))
            {
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    ReadMetric(ref reader);
                }
            }
        }
    }

    private static void ReadMetric(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return;
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("a CVSS metric is no object");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonText.IsName(ref reader, "type"))
            {
                _ = JsonText.Value(ref reader, "type");
            }
            else
            {
                reader.Skip();
            }
        }
    }

    /// <returns>False for null, which Go takes for nothing.</returns>
    private static bool Enter(ref Utf8JsonReader reader, JsonTokenType kind, string name)
    {
        reader.Read();
        return reader.TokenType == kind
            || (reader.TokenType == JsonTokenType.Null ? false : throw new JsonException($"\"{name}\" is a {reader.TokenType}"));
    }

    private static DateTimeOffset? DateOf(string text) => DateTimeOffset.TryParse(
        text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset date) ? date : null;
}
