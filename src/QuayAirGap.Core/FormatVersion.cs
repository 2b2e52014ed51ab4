using System.Text.Json;

namespace QuayAirGap.Core;

/// <summary>A document that a later version wrote; its message is one clause, as that of other malformed documents.</summary>
internal sealed class LaterFormatException(string message) : FormatException(message);

/// <summary>
/// The one promise of all formats (docs/reference/formats.md): a later version reads what an earlier one wrote, and an earlier one refuses
/// what a later one wrote and says just that, instead of calling it damaged.
/// </summary>
internal static class FormatVersion
{
    /// <summary>The refusal of a site's file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="version">Its version.</param>
    /// <param name="known">The last version that this program reads.</param>
    private static FeedException Later(string path, long version, int known) => new(
        ErrorIds.SiteVersion, $"'{path}' has format version {version}; this QuayAirGap reads version {known}.", path,
        "A later QuayAirGap has written to this site: update QuayAirGap here too. Nothing was changed.");

    /// <exception cref="FeedException"><see cref="ErrorIds.SiteVersion"/></exception>
    public static void ThrowIfLater(string path, long? version, int known)
    {
        if (version > known)
        {
            throw Later(path, version.Value, known);
        }
    }

    /// <summary>
    /// The number of that name at the root of a JSON document, whatever else the document holds; null where there is none, or no such
    /// document. For the moment at which a document could not be read: is it damaged, or of a later version?
    /// </summary>
    public static long? InJson(ReadOnlySpan<byte> document, ReadOnlySpan<byte> name)
    {
        try
        {
            var reader = new Utf8JsonReader(document);
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1)
                {
                    bool wanted = reader.ValueTextEquals(name);
                    if (!reader.Read())
                    {
                        return null;
                    }

                    if (wanted)
                    {
                        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long number) ? number : null;
                    }

                    reader.Skip();
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Damaged, then.
        }

        return null;
    }
}
