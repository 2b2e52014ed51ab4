using System.Buffers;
using System.Text.Json;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>Reads a CSAF document to its end, in pieces: that it is JSON, and which tracking id it gives itself.</summary>
internal sealed class VexDocument : IDisposable
{
    private const int MaxToken = 16 << 20;

    private byte[] _rest = ArrayPool<byte>.Shared.Rent(64 << 10);
    private int _filled;

    // Clair only compacts what it reads, so the depth is no concern of its own; Go itself stops at 10,000.
    private JsonReaderState _state = new(new JsonReaderOptions { MaxDepth = 1000 });
    private Finder _finder;

    /// <returns>document.tracking.id, or null where there is none.</returns>
    /// <exception cref="JsonException">It is not one JSON value.</exception>
    public static string? ReadTrackingId(Stream content)
    {
        using var document = new VexDocument();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        try
        {
            int read;
            while ((read = content.Read(buffer)) > 0)
            {
                document.Append(buffer.AsSpan(0, read));
            }

            return document.Complete();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Takes the next piece.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public void Append(ReadOnlySpan<byte> piece)
    {
        while (!piece.IsEmpty)
        {
            // Behind what is left of a token that lies across two pieces; in steps, so that only a token makes the buffer grow.
            if (_filled == _rest.Length)
            {
                Grow();
            }

            int taken = Math.Min(piece.Length, _rest.Length - _filled);
            piece[..taken].CopyTo(_rest.AsSpan(_filled));
            piece = piece[taken..];
            _filled += taken;
            int used = Read(_rest.AsSpan(0, _filled), isFinal: false);
            _rest.AsSpan(used, _filled - used).CopyTo(_rest);
            _filled -= used;
        }
    }

    /// <returns>document.tracking.id, or null where there is none.</returns>
    /// <exception cref="JsonException">What came is not one JSON value.</exception>
    public string? Complete()
    {
        Read(_rest.AsSpan(0, _filled), isFinal: true);
        return _finder.Id;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_rest);

    private int Read(ReadOnlySpan<byte> bytes, bool isFinal)
    {
        var reader = new Utf8JsonReader(bytes, isFinal, _state);
        while (reader.Read())
        {
            _finder.See(ref reader);
        }

        _state = reader.CurrentState;
        return (int)reader.BytesConsumed;
    }

    private void Grow()
    {
        if (_rest.Length >= MaxToken)
        {
            throw new JsonException($"It has a value of more than {MaxToken >> 20} MiB.");
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent(_rest.Length * 2);
        _rest.AsSpan(0, _filled).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_rest);
        _rest = larger;
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
