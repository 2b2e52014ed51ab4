using System.Text.Json;
using System.Text.RegularExpressions;

namespace QuayAirGap.Core.Sources.Ubuntu;

/// <summary>One series of Ubuntu as Launchpad knows it.</summary>
/// <param name="Name">The codename: "noble".</param>
/// <param name="Version">"24.04".</param>
/// <param name="IsActive">Supported or under development: Clair asks for the advisories of these alone.</param>
internal sealed partial record UbuntuSeries(string Name, string Version, bool IsActive)
{
    /// <summary>Launchpad's document has some 45 series in less than 100 kB.</summary>
    public const long LargestDocument = 8 << 20;

    public string Updater => "ubuntu/updater/" + Name;

    /// <summary>Reads one page of the collection.</summary>
    /// <returns>The series in Launchpad's order, and the next page's address, if there is one.</returns>
    /// <exception cref="InvalidDataException">It is no such document. The message says what is wrong, to go on a sentence.</exception>
    public static async Task<(IReadOnlyList<UbuntuSeries> Series, string? Next)> ReadAsync(Stream json, CancellationToken cancellationToken)
    {
        try
        {
            using JsonDocument document = await JsonDocument.ParseAsync(json, cancellationToken: cancellationToken).ConfigureAwait(false);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("entries", out JsonElement entries) || entries.ValueKind != JsonValueKind.Array)
            {
                throw new InvalidDataException("it has no list of entries");
            }

            string? next = root.TryGetProperty("next_collection_link", out JsonElement link) && link.ValueKind == JsonValueKind.String ? link.GetString() : null;
            return ([.. entries.EnumerateArray().Select(Of)], next);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("it is no JSON to its end", e);
        }
    }

    /// <summary>The collection as Clair reads it (claircore ubuntu/updaterset.go): all series on one page.</summary>
    /// <param name="series">In the order to write.</param>
    /// <param name="active">Whether the flags are Launchpad's; otherwise no series is active.</param>
    public static byte[] Write(IReadOnlyList<UbuntuSeries> series, bool active)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteNumber("total_size", series.Count);
            json.WriteNumber("start", 0);
            json.WriteStartArray("entries");
            foreach (UbuntuSeries one in series)
            {
                json.WriteStartObject();
                json.WriteString("name", one.Name);
                json.WriteString("version", one.Version);
                json.WriteBoolean("active", active && one.IsActive);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }

    /// <summary>Chosen by codename or by version, whichever people write.</summary>
    public bool IsWanted(SourceSelection selection)
    {
        bool Matches(IReadOnlyList<string> patterns) => new SourceSelection(patterns, []) is var one && (one.Wants(Name) || one.Wants(Version));

        return !(selection.Exclude.Count > 0 && Matches(selection.Exclude)) && (selection.Include.Count == 0 || Matches(selection.Include));
    }

    private static UbuntuSeries Of(JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object
            || !entry.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String || !CodeName().IsMatch(name.GetString()!)
            || !entry.TryGetProperty("version", out JsonElement version) || version.ValueKind != JsonValueKind.String || version.GetString()!.Length is 0 or > 32
            || !entry.TryGetProperty("active", out JsonElement active) || active.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            throw new InvalidDataException("one of its entries has not the name, the version and the flag of a series");
        }

        return new UbuntuSeries(name.GetString()!, version.GetString()!, active.GetBoolean());
    }

    [GeneratedRegex("^[a-z][a-z0-9-]{0,63}$", RegexOptions.CultureInvariant)]
    private static partial Regex CodeName();
}
