using System.Net;
using Xunit;

namespace QuayAirGap.Server.Tests;

public sealed class GenerationSwitchTests : IDisposable
{
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public async Task A_site_that_has_published_nothing_answers_404_and_says_so_until_it_has()
    {
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        Assert.Equal(HttpStatusCode.NotFound, (await mirror.GetAsync("/a")).StatusCode);
        Assert.Contains("published nothing yet", Assert.Single(mirror.Log.Warnings));

        _site.Publish(1, [_site.Entry("/a", "one")]);
        mirror.PassASecond();

        Assert.Equal("one", await TextAsync(mirror, "/a"));
    }

    [Fact]
    public async Task The_first_request_a_second_after_a_publication_gets_it_and_within_the_second_none_looks()
    {
        _site.Publish(1, [_site.Entry("/a", "one"), _site.Entry("/old", "x")]);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        _site.Publish(2, [_site.Entry("/a", "two"), _site.Entry("/new", "y")]);
        Assert.Equal("one", await TextAsync(mirror, "/a"));

        mirror.PassASecond();
        Assert.Equal("two", await TextAsync(mirror, "/a"));
        Assert.Equal(HttpStatusCode.NotFound, (await mirror.GetAsync("/old")).StatusCode);

        _site.MakeCurrent(1); // a revert
        mirror.PassASecond();
        Assert.Equal("one", await TextAsync(mirror, "/a"));
        Assert.Equal(HttpStatusCode.NotFound, (await mirror.GetAsync("/new")).StatusCode);
    }

    [Fact]
    public async Task A_download_that_began_before_a_switch_ends_with_the_old_bytes()
    {
        byte[] old = TestSite.Random(64 * 1024 * 1024, 1);
        byte[] next = TestSite.Random(64 * 1024 * 1024, 2);
        string archive = _site.Add(old);
        _site.Publish(1, [_site.Entry("/big", old, TestSite.Modified)]);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        using HttpResponseMessage response = await mirror.Client.GetAsync(
            "/big", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        await using Stream body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        byte[] received = new byte[old.Length];
        await body.ReadExactlyAsync(received.AsMemory(0, 1000), TestContext.Current.CancellationToken);

        _site.Publish(2, [_site.Entry("/big", next, TestSite.Modified)]);
        _site.Site.Store.Remove(archive); // even the sweep of old blobs does not reach it
        mirror.PassASecond();
        using HttpResponseMessage second = await mirror.GetAsync("/big");
        Assert.Equal(TestSite.Digest(next), TestSite.Digest(await second.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)));

        await body.ReadExactlyAsync(received.AsMemory(1000), TestContext.Current.CancellationToken);
        Assert.Equal(0, await body.ReadAsync(new byte[1], TestContext.Current.CancellationToken));
        Assert.Equal(TestSite.Digest(old), TestSite.Digest(received));
    }

    [Fact]
    public async Task A_thousand_parallel_requests_during_switches_never_mix_two_generations()
    {
        const int Generations = 8;
        string[] names = [.. Enumerable.Range(0, 20).Select(i => $"/h/{i}")];
        for (int g = 1; g <= Generations; g++)
        {
            _site.Save(
                g,
                [.. names.Select(n => _site.Entry(n, $"{g} {n} {new string('x', g * 1000)}", TestSite.Modified.AddSeconds(g)))],
                _site.Archive("/m/", [($"doc.json", TestSite.Bytes($"{g} /m/doc.json {new string('y', g * 1000)}"))], 1));
        }

        _site.MakeCurrent(1);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<int, int>();
        int done = 0;

        Task requests = Parallel.ForEachAsync(Enumerable.Range(0, 1000), new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (i, cancel) =>
        {
            bool member = i % 5 == 0;
            string path = member ? "/m/doc.json" : names[i % names.Length];
            using HttpResponseMessage response = await mirror.GetAsync(path);
            byte[] body = await response.Content.ReadAsByteArrayAsync(cancel);

            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            string[] words = System.Text.Encoding.UTF8.GetString(body).Split(' ');
            int generation = int.Parse(words[0]);
            Assert.Equal(path, words[1]);
            Assert.Equal(generation * 1000, words[2].Length);
            Assert.Equal($"\"{TestSite.Digest(body)}\"", response.Headers.GetValues("ETag").Single());
            Assert.Equal(TestSite.Modified.AddSeconds(member ? 0 : generation), response.Content.Headers.LastModified);
            seen.AddOrUpdate(generation, 1, (_, n) => n + 1);

            // Each hundredth answer publishes the next one, so that switches fall among the requests however fast the machine is.
            int count = Interlocked.Increment(ref done);
            if (count % 100 == 0)
            {
                _site.MakeCurrent(1 + (count / 100 % Generations));
                mirror.PassASecond();
            }
        });
        await requests;

        Assert.Equal(1000, seen.Values.Sum());
        Assert.True(seen.Count >= Generations / 2, $"Only {seen.Count} generations were seen.");
        Assert.Empty(mirror.Log.Errors);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("not json")]
    [InlineData("no folder")]
    [InlineData("another number")]
    [InlineData("members cut")]
    [InlineData("members cut at a line's end")]
    [InlineData("members gone")]
    [InlineData("members out of order")]
    [InlineData("content type")]
    [InlineData("path twice")]
    [InlineData("current unreadable")]
    [InlineData("current gone")]
    public async Task A_generation_that_cannot_be_loaded_leaves_the_old_one_serving(string damage)
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        _site.Publish(
            2,
            damage == "path twice"
                ? [_site.Entry("/a", "two"), _site.Entry("/a", "three")]
                : [_site.Entry("/a", "two", contentType: damage == "content type" ? "text/\r\nplain" : "text/plain")],
            _site.Archive("/m/", [("a.json", TestSite.Bytes("a")), ("b.json", TestSite.Bytes("b"))], 1));
        string folder = Path.Combine(_site.Site.GenerationsFolder, "2");
        string index = Path.Combine(folder, "index.json");
        string members = Path.Combine(folder, "rhel-vex.members");
        string[] lines = await File.ReadAllLinesAsync(members);
        switch (damage)
        {
            case "cut":
                await File.WriteAllTextAsync(index, (await File.ReadAllTextAsync(index))[..200]);
                break;
            case "not json":
                await File.WriteAllBytesAsync(index, TestSite.Random(500, 1));
                break;
            case "no folder":
                Directory.Delete(folder, recursive: true);
                break;
            case "another number":
                await File.WriteAllTextAsync(index, (await File.ReadAllTextAsync(index)).Replace("\"number\":2", "\"number\":3"));
                break;
            case "members cut":
                await File.WriteAllTextAsync(members, (await File.ReadAllTextAsync(members))[..^100]);
                break;
            case "members cut at a line's end":
                await File.WriteAllLinesAsync(members, lines[..^1]);
                break;
            case "members gone":
                File.Delete(members);
                break;
            case "members out of order":
                await File.WriteAllLinesAsync(members, [lines[0], lines[2], lines[1]]);
                break;
            case "current unreadable":
                await File.WriteAllTextAsync(_site.Site.CurrentFile, "-7");
                break;
            case "current gone":
                File.Delete(_site.Site.CurrentFile);
                break;
        }

        for (int i = 0; i < 3; i++)
        {
            mirror.PassASecond();
            Assert.Equal("one", await TextAsync(mirror, "/a"));
        }

        Assert.Contains("Generation 1 is served on", Assert.Single(mirror.Log.Errors));

        _site.Publish(3, [_site.Entry("/a", "three")]);
        mirror.PassASecond();
        Assert.Equal("three", await TextAsync(mirror, "/a"));
    }

    [Fact]
    public async Task A_generation_that_was_repaired_is_taken_up()
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
        _site.Publish(2, [_site.Entry("/a", "two")]);
        string folder = Path.Combine(_site.Site.GenerationsFolder, "2");
        Directory.Move(folder, folder + ".away");
        mirror.PassASecond();
        Assert.Equal("one", await TextAsync(mirror, "/a"));

        Directory.Move(folder + ".away", folder);
        mirror.Time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal("two", await TextAsync(mirror, "/a"));
    }

    private static async Task<string> TextAsync(TestMirror mirror, string path)
    {
        using HttpResponseMessage response = await mirror.GetAsync(path);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
