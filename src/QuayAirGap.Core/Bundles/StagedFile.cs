using Microsoft.Win32.SafeHandles;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Streams;

namespace QuayAirGap.Core.Bundles;

/// <summary>A content that is being staged: written once, from its beginning to its end.</summary>
internal sealed class StagedFile : WriteOnlyStream
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

    public override long Length => _length;

    public override long Position { get => _length; set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        RandomAccess.Write(_file, buffer, _length);
        _length += buffer.Length;
        _behind.Advance(_length);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
        }

        base.Dispose(disposing);
    }
}
