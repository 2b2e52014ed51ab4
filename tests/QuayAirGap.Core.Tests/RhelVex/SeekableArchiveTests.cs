using System.Diagnostics;
using System.Formats.Tar;
using System.Text;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Support;
using Xunit;
using ZstdSharp;

namespace QuayAirGap.Core.Tests.RhelVex;

public sealed class SeekableArchiveTests
{
    [Fact]
    public void Every_document_is_read_alone_and_all_of_them_in_order()
    {
        List<(string Path, byte[] Content)> documents = Make(new Random(1), 200);
        documents.Insert(50, ("2024/empty.json", []));
        documents.Insert(120, ("2024/block.json", new byte[512]));
        documents.Add(("2024/larger-than-a-frame.json", Noise(new Random(2), 17 << 20)));
        (byte[] archive, IReadOnlyList<ArchiveMember> members) = Write(documents);

        foreach ((string path, byte[] content) in documents)
        {
            Assert.Equal(content, SeekableArchive.ReadMember(new MemoryStream(archive), members.Single(m => m.Path == path)));
        }

        Assert.True(members.Select(m => m.FrameOffset).Distinct().Count() > 5);
        Assert.Equal(documents.Select(d => d.Path), Unpack(archive).Select(d => d.Path));
        Assert.Equal(documents.Select(d => Sha256Digest.Of(d.Content)), Unpack(archive).Select(d => Sha256Digest.Of(d.Content)));
        Assert.Equal(members.Select(m => m.Path).Order(StringComparer.Ordinal), members.Select(m => m.Path));
    }

    [Fact]
    public async Task The_usual_tools_read_it()
    {
        Assert.SkipUnless(File.Exists("/bin/sh") && Run("command -v zstd && command -v tar").Code == 0, "zstd and tar are not installed here");
        using var folder = new TempFolder();
        List<(string Path, byte[] Content)> documents = Make(new Random(3), 100);
        await File.WriteAllBytesAsync(folder.Of("a.tar.zst"), Write(documents).Archive);

        (int code, string output) = Run($"zstd -t -q '{folder.Of("a.tar.zst")}' && zstd -dc '{folder.Of("a.tar.zst")}' | tar tf -");

        Assert.Equal(0, code);
        Assert.Equal(documents.Select(d => d.Path), output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Built_upon_its_predecessor_it_has_the_very_bytes_of_one_built_anew(int seed)
    {
        var random = new Random(seed);
        List<(string Path, byte[] Content)> documents = Make(random, 600);
        (byte[] archive, IReadOnlyList<ArchiveMember> members) = Write(documents);
        for (int generation = 0; generation < 5; generation++)
        {
            var opened = new List<string>();
            var touched = new HashSet<string>();
            for (int change = random.Next(1, 12); change > 0; change--)
            {
                int at = random.Next(documents.Count);
                switch (random.Next(4))
                {
                    case 0:
                        documents.RemoveAt(at);
                        break;
                    case 1:
                        documents.Insert(at, ($"2025/new-{seed}-{generation}-{change}.json", Noise(random, random.Next(9000))));
                        touched.Add(documents[at].Path);
                        break;
                    case 2:
                        // The same documents in another order, as upstream's next archive may have them.
                        (documents[at], documents[0]) = (documents[0], documents[at]);
                        break;
                    default:
                        documents[at] = (documents[at].Path, Noise(random, random.Next(9000)));
                        touched.Add(documents[at].Path);
                        break;
                }
            }

            (byte[] anew, _) = Write(documents);
            (byte[] upon, IReadOnlyList<ArchiveMember> table) = Write(documents, (archive, members), opened);

            Assert.Equal(anew, upon);
            Assert.True(opened.ToHashSet().IsSubsetOf(touched), "an unchanged document was asked for");
            Assert.All(documents, d => Assert.Equal(d.Content, SeekableArchive.ReadMember(new MemoryStream(upon), table.Single(m => m.Path == d.Path))));
            (archive, members) = (upon, table);
        }
    }

    [Fact]
    public void Its_bytes_do_not_depend_on_how_the_content_arrives()
    {
        List<(string Path, byte[] Content)> documents = [("2024/large.json", Noise(new Random(5), 900_000)), .. Make(new Random(6), 40)];

        Assert.Equal(Write(documents).Archive, Write(documents, chunk: 1013).Archive);
    }

    [Fact]
    public void A_damaged_byte_anywhere_in_a_frame_never_yields_a_document()
    {
        (byte[] archive, IReadOnlyList<ArchiveMember> members) = Write(Make(new Random(7), 12));
        ArchiveMember member = members[^1];
        for (long i = member.FrameOffset; i < member.FrameOffset + member.FrameLength; i += 7)
        {
            byte[] damaged = [.. archive];
            damaged[i] ^= 0x20;
            try
            {
                Assert.Equal(member.Sha256, Sha256Digest.Of(SeekableArchive.ReadMember(new MemoryStream(damaged), member)));
            }
            catch (FeedException e)
            {
                Assert.Equal(ErrorIds.BlobDamaged, e.ErrorId);
            }
        }
    }

    [Fact]
    public void A_table_that_points_astray_is_an_error_and_no_document()
    {
        (byte[] archive, IReadOnlyList<ArchiveMember> members) = Write(Make(new Random(8), 60));
        ArchiveMember good = members[10];
        ArchiveMember[] astray =
        [
            good with { FrameOffset = -1 }, good with { FrameOffset = archive.Length }, good with { FrameLength = archive.Length },
            good with { FrameOffset = long.MaxValue, FrameLength = 5 }, good with { FrameLength = 0 }, good with { FrameLength = 9 },
            good with { Skip = -1 }, good with { Skip = long.MaxValue }, good with { Skip = good.Skip + 1 }, good with { Skip = 100 << 20 },
            good with { Size = -1 }, good with { Size = long.MaxValue }, good with { Size = good.Size + 1 }, good with { Size = 200 << 20 },
            good with { FrameOffset = good.FrameOffset + 3 }, good with { Sha256 = new string('0', 64) },
        ];

        Assert.All(astray, m => Assert.Equal(
            ErrorIds.BlobDamaged, Assert.Throws<FeedException>(() => SeekableArchive.ReadMember(new MemoryStream(archive), m)).ErrorId));
    }

    [Fact]
    public void A_document_larger_than_a_frame_stands_between_the_others_in_its_own()
    {
        List<(string Path, byte[] Content)> documents = Make(new Random(11), 30);
        documents[10] = (documents[10].Path, Noise(new Random(12), (int)SeekableArchive.MaxFrameSize + 5));

        (byte[] archive, IReadOnlyList<ArchiveMember> members) = Write(documents);

        Assert.Equal(documents.Select(d => (d.Path, Sha256Digest.Of(d.Content))), Unpack(archive).Select(d => (d.Path, Sha256Digest.Of(d.Content))));
        ArchiveMember large = members.Single(m => m.Path == documents[10].Path);
        Assert.Single(members, m => m.FrameOffset == large.FrameOffset);
        Assert.All(members, m => Assert.Equal(documents.Single(d => d.Path == m.Path).Content, SeekableArchive.ReadMember(new MemoryStream(archive), m)));
    }

    [Fact]
    public void A_digest_that_was_not_known_is_found()
    {
        byte[] content = Noise(new Random(13), 5000);
        var document = new SeekableArchiveDocument("2024/a.json", digest: null, content.Length);
        using var writer = new SeekableArchiveWriter(new MemoryStream(), default);

        writer.Add(document, new MemoryStream(content));

        Assert.Equal(Sha256Digest.Of(content), Assert.Single(writer.Complete()).Sha256);
        Assert.Equal(Sha256Digest.Of(content), document.Digest.ToString());
    }

    [Fact]
    public void Content_that_is_not_what_it_was_announced_as_is_never_packed()
    {
        byte[] content = Noise(new Random(9), 5000);
        var digest = SeekableArchiveDigest.Parse(Sha256Digest.Of(content));
        foreach (byte[] other in new[] { content[..^1], [.. content, 1], Noise(new Random(10), 5000) })
        {
            using var writer = new SeekableArchiveWriter(new MemoryStream(), default);
            FeedException e = Assert.Throws<FeedException>(() =>
            {
                writer.AddAll([new SeekableArchiveDocument("2024/a.json", digest, content.Length)], [], _ => new MemoryStream(other));
                writer.Complete();
            });
            Assert.Equal(ErrorIds.BlobDamaged, e.ErrorId);
        }
    }

    private static List<(string Path, byte[] Content)> Make(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(i => ($"2024/cve-2024-{1000 + i}.json", Noise(random, random.Next(8000))))];

    private static byte[] Noise(Random random, int length)
    {
        byte[] content = new byte[length];
        for (int i = 0; i < length; i++)
        {
            content[i] = (byte)"etaoin shrdlu"[random.Next(13)];
        }

        return content;
    }

    private static (byte[] Archive, IReadOnlyList<ArchiveMember> Members) Write(
        List<(string Path, byte[] Content)> documents, (byte[] Archive, IReadOnlyList<ArchiveMember> Members)? previous = null,
        List<string>? opened = null, int chunk = int.MaxValue)
    {
        var content = documents.ToDictionary(d => d.Path, d => d.Content);
        using var output = new MemoryStream();
        using SeekableArchiveReader? earlier =
            previous is { } p ? new SeekableArchiveReader([.. p.Members.Select(SeekableArchivePlace.Of)], () => new MemoryStream(p.Archive)) : null;
        using var writer = new SeekableArchiveWriter(output, default);
        writer.AddAll(
            [.. documents.Select(d => new SeekableArchiveDocument(d.Path, SeekableArchiveDigest.Parse(Sha256Digest.Of(d.Content)), d.Content.Length))],
            earlier is null ? [] : [earlier], d =>
            {
                opened?.Add(d.Path);
                return new ChunkedStream(content[d.Path], chunk);
            });
        IReadOnlyList<ArchiveMember> members = writer.Complete();
        return (output.ToArray(), members);
    }

    private static List<(string Path, byte[] Content)> Unpack(byte[] archive)
    {
        var documents = new List<(string, byte[])>();
        using var tar = new TarReader(new DecompressionStream(new MemoryStream(archive)));
        while (tar.GetNextEntry() is { } entry)
        {
            using var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            documents.Add((entry.Name, content.ToArray()));
        }

        return documents;
    }

    private static (int Code, string Output) Run(string command)
    {
        using Process shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", command]) { RedirectStandardOutput = true })!;
        string output = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        return (shell.ExitCode, output);
    }

    private sealed class ChunkedStream(byte[] content, int chunk) : MemoryStream(content)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, chunk));
    }
}
