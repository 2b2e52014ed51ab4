using System.Text.Json;

namespace QuayAirGap.Core.Sources.Json;

/// <summary>Members of a JSON object as Go's encoding/json takes them: names without regard to case, null for an empty text.</summary>
internal static class JsonText
{
    /// <summary>The text that the reader stands on.</summary>
    /// <exception cref="JsonException">It is not valid UTF-8.</exception>
    public static string Of(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("it has a text that is not valid UTF-8", e);
        }
    }

    /// <summary>Goes to the value behind the member name that the reader stands on, which must be a text or null.</summary>
    /// <exception cref="JsonException">It is neither.</exception>
    public static string Value(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.String => Of(ref reader),
            JsonTokenType.Null => "",
            _ => throw new JsonException($"\"{name}\" is no text"),
        };
    }

    /// <summary>Whether the member name that the reader stands on is <paramref name="name"/>.</summary>
    public static bool IsName(ref Utf8JsonReader reader, string name) =>
        reader.ValueTextEquals(name) || (reader.ValueSpan.Length == name.Length && string.Equals(Of(ref reader), name, StringComparison.OrdinalIgnoreCase));
}
