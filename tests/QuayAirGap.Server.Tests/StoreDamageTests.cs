using System.Net;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Store;
using Xunit;

namespace QuayAirGap.Server.Tests;

public sealed class StoreDamageTests : IDisposable
{
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Theory]
    [InlineData("gone")]
    [InlineData("shorter")]
    [InlineData("longer")]
    [InlineData("other bytes")]
    [InlineData("a directory")]
    public async Task Content_that_the_store_has_lost_is_404_and_an_error_in_the_log(string damage)
    {
        GenerationEntry entry = _site.Entry("/secdb.alpinelinux.org/v3.3/", TestSite.Random(1000, 1), TestSite.Modified);
        _site.Publish(1, [entry, _site.Entry("/whole", "whole")]);
        string blob = _site.Site.Store.PathOf(entry.Sha256);
        File.Delete(blob);
        switch (damage)
        {
            case "shorter":
                await File.WriteAllBytesAsync(blob, new byte[999]);
                break;
            case "longer":
                await File.WriteAllBytesAsync(blob, new byte[1001]);
                break;
            case "other bytes":
                await File.WriteAllBytesAsync(blob, new byte[1000]);
                break;
            case "a directory":
                Directory.CreateDirectory(blob);
                break;
        }

        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        foreach (HttpMethod method in new[] { HttpMethod.Get, HttpMethod.Head })
        {
            using HttpResponseMessage response = await mirror.SendAsync(method, entry.Path, ("If-None-Match", $"\"{entry.Sha256}\""));
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.False(response.Headers.Contains("ETag"));
        }

        Assert.Equal(2, mirror.Log.Errors.Count);
        Assert.All(mirror.Log.Errors, e => Assert.Contains(entry.Sha256, e));
        Assert.Equal(HttpStatusCode.OK, (await mirror.GetAsync("/whole")).StatusCode);
    }

    [Fact]
    public async Task Small_files_are_read_once_and_forgotten_when_they_are_many()
    {
        // 96 files of 100,000 bytes: more than are kept.
        GenerationEntry[] entries = [.. Enumerable.Range(0, 96).Select(i => _site.Entry($"/small/{i:d2}", TestSite.Random(100_000, i), TestSite.Modified))];
        _site.Publish(1, entries);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        for (int round = 0; round < 2; round++)
        {
            foreach (GenerationEntry entry in entries)
            {
                Assert.Equal(entry.Sha256, Sha256Digest.Of(await mirror.Client.GetByteArrayAsync(entry.Path, TestContext.Current.CancellationToken)));
            }
        }

        Array.ForEach(entries, e => File.Delete(_site.Site.Store.PathOf(e.Sha256)));
        HttpStatusCode[] answers = await Task.WhenAll(entries.Select(async e => (await mirror.GetAsync(e.Path)).StatusCode));

        // What was asked for last is there without its file; what was forgotten for it is not.
        Assert.Equal(HttpStatusCode.OK, answers[^1]);
        Assert.Contains(HttpStatusCode.NotFound, answers);
    }

    [Fact]
    public async Task A_file_that_is_cut_while_it_is_sent_breaks_the_transfer_off()
    {
        GenerationEntry entry = _site.Entry("/big", TestSite.Random(64 * 1024 * 1024, 1), TestSite.Modified);
        _site.Publish(1, [entry]);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        using HttpResponseMessage response = await mirror.Client.GetAsync(
            "/big", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        await using Stream body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        await body.ReadExactlyAsync(new byte[1000], TestContext.Current.CancellationToken);
        await using (FileStream blob = new FileStream(_site.Site.Store.PathOf(entry.Sha256), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            blob.SetLength(1000);
        }

        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken));
        Assert.Contains("shorter", Assert.Single(mirror.Log.Errors));
    }
}
