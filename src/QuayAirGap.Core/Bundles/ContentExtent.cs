using Microsoft.Win32.SafeHandles;

namespace QuayAirGap.Core.Bundles;

/// <summary>Where one named piece of a bundle lies: a run of bytes within the archive, or a file of the folder.</summary>
internal readonly record struct ContentExtent(string File, long Offset, long Size)
{
    public SafeFileHandle Open() => System.IO.File.OpenHandle(File, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.SequentialScan);

    /// <summary>All of it, for the small documents.</summary>
    public byte[] ReadAll()
    {
        using SafeFileHandle handle = Open();
        byte[] content = new byte[Size];
        for (int done = 0; done < content.Length;)
        {
            int read = RandomAccess.Read(handle, content.AsSpan(done), Offset + done);
            done += read > 0 ? read : throw BundleErrors.Truncated(File, "it became shorter while it was read");
        }

        return content;
    }

    /// <summary>Writes all of it, or what comes after its first bytes.</summary>
    public async Task CopyToAsync(Stream target, long from, CancellationToken cancellationToken)
    {
        using SafeFileHandle handle = System.IO.File.OpenHandle(
            File, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.SequentialScan | FileOptions.Asynchronous);
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(BundleFormat.BufferSize);
        try
        {
            for (long done = from; done < Size;)
            {
                Memory<byte> next = buffer.AsMemory(0, (int)Math.Min(buffer.Length, Size - done));
                int read = await RandomAccess.ReadAsync(handle, next, Offset + done, cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    throw BundleErrors.Truncated(File, "it became shorter while it was read");
                }

                await target.WriteAsync(next[..read], cancellationToken).ConfigureAwait(false);
                done += read;
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
