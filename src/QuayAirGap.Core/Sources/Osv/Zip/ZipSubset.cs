using System.Buffers.Binary;

namespace QuayAirGap.Core.Sources.Osv.Zip;

/// <summary>
/// Copies a zip file without some of its members. What is kept is kept to the byte: local headers, compressed content, data descriptors
/// and the order of both records and directory. Only offsets, counts and sizes in the directory and its end are new. One input, one output.
/// </summary>
internal static class ZipSubset
{
    /// <param name="zip">The file of <paramref name="index"/>; seekable.</param>
    /// <param name="index">Its structure.</param>
    /// <param name="leftOut">Positions within <see cref="ZipIndex.Members"/>.</param>
    /// <param name="output">Written from its current position, which becomes offset 0.</param>
    /// <param name="cancellationToken">Leaves the output unfinished.</param>
    public static async Task WriteAsync(
        Stream zip, ZipIndex index, IReadOnlySet<int> leftOut, Stream output, CancellationToken cancellationToken)
    {
        int[] kept = [.. Enumerable.Range(0, index.Members.Count).Where(i => !leftOut.Contains(i))];
        var offsets = new Dictionary<int, long>(kept.Length);
        byte[] buffer = new byte[128 * 1024];
        long written = 0;
        foreach (int i in kept.OrderBy(i => index.Members[i].Offset))
        {
            ZipMember member = index.Members[i];
            offsets[i] = written;
            if (zip.Position != member.Offset)
            {
                zip.Position = member.Offset;
            }

            for (long left = member.RecordLength; left > 0;)
            {
                int n = (int)Math.Min(left, buffer.Length);
                await zip.ReadExactlyAsync(buffer.AsMemory(0, n), cancellationToken).ConfigureAwait(false);
                await output.WriteAsync(buffer.AsMemory(0, n), cancellationToken).ConfigureAwait(false);
                left -= n;
            }

            written += member.RecordLength;
        }

        byte[] directory = Directory(index, kept, offsets);
        await output.WriteAsync(directory, cancellationToken).ConfigureAwait(false);
        await output.WriteAsync(End(index, kept.Length, directory.Length, written), cancellationToken).ConfigureAwait(false);
    }

    private static byte[] Directory(ZipIndex index, int[] kept, Dictionary<int, long> offsets)
    {
        byte[] directory = new byte[kept.Sum(i => index.Members[i].HeaderLength)];
        int position = 0;
        foreach (int i in kept)
        {
            ZipMember member = index.Members[i];
            index.Directory.AsSpan(member.HeaderStart, member.HeaderLength).CopyTo(directory.AsSpan(position));
            Span<byte> field = directory.AsSpan(position + member.OffsetField - member.HeaderStart);

            // Offsets only shrink, so each fits where it was.
            if (member.OffsetIsLong)
            {
                BinaryPrimitives.WriteInt64LittleEndian(field, offsets[i]);
            }
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(field, (uint)offsets[i]);
            }

            position += member.HeaderLength;
        }

        return directory;
    }

    private static byte[] End(ZipIndex index, long count, long directorySize, long directoryOffset)
    {
        using var end = new MemoryStream();
        byte[] last = [.. index.End];
        if (index.End64 is { } original)
        {
            byte[] end64 = [.. original];
            BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(4), end64.Length - 12);
            BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(24), count);
            BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(32), count);
            BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(40), directorySize);
            BinaryPrimitives.WriteInt64LittleEndian(end64.AsSpan(48), directoryOffset);
            end.Write(end64);
            byte[] locator = new byte[20];
            "PK\x06\x07"u8.CopyTo(locator);
            BinaryPrimitives.WriteInt64LittleEndian(locator.AsSpan(8), directoryOffset + directorySize);
            BinaryPrimitives.WriteUInt32LittleEndian(locator.AsSpan(16), 1);
            end.Write(locator);

            // All three in the Zip64 record, so that every reader takes them from there.
            last.AsSpan(8, 4).Fill(0xFF);
            last.AsSpan(12, 8).Fill(0xFF);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(last.AsSpan(8), (ushort)count);
            BinaryPrimitives.WriteUInt16LittleEndian(last.AsSpan(10), (ushort)count);
            BinaryPrimitives.WriteUInt32LittleEndian(last.AsSpan(12), (uint)directorySize);
            BinaryPrimitives.WriteUInt32LittleEndian(last.AsSpan(16), (uint)directoryOffset);
        }

        end.Write(last);
        return end.ToArray();
    }
}
