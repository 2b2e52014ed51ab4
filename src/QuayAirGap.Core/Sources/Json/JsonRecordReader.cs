using System.Buffers;
using System.Text.Json;

namespace QuayAirGap.Core.Sources.Json;

/// <summary>Takes one whole JSON value. The bytes are only there during the call.</summary>
internal delegate void JsonValueVisitor(ReadOnlySpan<byte> json);

/// <summary>
/// Reads a document of the form <c>{"about": …, "records": [{…}, …]}</c> of any size to its end, with a buffer as large as its largest
/// record. Names are matched without regard to case, as Go's encoding/json does.
/// </summary>
internal static class JsonRecordReader
{
    /// <summary>No feed has a larger record (NVD's largest are below 5 MB); a document with one would make the memory unbounded.</summary>
    private const int LargestRecord = 32 << 20;

    /// <param name="content">UTF-8 without a byte order mark (Go refuses one).</param>
    /// <param name="list">The name of the member that holds the records, which must be there once.</param>
    /// <param name="onRecord">Told each record, in order.</param>
    /// <param name="about">Told the other members of these names.</param>
    /// <exception cref="JsonException">Not JSON, cut short, more after its end, or another form.</exception>
    public static void Read(
        Stream content, string list, JsonValueVisitor onRecord, IReadOnlyDictionary<string, JsonValueVisitor> about, CancellationToken cancellationToken)
    {
        var document = new Document(list, onRecord, about);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            int filled = 0;
            bool isFinal;
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                int n = content.Read(buffer.AsSpan(filled));
                isFinal = n == 0;
                filled += n;
                int consumed = document.Consume(buffer.AsSpan(0, filled), isFinal);
                buffer.AsSpan(consumed, filled - consumed).CopyTo(buffer);
                filled -= consumed;
                if (filled == buffer.Length)
                {
                    buffer = Grow(buffer);
                }
            }
            while (!isFinal);

            document.ThrowUnlessComplete();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] Grow(byte[] buffer)
    {
        if (buffer.Length >= LargestRecord)
        {
            throw new JsonException($"it has a single record of more than {LargestRecord >> 20} MiB");
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    private sealed class Document(string list, JsonValueVisitor onRecord, IReadOnlyDictionary<string, JsonValueVisitor> about)
    {
        private JsonReaderState _state;
        private bool _isInList;
        private bool _hasList;

        /// <returns>The bytes used up: whole members, whole records. What is left comes again with more behind it.</returns>
        public int Consume(ReadOnlySpan<byte> bytes, bool isFinal)
        {
            var reader = new Utf8JsonReader(bytes, isFinal, _state);
            Utf8JsonReader whole = reader;
            while (TryTakeOne(ref reader, bytes))
            {
                whole = reader;
            }

            _state = whole.CurrentState;
            return (int)whole.BytesConsumed;
        }

        public void ThrowUnlessComplete()
        {
            if (!_hasList)
            {
                throw new JsonException($"it has no list \"{list}\"");
            }
        }

        private bool TryTakeOne(ref Utf8JsonReader reader, ReadOnlySpan<byte> bytes)
        {
            if (!reader.Read())
            {
                return false;
            }

            switch (reader.TokenType)
            {
                case JsonTokenType.EndArray when _isInList:
                    _isInList = false;
                    return true;
                case JsonTokenType.StartObject when _isInList:
                    return TryTakeValue(ref reader, bytes, onRecord);
                case JsonTokenType.StartObject when reader.CurrentDepth == 0:
                case JsonTokenType.EndObject when reader.CurrentDepth == 0:
                    return true;
                case JsonTokenType.PropertyName when !_isInList:
                    return TryTakeMember(ref reader, bytes);
                default:
                    throw new JsonException(
                        $"a value of the kind {reader.TokenType} stands where {(_isInList ? $"a record of \"{list}\"" : "an object")} belongs");
            }
        }

        private bool TryTakeMember(ref Utf8JsonReader reader, ReadOnlySpan<byte> bytes)
        {
            string name = JsonText.Of(ref reader);
            if (!reader.Read())
            {
                return false;
            }

            if (!string.Equals(name, list, StringComparison.OrdinalIgnoreCase))
            {
                return TryTakeValue(ref reader, bytes, about.FirstOrDefault(a => string.Equals(a.Key, name, StringComparison.OrdinalIgnoreCase)).Value);
            }

            if (_hasList || reader.TokenType != JsonTokenType.StartArray)
            {
                throw new JsonException($"\"{list}\" is not one list");
            }

            _isInList = _hasList = true;
            return true;
        }

        private static bool TryTakeValue(ref Utf8JsonReader reader, ReadOnlySpan<byte> bytes, JsonValueVisitor? visitor)
        {
            int start = (int)reader.TokenStartIndex;
            if (!reader.TrySkip())
            {
                return false;
            }

            visitor?.Invoke(bytes[start..(int)reader.BytesConsumed]);
            return true;
        }
    }
}
