using System.Globalization;
using System.Security.Cryptography;

namespace QuayAirGap.TestKit.Upstream;

/// <summary>One file of the upstream in one state. A change makes another object, so an answer under way never mixes two states.</summary>
internal sealed class UpstreamFile
{
    private readonly string? _path;
    private readonly byte[] _bytes = [];
    private readonly Lazy<string> _hash;

    public UpstreamFile(string path, DateTimeOffset lastModified)
    {
        _path = path;
        Length = new FileInfo(path).Length;
        LastModified = WholeSeconds(lastModified);
        _hash = new Lazy<string>(() =>
        {
            using var stream = OpenAt(0);
            return Convert.ToHexStringLower(SHA256.HashData(stream).AsSpan(0, 16));
        });
    }

    public UpstreamFile(byte[] bytes, DateTimeOffset lastModified)
    {
        _bytes = bytes;
        Length = bytes.LongLength;
        LastModified = WholeSeconds(lastModified);
        _hash = new Lazy<string>(() => Convert.ToHexStringLower(SHA256.HashData(_bytes).AsSpan(0, 16)));
    }

    private UpstreamFile(UpstreamFile other, DateTimeOffset lastModified)
    {
        _path = other._path;
        _bytes = other._bytes;
        _hash = other._hash;
        Length = other.Length;
        LastModified = WholeSeconds(lastModified);
    }

    public long Length { get; }

    public DateTimeOffset LastModified { get; }

    public UpstreamFile At(DateTimeOffset lastModified) => new(this, lastModified);

    public string? ETag(ETagStyle style) => style switch
    {
        ETagStyle.None => null,
        ETagStyle.SizeMtime => string.Create(CultureInfo.InvariantCulture, $"\"{Length:x}-{LastModified.ToUnixTimeSeconds():x}\""),
        ETagStyle.Weak => $"W/\"{_hash.Value}\"",
        _ => $"\"{_hash.Value}\"",
    };

    public Stream OpenAt(long offset)
    {
        if (_path is null)
        {
            return new MemoryStream(_bytes, (int)offset, _bytes.Length - (int)offset, writable: false);
        }

        var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = offset;
        return stream;
    }

    private static DateTimeOffset WholeSeconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
}
