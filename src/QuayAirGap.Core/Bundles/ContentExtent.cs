namespace QuayAirGap.Core.Bundles;

/// <summary>Where one named piece of a bundle lies: a run of bytes within the archive, or a file of the folder.</summary>
internal readonly record struct ContentExtent(ArchiveBytes Bytes, long Offset, long Size)
{
    public ArchiveBytes.Reader Open() => Bytes.Open();

    /// <summary>All of it, for the small documents.</summary>
    public byte[] ReadAll()
    {
        using ArchiveBytes.Reader reader = Open();
        byte[] content = new byte[Size];
        for (int done = 0; done < content.Length;)
        {
            int read = reader.Read(content.AsSpan(done), Offset + done);
            done += read > 0 ? read : throw BundleErrors.Truncated(Bytes.Name, "it became shorter while it was read");
        }

        return content;
    }

    /// <summary>Writes all of it, or what comes after its first bytes.</summary>
    public async Task CopyToAsync(Stream target, long from, CancellationToken cancellationToken)
    {
        using ArchiveBytes.Reader reader = Open();
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(BundleFormat.BufferSize);
        try
        {
            for (long done = from; done < Size;)
            {
                Memory<byte> next = buffer.AsMemory(0, (int)Math.Min(buffer.Length, Size - done));
                int read = await reader.ReadAsync(next, Offset + done, cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    throw BundleErrors.Truncated(Bytes.Name, "it became shorter while it was read");
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
