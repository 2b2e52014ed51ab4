using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using ICSharpCode.SharpZipLib.BZip2;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;
using ZstdSharp;

namespace QuayAirGap.Core.Tests.TestKit;

public sealed class SampleUpstreamTests
{
    private const string Vex = "security.access.redhat.com/data/csaf/v2/vex";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_archives_on_disk_hold_what_the_fixtures_say(int day)
    {
        // After a change of the fixtures: run once with QUAYAIRGAP_WRITE_SAMPLES=1.
        if (Environment.GetEnvironmentVariable("QUAYAIRGAP_WRITE_SAMPLES") == "1")
        {
            SampleUpstream.WriteArchives();
            SampleUpstream.WriteGzipFeeds();
        }

        var archives = SampleUpstream.Archives(day);
        Assert.Equal(6, archives.Count);
        foreach (var (hostPath, expected) in archives)
        {
            var actual = Read(Path.Combine(SampleUpstream.Folder(day), hostPath));
            Assert.Equal(expected.Select(m => (m.Path, m.Time.UtcDateTime)), actual.Select(m => (m.Path, m.Time.UtcDateTime)));
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First.Content, pair.Second.Content));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_packed_documents_on_disk_are_what_the_fixtures_say(int day)
    {
        var documents = SampleUpstream.Documents(day);
        Assert.Equal(34 + 2 + 2, documents.Count);
        foreach (var (hostPath, expected) in documents)
        {
            using var file = File.OpenRead(Path.Combine(SampleUpstream.Folder(day), hostPath));
            using Stream unpacked = hostPath.EndsWith(".gz", StringComparison.Ordinal)
                ? new GZipStream(file, CompressionMode.Decompress)
                : new BZip2InputStream(file);
            Assert.Equal(expected, All(unpacked));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_gzip_files_on_disk_hold_what_the_fixtures_say_and_what_vouches_for_them_fits(int day)
    {
        foreach (var (hostPath, document) in SampleUpstream.GzipDocuments(day))
        {
            var file = Path.Combine(SampleUpstream.Folder(day), hostPath);
            var packed = File.ReadAllBytes(file);
            Assert.Equal(document, GzipFeeds.Unpack(packed));
            var vouching = hostPath.EndsWith(".json.gz", StringComparison.Ordinal) ? file.Replace(".json.gz", ".meta") : file.Replace("updateinfo.xml.gz", "repomd.xml");
            var sum = hostPath.EndsWith(".json.gz", StringComparison.Ordinal) ? SHA256.HashData(document) : SHA256.HashData(packed);
            Assert.Contains(Convert.ToHexString(sum), File.ReadAllText(vouching), StringComparison.OrdinalIgnoreCase);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_file_of_the_sample_has_a_time_and_every_time_a_file(int day)
    {
        var layer = new UpstreamLayer(SampleUpstream.Folder(day));
        var files = Directory.EnumerateFiles(layer.Folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(layer.Folder, file).Replace(Path.DirectorySeparatorChar, '/'));
        Assert.Equal(layer.Times.Keys.Order(StringComparer.Ordinal), files.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_file_that_kept_its_time_from_day_1_to_day_2_kept_its_bytes_and_the_others_changed()
    {
        var (day1, day2) = (SampleUpstream.Day1, SampleUpstream.Day2);
        var both = day1.Times.Keys.Intersect(day2.Times.Keys).ToArray();
        Assert.All(both, path => Assert.Equal(
            day1.Times[path] == day2.Times[path],
            File.ReadAllBytes(Path.Combine(day1.Folder, path)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(day2.Folder, path)))));
        Assert.Equal([$"{Vex}/2098/cve-2098-20001.json"], day1.Times.Keys.Except(day2.Times.Keys).Where(p => p.StartsWith(Vex, StringComparison.Ordinal)));
        Assert.Equal([$"{Vex}/2099/cve-2099-10006.json"], day2.Times.Keys.Except(day1.Times.Keys).Where(p => p.StartsWith(Vex, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Each_listed_document_is_there_and_none_is_both_changed_and_deleted(int day)
    {
        var root = Path.Combine(SampleUpstream.Folder(day), Vex);
        var changed = Paths(Path.Combine(root, "changes.csv"));
        var deleted = Paths(Path.Combine(root, "deletions.csv"));
        Assert.All(changed, path => Assert.True(File.Exists(Path.Combine(root, path))));
        Assert.Empty(changed.Intersect(deleted));
        Assert.All(deleted, path => Assert.False(File.Exists(Path.Combine(root, path))));
    }

    private static string[] Paths(string csv) => [.. File.ReadLines(csv).Select(line => line.Split('"')[1])];

    private static List<ArchiveMember> Read(string path)
    {
        var members = new List<ArchiveMember>();
        using var file = File.OpenRead(path);
        if (path.EndsWith(".zip", StringComparison.Ordinal))
        {
            using var zip = new ZipArchive(file);
            foreach (var entry in zip.Entries)
            {
                using var stream = entry.Open();
                members.Add(new ArchiveMember(entry.FullName, All(stream), new DateTimeOffset(entry.LastWriteTime.DateTime, TimeSpan.Zero)));
            }

            return members;
        }

        using var zstd = new DecompressionStream(file);
        using var tar = new TarReader(zstd);
        while (tar.GetNextEntry() is { } entry)
        {
            Assert.Equal(TarEntryType.RegularFile, entry.EntryType);
            members.Add(new ArchiveMember(entry.Name, All(entry.DataStream!), entry.ModificationTime));
        }

        return members;
    }

    private static byte[] All(Stream stream)
    {
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
