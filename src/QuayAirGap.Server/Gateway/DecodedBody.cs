using System.IO.Compression;
using ZstdSharp;

namespace QuayAirGap.Server.Gateway;

/// <summary>Clair's answer without its content coding.</summary>
internal sealed class DecodedBody : IHeldBytes, IDisposable
{
    private readonly ArrivingStream _coded;
    private readonly HeldBuffer _buffer;
    private readonly Stream _decoder;

    private DecodedBody(ArrivingStream coded, Stream decoder, HeldBuffer buffer)
    {
        _coded = coded;
        _decoder = decoder;
        _buffer = buffer;
    }

    public ReadOnlyMemory<byte> Held => _buffer.Held;

    /// <param name="body">The answer as it comes. All of it stays held, until <see cref="LetGo"/>.</param>
    /// <param name="coding">In lower case.</param>
    /// <param name="limit">How many bytes it may hold.</param>
    /// <param name="memory">Where they come from.</param>
    /// <param name="patience">Ends when it takes too long, until <see cref="LetGo"/>.</param>
    /// <exception cref="HoldException">The coding is not known, or there is no memory left.</exception>
    public static async ValueTask<DecodedBody> OfAsync(HeldBody body, string coding, int limit, HeldMemory memory, CancellationToken patience)
    {
        var coded = new ArrivingStream(body, patience);
        Stream decoder = coding switch
        {
            "gzip" or "x-gzip" => new GZipStream(coded, CompressionMode.Decompress),
            "deflate" => await HasHeadAsync(body, patience) ? new ZLibStream(coded, CompressionMode.Decompress) : new DeflateStream(coded, CompressionMode.Decompress),
            "zstd" => new DecompressionStream(coded),
            _ => throw new HoldException(GatewayFailure.Encoding, $"its coding '{coding}' is not known"),
        };
        return new DecodedBody(coded, decoder, new HeldBuffer(limit, memory));
    }

    public async ValueTask<bool> MoreAsync(int most, CancellationToken cancellationToken)
    {
        Memory<byte> room = _buffer.Room();
        int n = await _decoder.ReadAsync(room[..Math.Min(most, room.Length)], cancellationToken);
        if (n > 0)
        {
            _buffer.Add(n);
            return true;
        }

        // What follows the coding's end belongs to the answer all the same, and says how that ended.
        byte[] nowhere = new byte[4096];
        while (await _coded.ReadAsync(nowhere, cancellationToken) > 0)
        {
            // To the end.
        }

        return false;
    }

    public void Forget(int count) => _buffer.Forget(count);

    /// <summary>The answer goes on without the coding: what was decoded is needed no more as it came.</summary>
    public void LetGo() => _coded.LetGo();

    public void Dispose()
    {
        _decoder.Dispose();
        _buffer.Dispose();
    }

    /// <summary>Clair means the bare format by "deflate" (clair middleware/compress), everybody else the one with a head (RFC 9110, 8.4.1.2): the first two bytes tell.</summary>
    private static async ValueTask<bool> HasHeadAsync(HeldBody body, CancellationToken patience)
    {
        while (body.Held.Length < 2 && await body.MoreAsync(1024, patience))
        {
            // One may come alone.
        }

        ReadOnlySpan<byte> head = body.Held.Span;
        return head.Length >= 2 && (head[0] & 15) == 8 && ((head[0] << 8) | head[1]) % 31 == 0;
    }
}
