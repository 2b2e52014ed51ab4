using System.Text.Json;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Coverage;

/// <summary>JSON as Go writes it, forwards and with limits.</summary>
internal static partial class IndexReportReader
{
    /// <summary>A JSON object whose members are all of one kind; Go writes an empty one as null.</summary>
    private static Dictionary<string, T> Map<T>(ref Utf8JsonReader reader, int most, Budget budget, ReadValue<T> read)
    {
        var map = new Dictionary<string, T>(StringComparer.Ordinal);
        if (!IsObject(ref reader, "a member that is to be a map"))
        {
            return map;
        }

        while (NextMember(ref reader))
        {
            string id = Text(ref reader);
            reader.Read();
            if (reader.TokenType == JsonTokenType.Null)
            {
                continue;
            }

            if (!map.TryAdd(id, read(ref reader, budget)))
            {
                throw Invalid($"it has the id '{SnapshotRules.Printable(id, 40)}' twice in one map");
            }

            if (map.Count > most)
            {
                throw Invalid($"it has more than {most} entries in one map");
            }
        }

        return map;
    }

    private static void ThrowUnlessObject(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Invalid("an entry of a map is something else than an object");
        }
    }

    /// <summary>False for null.</summary>
    private static bool IsObject(ref Utf8JsonReader reader, string what) => reader.TokenType switch
    {
        JsonTokenType.StartObject => true,
        JsonTokenType.Null => false,
        _ => throw Invalid($"{what} is something else"),
    };

    /// <summary>Moves from within an object to the name of its next member; false at the object's end.</summary>
    private static bool NextMember(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType != JsonTokenType.EndObject;
    }

    /// <summary>Whether the reader stands at a name; then it moves to the value.</summary>
    private static bool Names(ref Utf8JsonReader reader, ReadOnlySpan<byte> name) => reader.ValueTextEquals(name) && reader.Read();

    /// <summary>The text of the value, in the memory of one before if it is the same.</summary>
    private static string Text(ref Utf8JsonReader reader, string before) =>
        reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(before) ? before : Text(ref reader);

    private static string Text(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return "";
        }

        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName))
        {
            throw Invalid("it has something else where a text belongs");
        }

        long length = reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
        return length <= MaxText ? reader.GetString()! : throw Invalid($"a name or an id in it has more than {MaxText} bytes");
    }

    private delegate T ReadValue<T>(ref Utf8JsonReader reader, Budget budget);

    /// <summary>Counts the environments and references of all packages together.</summary>
    private sealed class Budget
    {
        private int _left = MaxReferences;

        /// <summary>Of the package before: most of an image's packages have the same, which then are one list.</summary>
        public List<IndexEnvironment> Last { get; set; } = [];

        public void Take()
        {
            if (--_left < 0)
            {
                throw Invalid($"its packages have more than {MaxReferences} environments and repositories");
            }
        }
    }
}
