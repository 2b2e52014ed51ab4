using System.Text;
using QuayAirGap.Server.Contents;

namespace QuayAirGap.Server.Http;

/// <summary>Several parts of one body as multipart/byteranges (RFC 9110, section 14.6).</summary>
internal sealed class MultipartRanges
{
    private readonly string _boundary = Guid.NewGuid().ToString("N");
    private readonly List<(byte[] Head, ByteRange Range)> _parts;
    private readonly byte[] _end;

    public MultipartRanges(IReadOnlyList<ByteRange> ranges, Resource resource)
    {
        _parts = [.. ranges.Select(r => (
            Encoding.ASCII.GetBytes(
                $"\r\n--{_boundary}\r\nContent-Type: {resource.ContentType}\r\nContent-Range: {r.ContentRange(resource.Body.Length)}\r\n\r\n"),
            r))];
        _end = Encoding.ASCII.GetBytes($"\r\n--{_boundary}--\r\n");
    }

    public string ContentType => $"multipart/byteranges; boundary={_boundary}";

    public long Length => _parts.Sum(p => p.Head.Length + p.Range.Count) + _end.Length;

    public async ValueTask WriteAsync(ResponseSink sink, Body body)
    {
        foreach ((byte[] head, ByteRange range) in _parts)
        {
            await sink.WriteAsync(head);
            await body.WriteAsync(sink, range.Offset, range.Count);
        }

        await sink.WriteAsync(_end);
    }
}
