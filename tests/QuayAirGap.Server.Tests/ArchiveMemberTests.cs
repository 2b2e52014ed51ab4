using System.Net;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Store;
using Xunit;

namespace QuayAirGap.Server.Tests;

public sealed class ArchiveMemberTests : IDisposable
{
    private const string Prefix = "/security.access.redhat.com/data/csaf/v2/vex/";

    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public async Task Every_document_is_the_one_that_was_packed(int documentsPerFrame)
    {
        Dictionary<string, byte[]> documents = Enumerable.Range(0, 200).ToDictionary(
            i => $"{2015 + (i % 10)}/cve-{2015 + (i % 10)}-{i}.json", i => TestSite.Random(i * i * 10, i));
        _site.Publish(1, [], _site.Archive(Prefix, documents.Select(d => (d.Key, d.Value)), documentsPerFrame));
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        foreach ((string path, byte[] content) in documents)
        {
            using HttpResponseMessage response = await mirror.GetAsync(Prefix + path);

            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(content, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
            Assert.Equal($"\"{TestSite.Digest(content)}\"", response.Headers.GetValues("ETag").Single());
            Assert.Equal(TestSite.Modified, response.Content.Headers.LastModified);
            Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        }
    }

    [Fact]
    public async Task Every_document_of_an_archive_as_publication_packs_it_is_served()
    {
        Dictionary<string, byte[]> documents = Enumerable.Range(0, 300).ToDictionary(
            i => $"{2015 + (i % 10)}/cve-{2015 + (i % 10)}-{i:d4}.json", i => TestSite.Random(i * 100, i), StringComparer.Ordinal);
        using var packed = new MemoryStream();
        using var writer = new SeekableArchiveWriter(packed, TestContext.Current.CancellationToken);
        writer.AddAll(
            [.. documents.OrderBy(d => d.Key, StringComparer.Ordinal)
                .Select(d => new SeekableArchiveDocument(d.Key, SeekableArchiveDigest.Parse(TestSite.Digest(d.Value)), d.Value.Length))],
            [], d => new MemoryStream(documents[d.Path]));
        IReadOnlyList<ArchiveMember> members = writer.Complete();
        _site.Publish(1, [], new ArchiveMembers
        {
            Source = "rhel-vex",
            PathPrefix = Prefix,
            ArchiveSha256 = _site.Add(packed.ToArray()),
            ContentType = "application/json",
            Members = members,
        });
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        foreach ((string path, byte[] content) in documents)
        {
            using HttpResponseMessage response = await mirror.GetAsync(Prefix + path);
            Assert.Equal(content, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task A_document_that_is_known_is_304()
    {
        byte[] content = TestSite.Random(500, 1);
        _site.Publish(1, [], _site.Archive(Prefix, [("2024/a.json", content)], 1));
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        using HttpResponseMessage response = await mirror.GetAsync(Prefix + "2024/a.json", ("If-None-Match", $"\"{TestSite.Digest(content)}\""));

        Assert.Equal(HttpStatusCode.NotModified, response.StatusCode);
    }

    [Theory]
    [InlineData("other document")]
    [InlineData("beyond the end")]
    [InlineData("not a frame")]
    [InlineData("frame too short")]
    [InlineData("size too large")]
    [InlineData("archive gone")]
    [InlineData("a bit flipped")]
    public async Task A_document_that_is_not_the_promised_one_is_never_sent(string damage)
    {
        ArchiveMembers archive = _site.Archive(Prefix, [("2024/a.json", TestSite.Random(5000, 1)), ("2024/b.json", TestSite.Random(5000, 2))], 1);
        ArchiveMember a = archive.Members[0];
        ArchiveMember b = archive.Members[1];
        ArchiveMember wrong = damage switch
        {
            "other document" => a with { FrameOffset = b.FrameOffset, FrameLength = b.FrameLength },
            "beyond the end" => a with { FrameOffset = 1_000_000 },
            "not a frame" => a with { FrameOffset = a.FrameOffset + 5, FrameLength = a.FrameLength - 5 },
            "frame too short" => a with { FrameLength = a.FrameLength / 2 },
            "size too large" => a with { Size = a.Size + 1 },
            _ => a,
        };
        _site.Publish(1, [], archive with { Members = [wrong, b] });
        string blob = _site.Site.Store.PathOf(archive.ArchiveSha256);
        if (damage == "archive gone")
        {
            File.Delete(blob);
        }
        else if (damage == "a bit flipped")
        {
            byte[] content = await File.ReadAllBytesAsync(blob, TestContext.Current.CancellationToken);
            content[a.FrameOffset + (a.FrameLength / 2)] ^= 1;
            await File.WriteAllBytesAsync(blob, content, TestContext.Current.CancellationToken);
        }

        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
        foreach (HttpMethod method in new[] { HttpMethod.Get, HttpMethod.Head })
        {
            using HttpResponseMessage response = await mirror.SendAsync(method, Prefix + "2024/a.json");
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }

        Assert.Equal(2, mirror.Log.Errors.Count);
        Assert.All(mirror.Log.Errors, e => Assert.Contains(archive.ArchiveSha256, e));
    }
}
