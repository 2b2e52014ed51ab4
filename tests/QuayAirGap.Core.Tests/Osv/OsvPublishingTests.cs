using System.IO.Compression;
using System.Text;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Osv;
using QuayAirGap.Core.Sources.Osv.Zip;
using Xunit;

namespace QuayAirGap.Core.Tests.Osv;

public sealed class OsvPublishingTests
{
    private const string List = $"/{OsvLab.Host}/ecosystems.txt";
    private const string PyPi = $"/{OsvLab.Host}/PyPI/all.zip";

    [Fact]
    public async Task The_list_names_what_is_carried_at_both_places_that_Clair_asks_and_never_answers_304()
    {
        await using OsvLab lab = await OsvLab.StartAsync("AlmaLinux\r\nGo\r\nMaven\r\nPyPI\r\nRubyGems\r\ncrates.io\r\nnpm\r\n");

        Generation generation = await lab.CaptureAndPublishAsync();

        foreach (string path in new[] { List, "/ecosystems.txt" })
        {
            GenerationEntry entry = generation.Entries.Single(e => e.Path == path);
            Assert.Equal("Go\nMaven\nPyPI\nRubyGems\n", Encoding.UTF8.GetString(lab.Served(generation, path)));
            Assert.False(entry.Validators);
            Assert.Null(entry.LastModified);
            Assert.NotNull(entry.Derivation);
        }
    }

    [Fact]
    public async Task Sound_archives_are_served_as_upstream_made_them()
    {
        await using OsvLab lab = await OsvLab.StartAsync();

        Generation generation = await lab.CaptureAndPublishAsync();

        Assert.Equal(6, generation.Entries.Count);
        Assert.Empty(generation.HeldBack);
        foreach (GenerationEntry entry in generation.Entries.Where(e => e.Path.EndsWith("/all.zip", StringComparison.Ordinal)))
        {
            Assert.Null(entry.Derivation);
            Assert.True(entry.Validators);
            Assert.Equal("application/zip", entry.ContentType);
            Assert.NotNull(entry.LastModified);
            Assert.Equal(lab.Upstream.Content(entry.Path[1..]), lab.Served(generation, entry.Path));
        }
    }

    [Fact]
    public async Task A_harmful_advisory_is_left_out_and_named_and_everything_else_stays()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        lab.SetArchive(
            "PyPI",
            [
                ("folder/", ""),
                .. Advisories.Many(20),
                ("GHSA-9999.json", Advisories.Crashing("GHSA-9999")),
                .. Advisories.Many(40)[20..],
                ("note.json", "oops"),
            ]);

        Generation generation = await lab.CaptureAndPublishAsync();

        Assert.Equal(["folder/", "GHSA-9999", "note.json"], generation.HeldBack.Select(h => h.Item));
        Assert.All(generation.HeldBack, h => Assert.StartsWith("PyPI: ", h.Reason, StringComparison.Ordinal));
        Assert.All(generation.HeldBack, h => Assert.Equal("osv", h.Source));
        GenerationEntry entry = generation.Entries.Single(e => e.Path == PyPi);
        Assert.Equal($"https://{OsvLab.Host}/PyPI/all.zip", entry.Derivation!.Inputs[0]);
        byte[] served = lab.Served(generation, PyPi);
        Assert.Empty(OsvArchive.Read(new MemoryStream(served), lab.Clock.GetUtcNow(), ZipLimits.Default, default).Unsafe);
        using var archive = new ZipArchive(new MemoryStream(served));
        Assert.Equal(Advisories.Many(40).Select(d => d.Name), archive.Entries.Select(e => e.FullName));
        Assert.Equal(CaptureState.Captured, generation.Sources.Single().State);
    }

    [Fact]
    public async Task An_unchanged_archive_is_not_read_again_and_what_it_lacks_is_said_again()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        lab.SetArchive("PyPI", [.. Advisories.Many(40), ("GHSA-9999.json", Advisories.Crashing("GHSA-9999"))]);
        SourceSnapshot captured = await lab.CaptureAsync();
        Generation first = await lab.PublishAsync(captured);
        foreach (SnapshotFile file in captured.Files.Where(f => f.Url.EndsWith(".zip", StringComparison.Ordinal)))
        {
            // Gone: reading it would fail. The derived archive is a blob of its own.
            lab.Site.Store.Remove(file.Sha256);
        }

        Generation second = await lab.PublishAsync(captured);
        Generation third = await lab.PublishAsync(captured);

        Assert.Equal(first.Entries, second.Entries, EntriesAreEqual);
        Assert.Equal(first.Entries, third.Entries, EntriesAreEqual);
        Assert.Equal("GHSA-9999", Assert.Single(second.HeldBack).Item);
        Assert.Equal(first.HeldBack, third.HeldBack);
    }

    [Fact]
    public async Task What_the_collector_found_gives_what_reading_gives_and_a_sound_archive_is_not_read()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        lab.SetArchive("PyPI", [("folder/", ""), .. Advisories.Many(40), ("GHSA-9999.json", Advisories.Crashing("GHSA-9999"))]);
        SourceSnapshot captured = await lab.CaptureAsync();
        Assert.Equal(4, captured.Findings!.Count);
        foreach (SnapshotFile file in captured.Files.Where(f => f.Url.EndsWith(".zip", StringComparison.Ordinal) && !f.Url.Contains("PyPI", StringComparison.Ordinal)))
        {
            lab.Site.Store.Remove(file.Sha256); // reading it would fail
        }

        Generation told = await lab.PublishAsync(captured);

        await using OsvLab other = await OsvLab.StartAsync();
        other.SetArchive("PyPI", lab.Upstream.Content($"{OsvLab.Host}/PyPI/all.zip"));
        Generation read = await other.PublishAsync(await other.CaptureAsync() with { Findings = null });
        Assert.Equal(read.Entries.Select(e => (e.Path, e.Sha256)), told.Entries.Select(e => (e.Path, e.Sha256)));
        Assert.Equal(2, told.HeldBack.Count);
        Assert.Equal(read.HeldBack, told.HeldBack);
    }

    [Fact]
    public async Task Findings_by_other_rules_or_of_another_archive_are_not_believed()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        lab.SetArchive("PyPI", [.. Advisories.Many(40), ("GHSA-9999.json", Advisories.Crashing("GHSA-9999"))]);
        SourceSnapshot captured = await lab.CaptureAsync();
        string pypi = captured.Files.Single(f => f.Url.Contains("PyPI", StringComparison.Ordinal)).Sha256;
        ContentFindings sound = captured.Findings!.First(f => f.HeldBack.Count == 0);

        Generation older = await lab.PublishAsync(captured with { Findings = [sound with { Sha256 = pypi, Rules = "osv.hazards/0" }] });
        Assert.Equal("GHSA-9999", Assert.Single(older.HeldBack).Item);

        await using OsvLab other = await OsvLab.StartAsync();
        SourceSnapshot sane = await other.CaptureAsync();
        Generation astray = await other.PublishAsync(sane with
        {
            Findings = [sane.Findings![0] with { HeldBack = [new HeldBackFinding("GHSA-9999", "it is said to harm", 4711)] }],
        });
        Assert.Equal(CaptureState.Failed, astray.Sources.Single().State);
        Assert.Empty(astray.Entries);
    }

    [Fact]
    public async Task The_same_capture_gives_the_same_bytes_on_another_site()
    {
        string[] served = new string[2];
        for (int i = 0; i < 2; i++)
        {
            await using OsvLab lab = await OsvLab.StartAsync();
            lab.SetArchive("PyPI", [.. Advisories.Many(40), ("GHSA-9999.json", Advisories.Crashing("GHSA-9999"))]);
            Generation generation = await lab.CaptureAndPublishAsync();
            served[i] = string.Join(' ', generation.Entries.Select(e => $"{e.Path} {e.Sha256} {e.LastModified}"));
        }

        Assert.Equal(served[0], served[1]);
    }

    [Fact]
    public async Task An_advisory_that_upstream_repairs_comes_back()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        lab.SetArchive("PyPI", [.. Advisories.Many(40), ("GHSA-9999.json", Advisories.Crashing("GHSA-9999"))]);
        await lab.CaptureAndPublishAsync();
        lab.SetArchive("PyPI", [.. Advisories.Many(40), ("GHSA-9999.json", Advisories.Sound("GHSA-9999"))]);

        Generation generation = await lab.CaptureAndPublishAsync();

        Assert.Empty(generation.HeldBack);
        Assert.Equal(lab.Upstream.Content(PyPi[1..]), lab.Served(generation, PyPi));
    }

    [Fact]
    public async Task A_withheld_archive_that_upstream_goes_back_to_is_withheld_again()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        lab.SetArchive("PyPI", [.. Advisories.Many(40), ("GHSA-9999.json", Advisories.Crashing("GHSA-9999"))]);
        SourceSnapshot harmful = await lab.CaptureAsync();
        Generation first = await lab.PublishAsync(harmful);
        lab.SetArchive("PyPI", Advisories.Many(41));
        await lab.CaptureAndPublishAsync();

        Generation third = await lab.PublishAsync(harmful);

        Assert.Equal(first.Entries.Single(e => e.Path == PyPi).Sha256, third.Entries.Single(e => e.Path == PyPi).Sha256);
        Assert.Equal(first.HeldBack, third.HeldBack);
    }

    [Theory]
    [InlineData(200, 10, true)]
    [InlineData(200, 11, false)]
    [InlineData(20, 9, true)]
    [InlineData(20, 10, false)]
    [InlineData(1, 1, false)]
    public async Task An_archive_that_would_lose_too_much_is_not_published_and_the_last_good_one_stays(int members, int harmful, bool published)
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        Generation before = await lab.CaptureAndPublishAsync();
        lab.SetArchive(
            "PyPI",
            [.. Enumerable.Range(0, members).Select(i => ($"a-{i}.json", i < harmful ? Advisories.Crashing($"a-{i}") : Advisories.Sound($"a-{i}")))]);

        Generation after = await lab.CaptureAndPublishAsync();

        SourceSnapshot source = after.Sources.Single();
        Assert.Equal(published ? CaptureState.Captured : CaptureState.Failed, source.State);
        if (published)
        {
            Assert.Equal(harmful, after.HeldBack.Count);
        }
        else
        {
            Assert.Contains($"{harmful} of the {members} members", source.Error);
            Assert.Equal(before.Entries, after.Entries, EntriesAreEqual);
        }
    }

    [Fact]
    public async Task A_capture_that_lacks_an_archive_it_claims_is_not_published()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        SourceSnapshot captured = await lab.CaptureAsync();

        Generation generation = await lab.PublishAsync(captured with { Files = [.. captured.Files.Where(f => !f.Url.Contains("Maven"))] });

        Assert.Equal(CaptureState.Failed, generation.Sources.Single().State);
        Assert.Contains("osv/maven", generation.Sources.Single().Error);
        Assert.Empty(generation.Entries);
    }

    [Fact]
    public async Task A_blob_that_is_no_zip_fails_the_publication_of_the_source_only()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        SourceSnapshot captured = await lab.CaptureAsync();
        SnapshotFile list = captured.Files.Single(f => f.Url.EndsWith(".txt", StringComparison.Ordinal));

        Generation generation = await lab.PublishAsync(
            captured with { Files = [.. captured.Files.Select(f => f.Url.Contains("Go/") ? f with { Sha256 = list.Sha256, Size = list.Size } : f)] });

        Assert.Equal(CaptureState.Failed, generation.Sources.Single().State);
        Assert.Contains("/Go/all.zip is not a sound zip file", generation.Sources.Single().Error);
    }

    private static bool EntriesAreEqual(GenerationEntry a, GenerationEntry b) =>
        (a.Path, a.Sha256, a.Size, a.ContentType, a.LastModified, a.Validators) == (b.Path, b.Sha256, b.Size, b.ContentType, b.LastModified, b.Validators)
        && (a.Derivation?.Inputs ?? []).SequenceEqual(b.Derivation?.Inputs ?? []);
}
