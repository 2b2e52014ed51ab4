using System.Formats.Tar;
using System.IO.Compression;
using ICSharpCode.SharpZipLib.BZip2;
using ZstdSharp;

namespace QuayAirGap.TestKit.Samples;

/// <summary>Makes archives and packed documents in the forms that upstreams publish, with the members in the order given.</summary>
public static class ArchiveBuilder
{
    /// <summary>A zip as OSV publishes it: deflated members, no folders.</summary>
    public static byte[] Zip(IEnumerable<ArchiveMember> members)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var member in members)
            {
                var entry = zip.CreateEntry(member.Path, CompressionLevel.Optimal);
                // A zip keeps local time without a zone; upstream writes UTC.
                entry.LastWriteTime = new DateTimeOffset(member.Time.UtcDateTime, TimeSpan.Zero);
                using var stream = entry.Open();
                stream.Write(member.Content);
            }
        }

        return bytes.ToArray();
    }

    /// <summary>A tar in zstd as Red Hat publishes it: plain files owned by 0:0.</summary>
    public static byte[] TarZst(IEnumerable<ArchiveMember> members)
    {
        using var bytes = new MemoryStream();
        using (var zstd = new CompressionStream(bytes, level: 19, leaveOpen: true))
        {
            Tar(members, zstd);
        }

        return bytes.ToArray();
    }

    /// <summary>A plain tar.</summary>
    public static byte[] Tar(IEnumerable<ArchiveMember> members)
    {
        using var bytes = new MemoryStream();
        Tar(members, bytes);
        return bytes.ToArray();
    }

    /// <summary>One document in gzip, as SUSE publishes it.</summary>
    public static byte[] Gzip(byte[] content)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return bytes.ToArray();
    }

    /// <summary>One document in bzip2, as Oracle and Ubuntu publish it.</summary>
    public static byte[] Bzip2(byte[] content)
    {
        using var bytes = new MemoryStream();
        using (var bzip2 = new BZip2OutputStream(bytes) { IsStreamOwner = false })
        {
            bzip2.Write(content);
        }

        return bytes.ToArray();
    }

    private static void Tar(IEnumerable<ArchiveMember> members, Stream destination)
    {
        using var tar = new TarWriter(destination, TarEntryFormat.Ustar, leaveOpen: true);
        foreach (var member in members)
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, member.Path)
            {
                DataStream = new MemoryStream(member.Content),
                ModificationTime = member.Time,
                Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            });
        }
    }
}
