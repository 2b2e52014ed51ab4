using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Support;
using Xunit;
using ZstdSharp;

namespace QuayAirGap.Core.Tests.RhelVex;

/// <summary>The archive as it crosses the gap: packed by the collector, with a table of its documents behind.</summary>
public sealed class VexPackingTests : IDisposable
{
    private const string Single = "2024/cve-2024-1003.json";
    private const string Withdrawn = "2024/cve-2024-1007.json";
    private static readonly DateTimeOffset s_now = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly BlobStore _store;
    private readonly VexUpstream _upstream;
    private readonly VexMirror _mirror;

    public VexPackingTests()
    {
        _store = new BlobStore(_folder.Of("store"), _folder.Of("staging"));
        _upstream = new VexUpstream(_store);
        _mirror = new VexMirror(_store, _folder.Of("state"));
        for (int i = 1000; i < 1200; i++)
        {
            _upstream.Put($"2024/cve-2024-{i}.json", 1, s_now.AddDays(-30));
        }

        _upstream.Pack(s_now.AddDays(-2), new Random(1));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_has_every_document_of_upstreams_but_what_travels_singly_or_was_withdrawn()
    {
        _upstream.Put(Single, 2, s_now.AddDays(-1));
        _upstream.Delete(Withdrawn, s_now.AddDays(-1));

        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);

        SnapshotFile archive = Archive(capture);
        Assert.Equal(new UpstreamContent(Sha256Digest.Of(_upstream.Archive), _upstream.Archive.Length), archive.PackedFrom);
        List<SeekableArchiveDocument> documents = Table(archive.Sha256).Documents;
        Assert.Equal(_upstream.Documents.Keys.Where(p => p != Single), documents.Select(d => d.Path).Order(StringComparer.Ordinal));
        Assert.All(documents, d => Assert.Equal(Sha256Digest.Of(Encoding.UTF8.GetBytes(_upstream.Documents[d.Path])), d.Digest.ToString()));
    }

    [Fact]
    public async Task Its_bytes_follow_from_upstreams_alone()
    {
        SnapshotFile one = Archive(await _upstream.CaptureAsync(s_now));

        Assert.Equal(one.Sha256, Archive(await _upstream.CaptureAsync(s_now.AddDays(1))).Sha256);
    }

    [Fact]
    public async Task A_site_copies_it_and_packs_only_what_travelled_singly()
    {
        _upstream.Put(Single, 2, s_now.AddDays(-1));
        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);
        await _mirror.PublishAsync(capture, s_now);

        (_, SeekableArchivePlace[] places) = Table(Archive(capture).Sha256);
        SeekableArchivePlace last = places[^1];
        byte[] carried = await File.ReadAllBytesAsync(_store.PathOf(Archive(capture).Sha256));
        byte[] published = await File.ReadAllBytesAsync(_store.PathOf(_mirror.Current!.Archives[0].ArchiveSha256));
        int copied = (int)places.Where(p => p.FrameOffset != last.FrameOffset).Max(p => p.FrameOffset + p.FrameLength);
        Assert.True(copied > (last.FrameOffset + last.FrameLength) / 2);
        Assert.Equal(carried[..copied], published[..copied]);
        Assert.Equal(_upstream.Documents, _mirror.Documents());
    }

    [Fact]
    public async Task A_document_that_was_left_out_of_it_is_not_lost_when_upstreams_lists_forget_it()
    {
        _upstream.Put(Single, 2, s_now.AddDays(-1));
        SourceSnapshot first = await _upstream.CaptureAsync(s_now);
        _upstream.Changes.Remove(Single);

        SourceSnapshot second = await _upstream.CaptureAsync(s_now.AddDays(1), first);
        await _mirror.PublishAsync(second, s_now.AddDays(1));

        Assert.Equal(VexUpstream.Content(Single, 2), _mirror.Documents()[Single]);
    }

    [Fact]
    public async Task A_withdrawn_document_that_returns_is_fetched_although_upstreams_archive_had_it()
    {
        _upstream.Delete(Withdrawn, s_now.AddDays(-1));
        SourceSnapshot first = await _upstream.CaptureAsync(s_now);
        _upstream.Put(Withdrawn, 3, s_now.AddDays(-20));

        SourceSnapshot second = await _upstream.CaptureAsync(s_now.AddDays(1), first);
        await _mirror.PublishAsync(second, s_now.AddDays(1));

        Assert.Equal(Archive(first), Archive(second));
        Assert.Equal(VexUpstream.Content(Withdrawn, 3), _mirror.Documents()[Withdrawn]);
    }

    [Fact]
    public async Task An_archive_of_an_earlier_collector_is_published_all_the_same_and_packed_with_the_next_capture()
    {
        SourceSnapshot today = await _upstream.CaptureAsync(s_now);
        SnapshotFile archive = Archive(today);
        SourceSnapshot earlier = today with
        {
            Files = [.. today.Files.Select(f => f == archive ? f with { Sha256 = f.PackedFrom!.Sha256, Size = f.PackedFrom.Size, PackedFrom = null } : f)],
        };
        await _mirror.PublishAsync(earlier, s_now);
        Assert.Equal(_upstream.Documents, _mirror.Documents());
        string published = _mirror.Current!.Archives[0].ArchiveSha256;
        _upstream.Requests.Clear();

        SourceSnapshot next = await _upstream.CaptureAsync(s_now.AddDays(1), earlier);
        await _mirror.PublishAsync(next, s_now.AddDays(1));

        Assert.DoesNotContain(_upstream.ArchiveName, _upstream.Requests);
        Assert.Equal(archive.Sha256, Archive(next).Sha256);
        Assert.Equal(published, _mirror.Current!.Archives[0].ArchiveSha256);
    }

    [Fact]
    public async Task Damage_in_the_store_is_not_copied_into_what_is_served()
    {
        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);
        byte[] packed = await File.ReadAllBytesAsync(_store.PathOf(Archive(capture).Sha256));
        packed[100] ^= 1;
        await File.WriteAllBytesAsync(_store.PathOf(Archive(capture).Sha256), packed);

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => _mirror.PublishAsync(capture, s_now));

        Assert.Equal(ErrorIds.BlobDamaged, e.ErrorId);
        Assert.Null(_mirror.Current);
    }

    [Fact]
    public async Task A_collector_whose_store_was_damaged_says_so()
    {
        SourceSnapshot first = await _upstream.CaptureAsync(s_now);
        string path = _store.PathOf(Archive(first).Sha256);
        byte[] packed = await File.ReadAllBytesAsync(path);
        packed.AsSpan(packed.Length - 200).Clear();
        await File.WriteAllBytesAsync(path, packed);

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => _upstream.CaptureAsync(s_now.AddDays(1), first));

        Assert.Equal(ErrorIds.BlobDamaged, e.ErrorId);
        Assert.Contains("Repair-ClairFeedStore", e.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_of_zstd_passes_over_the_table()
    {
        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);
        using var unpacked = new MemoryStream();
        await using (var packed = new DecompressionStream(_store.OpenRead(Archive(capture).Sha256), leaveOpen: false))
        {
            await packed.CopyToAsync(unpacked);
        }

        Assert.Equal(Table(Archive(capture).Sha256).Documents.Sum(d => SeekableArchive.SizeInTar(d.Size)) + 1024, unpacked.Length);
    }

    [Fact]
    public async Task A_newer_archive_travels_in_a_delta_as_what_it_changed()
    {
        byte[] old = await PackedAsync();
        _upstream.Put("2024/cve-2024-1042.json", 2, s_now);
        _upstream.Pack(s_now.AddDays(1), new Random(1));
        SnapshotFile now = Archive(await _upstream.CaptureAsync(s_now.AddDays(2)));
        await File.WriteAllBytesAsync(_folder.Of("old"), old);

        DeltaRecipe recipe = new RecipeMaker(_folder.Path).Make(
            new LayerEntry(now.Sha256, now.Size, now.Url), _store.PathOf(now.Sha256),
            new LayerEntry(Sha256Digest.Of(old), old.Length, now.Url), _folder.Of("old"), default)!;

        Assert.True(recipe.PatchSize < now.Size / 5, $"{recipe.PatchSize} of {now.Size}");
    }

    /// <summary>Every byte of a table's frame, changed in three ways: it reads as it was, or not at all.</summary>
    [Fact]
    public async Task A_damaged_table_is_refused_and_never_misread()
    {
        byte[] good = await PackedAsync();
        (List<SeekableArchiveDocument> documents, _) = SeekableArchiveTable.Read(new MemoryStream(good))!.Value;
        int start = good.Length - TableLength(good) - 48;
        int refused = 0;
        for (int i = start; i < good.Length; i++)
        {
            foreach (byte change in (byte[])[0x01, 0x80, 0xFF])
            {
                byte[] bad = [.. good];
                bad[i] ^= change;
                try
                {
                    if (SeekableArchiveTable.Read(new MemoryStream(bad)) is var (read, _))
                    {
                        Assert.Equal(documents.Select(d => (d.Path, d.Size, d.Digest)), read.Select(d => (d.Path, d.Size, d.Digest)));
                    }
                }
                catch (InvalidDataException)
                {
                    refused++;
                }
            }
        }

        Assert.True(refused > (good.Length - start) * 2, $"{refused} of {(good.Length - start) * 3}");
    }

    public static TheoryData<string, string> Lies => new()
    {
        { "a frame that is longer", "frame+1" }, { "a frame that is shorter", "frame-1" }, { "no frame before the first document", "no frame" },
        { "a document that is larger", "size+512" }, { "a negative size", "size-" }, { "a document of a terabyte", "size++" },
        { "a path out of the tree", "path .." }, { "a path that Clair does not read", "path old" }, { "a document twice", "twice" },
        { "a frame without documents", "empty frame" }, { "no end of the last line", "cut" }, { "another format", "format" },
        { "a digest that is none", "digest" }, { "a frame behind the archive", "frame++" },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task A_table_that_lies_publishes_nothing(string what, string lie)
    {
        Assert.NotEmpty(what);
        byte[] packed = await PackedAsync();
        int length = TableLength(packed);
        int end = packed.Length - length - 48;
        List<string> lines = [.. Encoding.ASCII.GetString(packed, end + 8, length).Split((char)10)];
        string[] first = lines[2].Split('\t');
        switch (lie)
        {
            case "frame+1": lines[1] = $"{long.Parse(lines[1]) + 1}"; break;
            case "frame-1": lines[1] = $"{long.Parse(lines[1]) - 1}"; break;
            case "frame++": lines[1] = $"{packed.Length * 2L}"; break;
            case "no frame": lines.RemoveAt(1); break;
            case "size+512": lines[2] = $"{first[0]}\t{int.Parse(first[1]) + 512}\t{first[2]}"; break;
            case "size-": lines[2] = $"{first[0]}\t-1\t{first[2]}"; break;
            case "size++": lines[2] = $"{first[0]}\t{1L << 40}\t{first[2]}"; break;
            case "path ..": lines[2] = $"../{first[0]}\t{first[1]}\t{first[2]}"; break;
            case "path old": lines[2] = $"2013/cve-2013-1000.json\t{first[1]}\t{first[2]}"; break;
            case "twice": lines.Insert(3, lines[2]); break;
            case "empty frame": lines.Insert(1, "5"); break;
            case "cut": lines = [.. lines[..^1]]; break;
            case "format": lines[0] = "quayairgap.archive/2"; break;
            case "digest": lines[2] = $"{first[0]}\t{first[1]}\t{first[2][..^1]}g"; break;
        }

        byte[] table = Encoding.ASCII.GetBytes(string.Join('\n', lines));
        using var forged = new MemoryStream();
        forged.Write(packed.AsSpan(0, end + 4));
        forged.Write(BitConverter.GetBytes(table.Length + 40));
        forged.Write(table);
        forged.Write(SHA256.HashData(table));
        forged.Write(SHA256.HashData(table));
        forged.Write(BitConverter.GetBytes(table.Length));
        forged.Write("QAGT"u8);
        forged.Position = 0;
        (string sha256, long size) = await _store.AddAsync(forged, default);
        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);
        SourceSnapshot lying = capture with
        {
            Files = [.. capture.Files.Select(f => f == Archive(capture) ? f with { Sha256 = sha256, Size = size } : f)],
        };

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => _mirror.PublishAsync(lying, s_now));

        Assert.Contains(e.ErrorId, (string[])[ErrorIds.PublicationFailed, ErrorIds.BlobDamaged]);
        Assert.Null(_mirror.Current);
    }

    private static int TableLength(byte[] packed) => BinaryPrimitives.ReadInt32LittleEndian(packed.AsSpan(packed.Length - 8));

    private static SnapshotFile Archive(SourceSnapshot capture) =>
        capture.Files.Single(f => f.Url.EndsWith(".tar.zst", StringComparison.Ordinal));

    private (List<SeekableArchiveDocument> Documents, SeekableArchivePlace[] Places) Table(string sha256)
    {
        using FileStream archive = _store.OpenRead(sha256);
        return SeekableArchiveTable.Read(archive)!.Value;
    }

    private async Task<byte[]> PackedAsync() => await File.ReadAllBytesAsync(_store.PathOf(Archive(await _upstream.CaptureAsync(s_now)).Sha256));
}
