using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace QuayAirGap.Core.Store;

/// <summary>A blob being written: hashed on the way, renamed into the store when committed, gone when disposed without.</summary>
public sealed class BlobWriter : Stream
{
    private readonly BlobStore _store;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly string _path;
    private SafeFileHandle? _file;
    private long _length;

    internal BlobWriter(BlobStore store, string staging)
    {
        _store = store;
        Directory.CreateDirectory(staging);
        _path = Path.Combine(staging, Guid.NewGuid().ToString("N") + ".blob");
        _file = File.OpenHandle(_path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _length;

    public override long Position { get => _length; set => throw new NotSupportedException(); }

    /// <summary>Finishes the blob and puts it in its place.</summary>
    public (string Sha256, long Size) Commit(CancellationToken cancellationToken)
    {
        SafeFileHandle file = _file ?? throw new ObjectDisposedException(nameof(BlobWriter));
        cancellationToken.ThrowIfCancellationRequested();
        string sha256 = Sha256Digest.ToText(_hash.GetHashAndReset());
        file.Dispose();
        _file = null;
        _store.Adopt(_path, sha256, _length);
        return (sha256, _length);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        RandomAccess.Write(_file!, buffer, _length);
        _hash.AppendData(buffer);
        _length += buffer.Length;
    }

    /// <remarks>On this thread. An asynchronous file is one whose pieces .NET hands to another thread, which then waits for the disk in this one's place.</remarks>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

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
            if (_file is not null)
            {
                _file.Dispose();
                _file = null;
                File.Delete(_path);
            }

            _hash.Dispose();
        }

        base.Dispose(disposing);
    }
}
