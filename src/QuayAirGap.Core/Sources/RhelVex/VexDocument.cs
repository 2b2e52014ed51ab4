using System.Buffers;
using System.Text.Json;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>Reads a CSAF document to its end, in pieces: that it is JSON, and which tracking id it gives itself.</summary>
internal static class VexDocument
{
    private const int MaxToken = 16 << 20;

    /// <returns>document.tracking.id, or null where there is none.</returns>
    /// <exception cref="JsonException">It is not one JSON value.</exception>
    public static string? ReadTrackingId(Stream content)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        try
        {
            // Clair only compacts what it reads, so the depth is no concern of its own; Go itself stops at 10,000.
            var state = new JsonReaderState(new JsonReaderOptions { MaxDepth = 1000 });
            var finder = new Finder();
            int filled = 0;
            while (true)
            {
                int read = content.Read(buffer, filled, buffer.Length - filled);
                filled += read;
                var reader = new Utf8JsonReader(buffer.AsSpan(0, filled), isFinalBlock: read == 0, state);
                while (reader.Read())
                {
                    finder.See(ref reader);
                }

                if (read == 0)
                {
                    return finder.Id;
                }

                int consumed = (int)reader.BytesConsumed;
                state = reader.CurrentState;
                filled -= consumed;
                if (consumed > 0)
                {
                    buffer.AsSpan(consumed, filled).CopyTo(buffer);
                }
                else if (filled == buffer.Length)
                {
                    buffer = Grow(buffer);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] Grow(byte[] buffer)
    {
        if (buffer.Length >= MaxToken)
        {
            throw new JsonException($"It has a value of more than {MaxToken >> 20} MiB.");
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    /// <summary>Follows document → tracking → id.</summary>
    private struct Finder
    {
        private int _matched;
        private bool _next;

        public string? Id { get; private set; }

        public void See(ref Utf8JsonReader reader)
        {
            if (_next)
            {
                _next = false;
                if (_matched == 2)
                {
                    Id = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                }
                else if (reader.TokenType == JsonTokenType.StartObject)
                {
                    _matched++;
                }
            }
            else if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == _matched + 1)
            {
                _next = reader.ValueTextEquals(_matched switch { 0 => "document"u8, 1 => "tracking"u8, _ => "id"u8 });
            }
            else if (reader.TokenType == JsonTokenType.EndObject && reader.CurrentDepth == _matched && _matched > 0)
            {
                _matched--;
            }
        }
    }
}
