namespace QuayAirGap.Core.Bundles;

/// <summary>One file of a bundle's archive as it is written: header, content, zeros up to the next block.</summary>
internal static class ArchiveEntry
{
    /// <summary>Bytes that it takes in the archive.</summary>
    public static long LengthOf(long size) => UstarHeader.BlockSize + size + UstarHeader.Padding(size);

    public static byte[] Header(string name, long size)
    {
        byte[] header = new byte[UstarHeader.BlockSize];
        UstarHeader.Format(header, name, size);
        return header;
    }

    public static ValueTask WriteHeaderAsync(Stream archive, string name, long size, CancellationToken cancellationToken) =>
        archive.WriteAsync(Header(name, size), cancellationToken);

    public static async Task WriteAsync(Stream archive, string name, byte[] content, CancellationToken cancellationToken)
    {
        await WriteHeaderAsync(archive, name, content.Length, cancellationToken).ConfigureAwait(false);
        await archive.WriteAsync(content, cancellationToken).ConfigureAwait(false);
        await archive.WriteAsync(new byte[UstarHeader.Padding(content.Length)], cancellationToken).ConfigureAwait(false);
    }
}
