using System.Text;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Osv;

public sealed class OsvCollectingTests
{
    [Fact]
    public async Task The_four_ecosystems_that_Clair_matches_are_taken_verbatim_and_the_others_are_said_to_be_left()
    {
        await using OsvLab lab = await OsvLab.StartAsync("AlmaLinux\nDebian:12\nGIT\nGo\nMaven\nPyPI\nRubyGems\ncrates.io\nnpm\nRed Hat:8\nBitnami\n\n");

        CollectedContent content = await lab.CollectAsync();

        Assert.Equal(["osv/go", "osv/maven", "osv/pypi", "osv/rubygems"], content.Updaters);
        Assert.Equal(["GIT", "crates.io", "npm", "Bitnami"], content.Deselected);
        Assert.Equal(160, content.AdvisoryCount);
        Assert.Equal(
            ["ecosystems.txt", "Go/all.zip", "Maven/all.zip", "PyPI/all.zip", "RubyGems/all.zip"],
            content.Files.Select(f => f.Url[$"https://{OsvLab.Host}/".Length..]));
        Assert.All(content.Files, f => Assert.Equal(Sha256Digest.Of(lab.Upstream.Content(f.Url["https://".Length..])), f.Sha256));
        Assert.Equal(content.Files.Max(f => f.LastModified), content.UpstreamModified);
    }

    [Fact]
    public async Task Of_several_lines_for_one_ecosystem_the_first_names_the_folder()
    {
        await using OsvLab lab = await OsvLab.StartAsync("Go\r\nMaven\r\nPyPI:old one\r\nPyPI\r\nRubyGems");
        lab.SetArchive("PyPI:old one", Advisories.Many(3));

        CollectedContent content = await lab.CollectAsync();

        Assert.Contains(content.Files, f => f.Url.EndsWith("/PyPI%3Aold%20one/all.zip", StringComparison.Ordinal));
        Assert.Equal(123, content.AdvisoryCount);
        Assert.Empty(content.Deselected);
    }

    [Theory]
    [InlineData("Go\nMaven\nRubyGems\n", "pypi")]
    [InlineData("", "go")]
    [InlineData("<html>Please log in</html>", "go")]
    [InlineData("Go\nMaven\nPyPI:../../secret\nRubyGems\n", "pypi")]
    public async Task A_list_without_one_of_the_four_fails_the_source(string list, string missing)
    {
        await using OsvLab lab = await OsvLab.StartAsync(list);

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => lab.CollectAsync());

        Assert.Equal(ErrorIds.UpstreamContent, e.ErrorId);
        Assert.Contains($"'{missing}'", e.Message);
    }

    [Fact]
    public async Task A_missing_archive_fails_the_source_and_is_named()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        lab.Upstream.Remove($"{OsvLab.Host}/Maven/all.zip");

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => lab.CollectAsync());

        Assert.Equal(ErrorIds.UpstreamStatus, e.ErrorId);
        Assert.Contains("/Maven/all.zip", e.Target);
    }

    [Theory]
    [InlineData("cut short")]
    [InlineData("a page")]
    [InlineData("nothing")]
    [InlineData("no member")]
    [InlineData("no advisory")]
    [InlineData("a damaged member")]
    public async Task An_archive_that_is_not_whole_fails_the_source_and_is_named(string what)
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        byte[] sound = lab.Upstream.Content($"{OsvLab.Host}/PyPI/all.zip");
        byte[] damaged = [.. sound];
        damaged[100] ^= 1;
        lab.SetArchive("PyPI", what switch
        {
            "cut short" => sound[..^100],
            "a page" => Encoding.UTF8.GetBytes("<html>Please log in</html>"),
            "nothing" => [],
            "no member" => ZipForge.Make([]),
            "no advisory" => ZipForge.Make([new ForgedMember("README.md", "# Moved")]),
            _ => damaged,
        });

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => lab.CollectAsync());

        Assert.Equal(ErrorIds.UpstreamContent, e.ErrorId);
        Assert.Equal($"https://{OsvLab.Host}/PyPI/all.zip", e.Target);
    }

    [Fact]
    public async Task What_would_harm_Clair_is_taken_all_the_same_as_it_is_what_upstream_published()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        lab.SetArchive(
            "Go", [.. Advisories.Many(5, "Go"), ("GHSA-9999.json", Advisories.Crashing("GHSA-9999", "Go")), ("folder/", ""), ("x.json", "not JSON")]);

        CollectedContent content = await lab.CollectAsync();

        Assert.Equal(126, content.AdvisoryCount);
        SnapshotFile file = content.Files.Single(f => f.Url.EndsWith("/Go/all.zip", StringComparison.Ordinal));
        Assert.Equal(Sha256Digest.Of(lab.Upstream.Content($"{OsvLab.Host}/Go/all.zip")), file.Sha256);
    }

    [Fact]
    public async Task A_second_capture_asks_only_whether_anything_changed()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        SourceSnapshot first = await lab.CaptureAsync();
        lab.SetArchive("Maven", Advisories.Many(41, "Maven"));
        lab.Upstream.ClearRequests();

        CollectedContent second = await lab.CollectAsync(first);

        Assert.Equal(161, second.AdvisoryCount);
        Assert.Equal(
            [("Go/all.zip", 304), ("Maven/all.zip", 200), ("PyPI/all.zip", 304), ("RubyGems/all.zip", 304), ("ecosystems.txt", 304)],
            lab.Upstream.Requests.Select(r => (r.HostPath[(OsvLab.Host.Length + 1)..], r.Status)).OrderBy(r => r.Item1, StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_stopped_capture_stops()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        lab.Upstream.AddFault("*/PyPI/all.zip", UpstreamFault.Stall(50));
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lab.CollectAsync(cancellationToken: stop.Token));
    }
}
