using System.Globalization;
using System.Text.Json;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Json;

namespace QuayAirGap.Core.Sources.Kev;

/// <summary>
/// CISA's catalogue of vulnerabilities that are known to be exploited: one JSON document (claircore enricher/kev/kev.go). No released Clair
/// has this enricher among its sets; programs that are built on claircore do.
/// </summary>
public sealed class KevFamily : IFeedFamily
{
    private static readonly SourceDefinition s_definition = new()
    {
        Name = "clair.kev",
        Kind = SourceKind.Enrichment,
        Covers = "CISA's known exploited vulnerabilities. Off: released Clair does not read it",
        Uri = new Uri("https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"),
        UpdaterNames = [new UpdaterNaming("none released", "clair.kev")],
        Cadence = TimeSpan.FromDays(3),
        EnabledByDefault = false,
    };

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_definition];

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        SnapshotFile file = await session.GetAsync(s_definition.Uri, cancellationToken).ConfigureAwait(false);
        session.Report("Checking", file.Url);
        var census = new AdvisoryCensus();
        try
        {
            await Task.Run(() => Inspect(session, file, census, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (JsonException e)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{file.Url}' is not the JSON document that Clair reads: {e.Message.TrimEnd('.')}.", file.Url,
                "The previous capture stays. Look what answers at this address in the upstream's place.", e);
        }

        return new CollectedContent
        {
            Files = [file],
            Updaters = ["clair.kev"],
            AdvisoryCount = census.Count,
            Census = census,
            UpstreamModified = file.LastModified,
        };
    }

    /// <summary>The enricher keeps the Last-Modified alone, and compares it literally.</summary>
    public async Task PublishAsync(IPublication publication, CancellationToken cancellationToken)
    {
        if (publication.Source.Files is not [{ } file] || file.Url != s_definition.Uri.AbsoluteUri)
        {
            throw new FeedException(
                ErrorIds.PublicationFailed, $"The capture of clair.kev is not the one file '{s_definition.Uri}'.", s_definition.Name,
                "Import a bundle whose capture of it is complete; what is served now stays.");
        }

        await DistinctLastModified.AddAsync(publication, file, "application/json", cancellationToken).ConfigureAwait(false);
    }

    private static void Inspect(ICollectSession session, SnapshotFile file, AdvisoryCensus census, CancellationToken cancellationToken)
    {
        long? stated = null;
        using Stream content = session.OpenRead(file);
        JsonRecordReader.Read(
            content, "vulnerabilities",
            record =>
            {
                KevEntry entry = KevEntry.Read(record);
                census.Add(entry.CveId, entry.DateAdded);
            },
            new Dictionary<string, JsonValueVisitor>
            {
                ["count"] = value => stated = CountOf(value),
                ["title"] = ThrowUnlessText,
                ["catalogVersion"] = ThrowUnlessText,
                ["dateReleased"] = ThrowUnlessText,
            },
            cancellationToken);
        if (census.Count == 0)
        {
            throw new JsonException("it has no vulnerability in it");
        }

        // Clair makes room for as many as the document says there are: a negative number would end its process.
        if (stated is { } count && count != census.Count)
        {
            throw new FeedException(
                ErrorIds.UpstreamIncomplete, $"'{file.Url}' says that it has {count} vulnerabilities, and has {census.Count}.", file.Url,
                "The previous capture stays. Run Save-ClairFeed again later.");
        }
    }

    private static long CountOf(ReadOnlySpan<byte> value)
    {
        var reader = new Utf8JsonReader(value);
        reader.Read();
        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long count)
            ? count
            : throw new JsonException("\"count\" is no whole number");
    }

    private static void ThrowUnlessText(ReadOnlySpan<byte> value)
    {
        if (value[0] != '"' && !value.SequenceEqual("null"u8))
        {
            throw new JsonException("its heading is no text");
        }
    }

    /// <summary>One vulnerability, as far as Clair decodes it.</summary>
    private sealed record KevEntry(string CveId, DateTimeOffset? DateAdded)
    {
        private static readonly HashSet<string> s_texts = new(StringComparer.OrdinalIgnoreCase)
        {
            "vendorProject", "product", "vulnerabilityName", "shortDescription", "requiredAction", "dueDate", "knownRansomwareCampaignUse", "notes",
        };

        public static KevEntry Read(ReadOnlySpan<byte> json)
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            string id = "";
            string added = "";
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = JsonText.Of(ref reader);
                if (name.Equals("cveID", StringComparison.OrdinalIgnoreCase))
                {
                    id = JsonText.Value(ref reader, name);
                }
                else if (name.Equals("dateAdded", StringComparison.OrdinalIgnoreCase))
                {
                    added = JsonText.Value(ref reader, name);
                }
                else if (s_texts.Contains(name))
                {
                    _ = JsonText.Value(ref reader, name);
                }
                else if (name.Equals("cwes", StringComparison.OrdinalIgnoreCase))
                {
                    ReadTexts(ref reader, name);
                }
                else
                {
                    reader.Skip();
                }
            }

            return new KevEntry(
                id.Length > 0 ? id : throw new JsonException("it has a vulnerability without a CVE id"),
                DateTimeOffset.TryParse(added, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset date) ? date : null);
        }

        private static void ReadTexts(ref Utf8JsonReader reader, string name)
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.Null)
            {
                return;
            }

            if (reader.TokenType != JsonTokenType.StartArray)
            {
                throw new JsonException($"\"{name}\" is no list");
            }

            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
                {
                    throw new JsonException($"\"{name}\" is no list of texts");
                }
            }
        }
    }
}
