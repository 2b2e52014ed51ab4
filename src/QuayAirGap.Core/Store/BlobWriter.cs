using System.Security.Cryptography;

namespace QuayAirGap.Core.Store;

/// <summary>A blob being written: hashed on the way, renamed into the store when committed, gone when disposed without.</summary>
public sealed class BlobWriter : Stream
{
    private readonly BlobStore _store;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly string _path;
    private FileStream? _file;
    private long _length;

    internal BlobWriter(BlobStore store, string staging)
    {
        _store = store;
        Directory.CreateDirectory(staging);
        _path = Path.Combine(staging, Guid.NewGuid().ToString("N") + ".blob");
        _file = new FileStream(_path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            BufferSize = 0,
            Options = FileOptions.Asynchronous,
        });
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _length;

    public override long Position { get => _length; set => throw new NotSupportedException(); }

    /// <summary>Finishes the blob and puts it in its place.</summary>
    public async Task<(string Sha256, long Size)> CommitAsync(CancellationToken cancellationToken)
    {
        FileStream file = _file ?? throw new ObjectDisposedException(nameof(BlobWriter));
        cancellationToken.ThrowIfCancellationRequested();
        string sha256 = Sha256Digest.ToText(_hash.GetHashAndReset());
        await file.DisposeAsync().ConfigureAwait(false);
        _file = null;
        _store.Adopt(_path, sha256, _length);
        return (sha256, _length);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _file!.Write(buffer);
        _hash.AppendData(buffer);
        _length += buffer.Length;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _file!.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        _hash.AppendData(buffer.Span);
        _length += buffer.Length;
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

    public override async ValueTask DisposeAsync()
    {
        if (_file is not null)
        {
            await _file.DisposeAsync().ConfigureAwait(false);
            _file = null;
            File.Delete(_path);
        }

        _hash.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }
}
