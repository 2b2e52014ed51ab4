using System.Formats.Tar;
using System.Text;
using QuayAirGap.Core.Sources.RhelVex;
using QuayAirGap.Core.Store;
using Xunit;
using ZstdSharp;

namespace QuayAirGap.Core.Tests.RhelVex;

/// <summary>What an upstream, or whoever stands in its place, can put into an archive.</summary>
public sealed class VexArchiveTests
{
    [Theory]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    [InlineData(TarEntryFormat.V7)]
    public void Archives_of_every_usual_format_are_read(TarEntryFormat format)
    {
        byte[] archive = Pack(tar =>
        {
            if (format == TarEntryFormat.Pax)
            {
                tar.WriteEntry(new PaxGlobalExtendedAttributesTarEntry(new Dictionary<string, string> { ["comment"] = "hello" }));
            }

            tar.WriteEntry(Entry(format, TarEntryType.Directory, "2024/", null));
            tar.WriteEntry(Entry(format, File(format), "2024/cve-2024-1000.json", "one"));
            tar.WriteEntry(Entry(format, File(format), "./2024/cve-2024-1001.json", new string('x', 512)));
            tar.WriteEntry(Entry(format, File(format), "2024/cve-2024-1002.json", new string('x', 70_000)));
        });

        Assert.Equal(
            [("2024/cve-2024-1000.json", 3), ("2024/cve-2024-1001.json", 512), ("2024/cve-2024-1002.json", 70_000)], Read(archive));
    }

    [Theory]
    [InlineData("../2024/cve-2024-1.json")]
    [InlineData("/2024/cve-2024-1.json")]
    [InlineData("2024/../../cve-2024-1.json")]
    [InlineData("2024/sub/cve-2024-1.json")]
    [InlineData("2024//cve-2024-1.json")]
    [InlineData("2024/./cve-2024-1.json")]
    [InlineData("2024\\cve-2024-1.json")]
    [InlineData("cve-2024-1.json")]
    [InlineData("2024/cve-2024-1.json.asc")]
    [InlineData("2024/.json")]
    [InlineData("2024/.hidden.json")]
    [InlineData("20244/cve-2024-1.json")]
    [InlineData("２０２４/cve-2024-1.json")]
    [InlineData("2024/cve 2024.json")]
    [InlineData("2024/cve-2024-1.json\n")]
    [InlineData("2024/C:cve.json")]
    [InlineData("2024/%2e%2e.json")]
    public void A_path_that_is_not_a_documents_is_refused(string path) =>
        Refused(Pack(tar => tar.WriteEntry(Entry(TarEntryFormat.Pax, TarEntryType.RegularFile, path, "{}"))));

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    [InlineData(TarEntryType.CharacterDevice)]
    [InlineData(TarEntryType.BlockDevice)]
    [InlineData(TarEntryType.Fifo)]
    public void Links_and_devices_are_refused(TarEntryType type) => Refused(Pack(tar =>
    {
        var entry = new PaxTarEntry(type, "2024/cve-2024-1000.json");
        if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
        {
            entry.LinkName = "/etc/passwd";
        }

        tar.WriteEntry(entry);
    }));

    [Fact]
    public void A_document_that_is_there_twice_is_refused() => Refused(Pack(tar =>
    {
        tar.WriteEntry(Entry(TarEntryFormat.Ustar, TarEntryType.RegularFile, "2024/cve-2024-1000.json", "one"));
        tar.WriteEntry(Entry(TarEntryFormat.Ustar, TarEntryType.RegularFile, "2024/cve-2024-1000.json", "two"));
    }));

    [Fact]
    public void An_archive_cut_anywhere_is_refused()
    {
        byte[] archive = Twenty();
        for (int length = 0; length < archive.Length; length++)
        {
            Refused(archive[..length]);
        }
    }

    [Fact]
    public void A_tar_that_stops_early_within_a_whole_zstd_frame_is_refused()
    {
        byte[] tar = Tar(t =>
        {
            for (int i = 1000; i < 1010; i++)
            {
                t.WriteEntry(Entry(TarEntryFormat.Ustar, TarEntryType.RegularFile, $"2024/cve-2024-{i}.json", "{}"));
            }
        });

        Assert.Equal(10, Read(Compress(tar)).Count);
        for (int length = 0; length <= tar.Length - 1024; length += 512)
        {
            Refused(Compress(tar[..length]));
        }

        Refused(Compress([.. tar, 1]));
    }

    [Fact]
    public void Damage_is_noticed_or_without_effect()
    {
        byte[] archive = Twenty();
        var random = new Random(4);
        for (int i = 0; i < 400; i++)
        {
            byte[] damaged = [.. archive];
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                Read(damaged);
            }
            catch (FeedException e)
            {
                Assert.Equal(ErrorIds.UpstreamContent, e.ErrorId);
            }
        }
    }

    [Fact]
    public void Bombs_are_stopped_by_what_they_say_and_by_what_they_are()
    {
        byte[] many = Pack(tar =>
        {
            for (int i = 0; i < 200; i++)
            {
                tar.WriteEntry(Entry(TarEntryFormat.Ustar, TarEntryType.Directory, "2024/", null));
            }
        });
        byte[] large = Pack(tar =>
        {
            for (int i = 1000; i < 1100; i++)
            {
                tar.WriteEntry(Entry(TarEntryFormat.Ustar, TarEntryType.RegularFile, $"2024/cve-2024-{i}.json", new string(' ', 10_000)));
            }
        });
        byte[] header = Tar(tar => tar.WriteEntry(Entry(TarEntryFormat.Ustar, TarEntryType.RegularFile, "2024/cve-2024-1000.json", "")));

        Assert.Empty(Read(many));
        Assert.Equal(100, Read(large).Count);
        Refused(many, maxEntries: 199);
        Refused(large, maxTotalSize: 999_999);
        foreach (string size in new[] { "77777777777\0", "02000000001\0", "-0000000001\0", "\x80\0\0\0\0\0\0\0\0\0\0\x01" })
        {
            Refused(Compress(WithSize(header, size)));
        }
    }

    [Theory]
    [InlineData("size", "5")]
    [InlineData("path", "../../etc/passwd.json")]
    [InlineData("linkpath", "/etc/passwd")]
    [InlineData("GNU.sparse.major", "1")]
    public void An_extended_header_cannot_say_what_the_header_does_not(string key, string value)
    {
        string record = $" {key}={value}\n";
        int length = record.Length + 2;
        byte[] attributes = Encoding.UTF8.GetBytes($"{length}{record}");
        byte[] tar = Tar(t =>
        {
            t.WriteEntry(Entry(TarEntryFormat.Ustar, TarEntryType.RegularFile, "ext", Encoding.UTF8.GetString(attributes)));
            t.WriteEntry(Entry(TarEntryFormat.Ustar, TarEntryType.RegularFile, "2024/cve-2024-1000.json", "{}"));
        });
        tar[156] = (byte)'x';
        Refused(Compress(WithSize(tar, Encoding.ASCII.GetString(tar, 124, 12))));
    }

    [Fact]
    public void What_is_no_archive_is_refused()
    {
        Refused([]);
        Refused("<html>Please log in</html>"u8.ToArray());
        Refused(Compress("<html>Please log in</html>"u8.ToArray()));
        Refused(Compress(new byte[300]));
    }

    private static byte[] Twenty() => VexUpstream.MakeArchive(
        [.. Enumerable.Range(1000, 20).Select(i => $"2024/cve-2024-{i}.json").Select(path => (path, VexUpstream.Content(path, 1)))]);

    private static List<(string Path, long Size)> Read(byte[] archive, int maxEntries = 1000, long maxTotalSize = 1L << 30)
    {
        var entries = new List<(string, long)>();
        using var reader = new VexArchive(new MemoryStream(archive), "https://host/a.tar.zst", maxEntries, maxTotalSize);
        while (reader.MoveNext())
        {
            var content = new MemoryStream();
            if (entries.Count % 2 == 0)
            {
                reader.Content.CopyTo(content);
                Assert.Equal(reader.Size, content.Length);
            }

            entries.Add((reader.Path, reader.Size));
        }

        return entries;
    }

    private static void Refused(byte[] archive, int maxEntries = 1000, long maxTotalSize = 1L << 30)
    {
        FeedException e = Assert.Throws<FeedException>(() => Read(archive, maxEntries, maxTotalSize));
        Assert.Equal(ErrorIds.UpstreamContent, e.ErrorId);
        Assert.Equal("https://host/a.tar.zst", e.Target);
    }

    private static TarEntryType File(TarEntryFormat format) => format == TarEntryFormat.V7 ? TarEntryType.V7RegularFile : TarEntryType.RegularFile;

    private static TarEntry Entry(TarEntryFormat format, TarEntryType type, string path, string? content)
    {
        TarEntry entry = format switch
        {
            TarEntryFormat.V7 => new V7TarEntry(type, path),
            TarEntryFormat.Ustar => new UstarTarEntry(type, path),
            TarEntryFormat.Gnu => new GnuTarEntry(type, path),
            _ => new PaxTarEntry(type, path),
        };
        if (content is not null)
        {
            entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content));
        }

        return entry;
    }

    private static byte[] Tar(Action<TarWriter> write)
    {
        using var content = new MemoryStream();
        using (var tar = new TarWriter(content, TarEntryFormat.Pax, leaveOpen: true))
        {
            write(tar);
        }

        return content.ToArray();
    }

    private static byte[] Pack(Action<TarWriter> write) => Compress(Tar(write));

    private static byte[] Compress(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var zstd = new CompressionStream(packed, 3))
        {
            zstd.Write(content);
        }

        return packed.ToArray();
    }

    /// <summary>Sets the first header's size field and mends its checksum.</summary>
    private static byte[] WithSize(byte[] tar, string size)
    {
        byte[] changed = [.. tar];
        Encoding.Latin1.GetBytes(size, changed.AsSpan(124, 12));
        changed.AsSpan(148, 8).Fill((byte)' ');
        string sum = Convert.ToString(changed.Take(512).Sum(b => b), 8).PadLeft(6, '0') + "\0 ";
        Encoding.ASCII.GetBytes(sum, changed.AsSpan(148, 8));
        return changed;
    }
}
