using Microsoft.Win32.SafeHandles;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles;

/// <summary>A content that is being staged: written once, from its beginning to its end.</summary>
internal sealed class StagedFile : Stream
{
    private readonly SafeFileHandle _file;
    private readonly WriteBehind _behind;
    private long _length;

    public StagedFile(string path)
    {
        // Never Create: it truncates, and ext4 then writes the file out when it is closed, ten times slower for small ones.
        _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        _behind = new WriteBehind(_file);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _length;

    public override long Position { get => _length; set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        RandomAccess.Write(_file, buffer, _length);
        _length += buffer.Length;
        _behind.Advance(_length);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
        }

        base.Dispose(disposing);
    }
}
