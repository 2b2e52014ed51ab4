using System.Text.Json;

namespace QuayAirGap.Core.Snapshots;

/// <summary>
/// The snapshot as the bytes that get signed: compact JSON in UTF-8, members in one order, equal for equal snapshots. Reading is strict,
/// because the bytes come over the gap: what is not exactly a snapshot is refused as a whole.
/// </summary>
public static class SnapshotDocument
{
    /// <summary>The most bytes that a document may have: ten times what every source of Clair together has.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    internal const int MaxDepth = 8;

    /// <exception cref="FeedException"><see cref="ErrorIds.BundleInvalid"/>: no reader would take it.</exception>
    public static byte[] Serialize(Snapshot snapshot)
    {
        SnapshotRules.Check(snapshot);
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(snapshot, SnapshotJson.Default.Snapshot);
        return bytes.Length <= MaxBytes ? bytes : throw TooLarge(bytes.Length);
    }

    /// <exception cref="FeedException"><see cref="ErrorIds.BundleInvalid"/>, <see cref="ErrorIds.BundleLimit"/> or
    /// <see cref="ErrorIds.BundleVersion"/></exception>
    public static Snapshot Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxBytes)
        {
            throw TooLarge(bytes.Length);
        }

        try
        {
            // First alone, so that a document of a later version is called just that and not a broken one of this version.
            CheckHead(bytes);
            Snapshot snapshot = JsonSerializer.Deserialize(bytes, SnapshotJson.Default.Snapshot) ?? throw new JsonException("The document is empty.");
            SnapshotRules.Check(snapshot);
            return snapshot;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new FeedException(
                ErrorIds.BundleInvalid, SnapshotRules.Printable($"The snapshot cannot be read: {e.Message}"), "snapshot",
                "Have the bundle made again; if it was carried on a medium, compare its SHA-256 on both sides first.", e);
        }
    }

    /// <summary>
    /// Reads the whole document once for its format and version, and refuses members given twice: readers differ in which of two they
    /// believe, and what was signed must mean one thing.
    /// </summary>
    private static void CheckHead(ReadOnlySpan<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = MaxDepth });
        var members = new HashSet<string>[MaxDepth + 1];
        string? format = null;
        long? version = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("It is not a JSON object.");
        }

        members[0] = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    (members[reader.CurrentDepth] ??= new HashSet<string>(StringComparer.Ordinal)).Clear();
                    break;
                case JsonTokenType.PropertyName:
                    string name = reader.GetString()!;
                    if (!members[reader.CurrentDepth - 1].Add(name))
                    {
                        throw new JsonException($"The member '{name}' is there twice.");
                    }

                    if (reader.CurrentDepth == 1 && name is "format" or "version")
                    {
                        ReadHead(ref reader, name, ref format, ref version);
                    }

                    break;
            }
        }

        if (format != Snapshot.FormatName)
        {
            throw new JsonException($"Its format is '{format}', not '{Snapshot.FormatName}'.");
        }

        if (version != Snapshot.CurrentVersion)
        {
            throw new FeedException(
                ErrorIds.BundleVersion,
                $"The bundle has version {version?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "(none)"}; "
                + $"this program reads version {Snapshot.CurrentVersion}.",
                "snapshot", "Update QuayAirGap on this side, or make the bundle with the version that runs here.");
        }
    }

    private static void ReadHead(ref Utf8JsonReader reader, string name, ref string? format, ref long? version)
    {
        if (!reader.Read())
        {
            return;
        }

        if (name == "format" && reader.TokenType == JsonTokenType.String)
        {
            format = reader.GetString();
        }
        else if (name == "version" && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long number))
        {
            version = number;
        }
        else
        {
            throw new JsonException($"'{name}' is not what it must be.");
        }
    }

    private static FeedException TooLarge(long length) => new(
        ErrorIds.BundleLimit, $"The snapshot has {length} bytes; {MaxBytes} are allowed.", "snapshot",
        "Leave out a source with Set-ClairFeedSource -Enabled:$false, and make the bundle again.");
}
