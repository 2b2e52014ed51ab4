using System.Buffers;
using System.Text.Json;

namespace QuayAirGap.Core.Sources.Json;

/// <summary>Reads a JSON document of any size to its end, against a shape, with a buffer as large as its longest text.</summary>
internal static class JsonShapeReader
{
    /// <summary>No feed has a longer text; a document with one would make the memory unbounded.</summary>
    private const int LongestToken = 16 << 20;

    /// <param name="content">The document, UTF-8 without a byte order mark (Go refuses one).</param>
    /// <param name="shape">What it must look like.</param>
    /// <param name="url">Where it is from, for the error.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamContent"/>: not JSON, cut short, more after its end, or another shape.</exception>
    public static async Task ReadAsync(Stream content, JsonShape shape, string url, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            var walker = new JsonShapeWalker(shape);
            int filled = 0;
            bool isFinal;
            do
            {
                int read = await content.ReadAsync(buffer.AsMemory(filled), cancellationToken).ConfigureAwait(false);
                isFinal = read == 0;
                filled += read;
                int consumed = walker.Consume(buffer.AsSpan(0, filled), isFinal);
                buffer.AsSpan(consumed, filled - consumed).CopyTo(buffer);
                filled -= consumed;
                if (filled == buffer.Length)
                {
                    buffer = Grow(buffer);
                }
            }
            while (!isFinal);
        }
        catch (JsonException e)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{url}' is not the JSON document that Clair reads: {e.Message}", url,
                "Nothing of this source was taken. Look at the document; a proxy or a half-written upstream is the usual cause.", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] Grow(byte[] buffer)
    {
        if (buffer.Length >= LongestToken)
        {
            throw new JsonException($"It has a single value of more than {LongestToken >> 20} MiB.");
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
