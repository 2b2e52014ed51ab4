using System.Security.Cryptography;
using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Trust;
using QuayAirGap.Core.Trust;
using QuayAirGap.TestKit.Mutations;
using Xunit;

namespace QuayAirGap.Core.Tests.Bundles;

/// <summary>Bundles that must not pass, each really built; see <see cref="HandMadeBundle"/>.</summary>
public sealed class HostileBundleTests : IAsyncLifetime
{
    private BundleKit _kit = null!;

    public async ValueTask InitializeAsync() => _kit = await BundleKit.SmallAsync();

    public ValueTask DisposeAsync()
    {
        _kit.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_bundle_put_together_by_hand_passes_where_nothing_in_it_lies()
    {
        await _kit.ExamineAsync(_kit.Write("good.tar", new HandMadeBundle(_kit).Build()));

        // What other programs may write: folders, an old type flag, times in extended attributes, a larger end.
        await _kit.ExamineAsync(_kit.Write("other.tar", new HandMadeBundle(_kit)
        {
            ChangeEntries = e =>
            [
                new RawEntry("./", []) { Type = '5' }, new RawEntry("./blobs/", []) { Type = '5' }, new RawEntry("./blobs/sha256", []) { Type = '5' },
                new RawEntry("PaxHeaders.0/x", Pax("mtime=1700000000.25", "SCHILY.xattr.security.selinux=system_u")) { Type = 'x' },
                .. e.Select((x, i) => x with { Name = "./" + x.Name, Type = i % 2 == 0 ? '0' : '\0' }),
            ],
            ChangeArchive = a => [.. a, .. new byte[8192]],
        }.Build()));
    }

    [Fact]
    public async Task Signatures_that_are_missing_of_others_or_of_other_content_are_refused()
    {
        using var pki = new Pki();
        var other = pki.Issue(new CertificateSpec { Subject = "CN=Somebody else" });
        await RefusedAsync(ErrorIds.BundleUnsigned, new HandMadeBundle(_kit) { Sign = _ => [] });
        await RefusedAsync(ErrorIds.BundleSignerUnknown, new HandMadeBundle(_kit) { Sign = d => [Pki.Sign(d, other)] });
        await RefusedAsync(ErrorIds.BundleSignatureInvalid, new HandMadeBundle(_kit) { Sign = d => [_kit.Signer.Sign(d.AsMemory(1))] });
        await RefusedAsync(ErrorIds.BundleSignatureInvalid, new HandMadeBundle(_kit) { Sign = _ => [[1, 2, 3]] });
        await RefusedAsync(ErrorIds.BundleLimit, new HandMadeBundle(_kit) { Sign = d => [.. Enumerable.Range(0, 17).Select(_ => _kit.Signer.Sign(d))] });
        await RefusedAsync(ErrorIds.BundleLimit, new HandMadeBundle(_kit) { Sign = _ => [new byte[SignatureVerifier.MaxSignatureBytes + 1]] });
        await _kit.ExamineAsync(_kit.Write("both.tar", new HandMadeBundle(_kit) { Sign = d => [Pki.Sign(d, other), _kit.Signer.Sign(d)] }.Build()));

        File.WriteAllText(Path.Combine(_kit.Inside.TrustFolder, "policy.yaml"), "requiredSigners: 2");
        await RefusedAsync(ErrorIds.BundleSignerRepeated, new HandMadeBundle(_kit) { Sign = d => [_kit.Signer.Sign(d), _kit.Signer.Sign(d)] });
        File.Delete(Path.Combine(_kit.Inside.TrustFolder, "policy.yaml"));

        _kit.Trust.Remove(_kit.Signer.Thumbprint, revoke: true);
        await RefusedAsync(ErrorIds.BundleSignerRevoked, new HandMadeBundle(_kit));
        _kit.Trust.Remove(_kit.Signer.Thumbprint, revoke: false);
        await RefusedAsync(ErrorIds.TrustEmpty, new HandMadeBundle(_kit));
    }

    [Fact]
    public async Task A_signer_whose_certificate_was_not_valid_when_the_bundle_was_made_is_refused()
    {
        await RefusedAsync(ErrorIds.BundleSignerExpired, new HandMadeBundle(_kit)
        {
            ChangeSnapshot = s => s with
            {
                Created = Pki.Now.AddDays(-40),
                Sources = [.. s.Sources.Select(x => x.CapturedAt is null ? x : x with { CapturedAt = Pki.Now.AddDays(-41) })],
            },
        });
    }

    [Fact]
    public async Task A_snapshot_of_another_version_is_refused_by_that_name()
    {
        FeedException e = await RefusedAsync(ErrorIds.BundleVersion, new HandMadeBundle(_kit) { ChangeDocument = Replace("\"version\":1", "\"version\":2") });
        Assert.Contains("version 2", e.Message);
        Assert.Contains("version 1", e.Message);
        await RefusedAsync(ErrorIds.BundleInvalid, new HandMadeBundle(_kit) { ChangeDocument = Replace("quayairgap.snapshot", "quayairgap.snapshoT") });

        // A full bundle that calls itself a delta. Deltas themselves are tested in Delta/.
        Assert.Throws<FeedException>(() => new HandMadeBundle(_kit) { ChangeSnapshot = s => s with { Base = new string('b', 64) } }.Build());
    }

    [Fact]
    public async Task A_layer_that_is_not_what_the_snapshot_says_is_refused()
    {
        await RefusedAsync(ErrorIds.BundleMissingContent, Claim(l => l with { Sha256 = new string('a', 64) }));
        await RefusedAsync(ErrorIds.BundleLimit, Claim(l => l with { Size = l.Size - 1 }));
        await RefusedAsync(ErrorIds.BundleTruncated, Claim(l => l with { Size = l.Size + 1 }));
        await RefusedAsync(ErrorIds.BundleInvalid, Claim(l => l with { TarSize = l.TarSize + 512 }));
        await RefusedAsync(ErrorIds.BundleInvalid, Claim(l => l with { TarSize = l.TarSize - 512 }));
        await RefusedAsync(ErrorIds.BundleMissingContent, new HandMadeBundle(_kit)
        {
            ChangeSnapshot = s => s with { Sources = [.. s.Sources.Select(x => x.Name == "osv" ? x with { Layer = null } : x)] },
        });
        await RefusedAsync(ErrorIds.BundleExtraContent, new HandMadeBundle(_kit)
        {
            ChangeSnapshot = s => s with { Sources = [.. s.Sources.Select(x => x.Name == "osv" ? x with { Layer = null, Files = [] } : x)] },
        });

        // Mix and match: another bundle's truly made layer in the place of this one's.
        await RefusedAsync(ErrorIds.BundleAltered, new HandMadeBundle(_kit)
        {
            ChangeEntries = e => e.Select(x => x.Name == e[1].Name ? x with { Content = Swap(x.Content) } : x),
        });

        HandMadeBundle Claim(Func<LayerDescriptor, LayerDescriptor> claim) => new(_kit) { Claims = { ["osv"] = claim } };
        static byte[] Swap(byte[] content)
        {
            byte[] other = HandMadeBundle.Zstd(HandMadeBundle.Tar([new RawEntry("sha256/" + new string('a', 64), [1])]));
            Array.Resize(ref other, content.Length);
            return other;
        }
    }

    [Fact]
    public async Task What_lies_inside_a_signed_layer_must_be_exactly_what_the_signed_snapshot_lists()
    {
        var truth = new HandMadeBundle(_kit);
        List<RawEntry> entries = truth.EntriesOf("alpine");
        byte[] other = Encoding.UTF8.GetBytes("something else");
        var stranger = new RawEntry("sha256/" + HandMadeBundle.Sha(other), other);

        await Inside(ErrorIds.BundleMissingContent, HandMadeBundle.Tar(entries[..^1]));
        await Inside(ErrorIds.BundleMissingContent, HandMadeBundle.Tar(entries[1..]));
        await Inside(ErrorIds.BundleMissingContent, HandMadeBundle.Tar(((List<RawEntry>)[.. entries]).AsEnumerable().Reverse()));
        await Inside(ErrorIds.BundleExtraContent, HandMadeBundle.Tar([stranger, .. entries[..^1]]));
        await Inside(ErrorIds.BundleExtraContent, HandMadeBundle.Tar([.. entries[..^1], stranger]));
        await Inside(ErrorIds.BundleAltered, HandMadeBundle.Tar([entries[0] with { Content = Flip(entries[0].Content) }, .. entries[1..]]));
        await Inside(ErrorIds.BundleTruncated, HandMadeBundle.Tar([entries[0] with { Content = entries[0].Content[..^1] }, .. entries[1..]]));
        await Inside(ErrorIds.BundleLimit, HandMadeBundle.Tar([entries[0] with { Content = [.. entries[0].Content, 1] }, .. entries[1..]]));
        await Inside(ErrorIds.BundleExtraContent, HandMadeBundle.Tar([entries[0] with { Padding = 1 }, .. entries[1..]]));
        await Inside(ErrorIds.BundleLink, HandMadeBundle.Tar([entries[0] with { Type = '2', Link = "/etc/passwd" }, .. entries[1..]]));
        await Inside(ErrorIds.BundleLink, HandMadeBundle.Tar([entries[0] with { Type = '1' }, .. entries[1..]]));
        await Inside(ErrorIds.BundlePathEscape, HandMadeBundle.Tar([entries[0] with { Name = "../../etc/cron.d/x" }, .. entries[1..]]));
        await Inside(ErrorIds.BundleExtraContent, [.. HandMadeBundle.Tar(entries, end: 512), .. Encoding.ASCII.GetBytes(new string('x', 512))]);

        // Longer and shorter than announced: what a compression bomb does, and what a careless program does.
        await Packed(ErrorIds.BundleLimit, HandMadeBundle.Zstd([.. HandMadeBundle.Tar(entries), .. new byte[512]]));
        await Packed(ErrorIds.BundleLimit, HandMadeBundle.Zstd([.. HandMadeBundle.Tar(entries), .. new byte[300_000_000]], pledge: false));
        await Packed(ErrorIds.BundleTruncated, HandMadeBundle.Zstd(HandMadeBundle.Tar(entries, end: 512)));
        await Packed(ErrorIds.BundleTruncated, HandMadeBundle.Zstd(HandMadeBundle.Tar(entries))[..^3]);
        await Packed(ErrorIds.BundleExtraContent, [.. HandMadeBundle.Zstd(HandMadeBundle.Tar(entries)), 0]);
        await Packed(ErrorIds.BundleExtraContent, [.. HandMadeBundle.Zstd(HandMadeBundle.Tar(entries)), .. HandMadeBundle.Zstd([1])]);
        await Packed(ErrorIds.BundleLimit, HandMadeBundle.Zstd(HandMadeBundle.Tar(entries), windowLog: 27, pledge: false));
        await Packed(ErrorIds.BundleInvalid, HandMadeBundle.Tar(entries));
        await Packed(ErrorIds.BundleInvalid, RandomNumberGenerator.GetBytes(2000));
        await Packed(ErrorIds.BundleTruncated, [0x28]);

        Task<FeedException> Inside(string errorId, byte[] tar) => Packed(errorId, HandMadeBundle.Zstd(tar, pledge: false));
        async Task<FeedException> Packed(string errorId, byte[] layer)
        {
            FeedException e = await RefusedAsync(errorId, new HandMadeBundle(_kit) { Layers = { ["alpine"] = layer } });
            Assert.Equal("alpine", e.Target);
            return e;
        }
    }

    [Fact]
    public async Task An_archive_with_anything_but_the_files_of_an_image_layout_is_refused()
    {
        byte[] stray = Encoding.UTF8.GetBytes("stray");
        await Entries(ErrorIds.BundleExtraContent, e => [.. e, new RawEntry(BundleFormat.BlobName(HandMadeBundle.Sha(stray)), stray)]);
        foreach (string name in new[]
        {
            "manifest.json", "blobs/sha512/" + new string('a', 64), "BLOBS/SHA256/" + new string('a', 64), "blobs/sha256/" + new string('A', 64), "oci-layout ", "././oci-layout", "", "con",
        })
        {
            await Entries(ErrorIds.BundleExtraContent, e => [.. e, new RawEntry(name, stray)]);
        }

        foreach (string name in new[] { "../oci-layout", "/oci-layout", "blobs/sha256/../../../etc/passwd", "blobs\\sha256\\x", "C:x" })
        {
            await Entries(ErrorIds.BundlePathEscape, e => [.. e, new RawEntry(name, stray)]);
        }

        await Entries(ErrorIds.BundleDuplicate, e => [.. e, e[0]]);
        await Entries(ErrorIds.BundleDuplicate, e => [.. e, e[0] with { Name = "./" + e[0].Name }]);
        await Entries(ErrorIds.BundleExtraContent, e => [e[0] with { Padding = 1 }, .. e[1..]]);
        await Entries(ErrorIds.BundleExtraContent, e => [new RawEntry("other/", []) { Type = '5' }, .. e]);
        await Entries(ErrorIds.BundleExtraContent, e => [new RawEntry("blobs", [1]) { Type = '5' }, .. e]);
        foreach (char type in "3467gKLMSVX")
        {
            await Entries(ErrorIds.BundleInvalid, e => [.. e, new RawEntry(BundleFormat.BlobName(new string('a', 64)), []) { Type = type }]);
        }

        foreach (char type in "12")
        {
            await Entries(ErrorIds.BundleLink, e => [.. e, new RawEntry(BundleFormat.BlobName(new string('a', 64)), []) { Type = type, Link = "/etc/passwd" }]);
        }

        await Entries(ErrorIds.BundleInvalid, e => [e[0] with { Link = "/etc/passwd" }, .. e[1..]]);
        await Entries(ErrorIds.BundleInvalid, e => [e[0] with { Name = "oci-layout\0x" }, .. e[1..]]);
        await Entries(ErrorIds.BundleInvalid, e => [e[0] with { Name = "oci-läyout" }, .. e[1..]]);
        await Entries(ErrorIds.BundleLimit, e => [.. e, .. Enumerable.Range(0, 1100).Select(i => new RawEntry($"blobs/sha256/{i:x64}", []))]);
        foreach (int i in new[] { 0, 1, 2 })
        {
            await Entries(i == 0 ? ErrorIds.BundleInvalid : ErrorIds.BundleMissingContent, e => [.. e.Where((_, at) => at != i)]);
        }

        await Entries(ErrorIds.BundleInvalid, e => e[..^1]);
        foreach (byte[] attributes in new[]
        {
            Pax("path=index.json"), Pax("path=../x"), Pax("linkpath=x"), Pax("GNU.sparse.size=1"), Pax("size=-1"), Pax("size=1x"), Encoding.ASCII.GetBytes("9999 mtime=1\n"),
            Encoding.ASCII.GetBytes("mtime=1\n"), Encoding.ASCII.GetBytes("11 mtime=12"), new byte[16], Pax("uname=" + new string('x', 9000)),
        })
        {
            await Entries(ErrorIds.BundleInvalid, e => [new RawEntry("pax", attributes) { Type = 'x' }, .. e]);
        }

        byte[] mtime = Pax("mtime=1");
        await Entries(ErrorIds.BundleInvalid, e => [new RawEntry("pax", mtime) { Type = 'x' }, new RawEntry("pax", mtime) { Type = 'x' }, .. e]);
        await Entries(ErrorIds.BundleInvalid, e => [.. e, new RawEntry("pax", mtime) { Type = 'x' }]);
        await Entries(ErrorIds.BundleTruncated, e => [new RawEntry("pax", Pax("size=99999999999")) { Type = 'x' }, .. e]);
        await Entries(ErrorIds.BundleTruncated, e => [e[0] with { Size = 1L << 33 }, .. e[1..]]);
        await Entries(ErrorIds.BundleTruncated, e => [e[0] with { Size = long.MaxValue }, .. e[1..]]);

        await Archive(ErrorIds.BundleTruncated, a => a[..^512]);
        await Archive(ErrorIds.BundleTruncated, a => a[..^1]);
        await Archive(ErrorIds.BundleTruncated, a => [.. a, 0]);
        await Archive(ErrorIds.BundleExtraContent, a => [.. a, .. Enumerable.Repeat((byte)1, 512)]);
        await Archive(ErrorIds.BundleExtraContent, a => [.. a, .. a]);
        await Archive(ErrorIds.BundleExtraContent, a => [.. a, .. new byte[2_000_000 / 512 * 512]]);
        await Archive(ErrorIds.BundleInvalid, a => HandMadeBundle.WithBinarySize(a, -1));

        Task Entries(string errorId, Func<List<RawEntry>, IEnumerable<RawEntry>> change) => RefusedAsync(errorId, new HandMadeBundle(_kit) { ChangeEntries = change });
        Task Archive(string errorId, Func<byte[], byte[]> change) => RefusedAsync(errorId, new HandMadeBundle(_kit) { ChangeArchive = change });
    }

    [Fact]
    public async Task Documents_of_the_layout_that_lie_or_say_more_are_refused()
    {
        await Index(ErrorIds.BundleInvalid, i => i.Replace("\"schemaVersion\":2", "\"schemaVersion\":1"));
        await Index(ErrorIds.BundleInvalid, i => i.Replace("\"manifests\":[", "\"manifests\":[null,"));
        await Index(ErrorIds.BundleInvalid, i => i.Replace("\"manifests\"", "\"subject\""));
        await Index(ErrorIds.BundleInvalid, i => i.Replace("sha256:", "sha512:"));
        await Index(ErrorIds.BundleInvalid, i => "[" + i + "]");
        await Index(ErrorIds.BundleInvalid, i => "null");
        await Index(ErrorIds.BundleInvalid, i => i[..^1]);
        await Index(ErrorIds.BundleTruncated, i => "");
        await Index(ErrorIds.BundleLimit, i => i + new string(' ', BundleFormat.MaxDocumentBytes));
        await Index(ErrorIds.BundleInvalid, i => new string('[', 100_000));
        await Index(ErrorIds.BundleInvalid, i => i.Replace("\"size\":", "\"size\":-"));
        await Index(ErrorIds.BundleExtraContent, i => i.Replace("\"size\":", "\"size\":1,\"annotations\":{\"a\":\"b\"},\"x\":").Replace(",\"x\":", ",\"data\":\"").Replace("}]}", "\"}]}"));
        await Manifest(ErrorIds.BundleInvalid, m => m.Replace(BundleFormat.ArtifactType, "application/vnd.example.other"));
        await Manifest(ErrorIds.BundleInvalid, m => m.Replace(BundleFormat.EmptyType, "application/vnd.oci.image.config.v1+json"));
        await Manifest(ErrorIds.BundleVersion, m => m.Replace(BundleFormat.SourceType, "application/vnd.quayairgap.source.v9"));
        await Manifest(ErrorIds.BundleInvalid, m => m.Replace(BundleFormat.SourceType, "application/vnd.example.source.v9"));
        await Manifest(ErrorIds.BundleInvalid, m => m.Replace(BundleFormat.SourceType, BundleFormat.SnapshotType));
        await Manifest(ErrorIds.BundleMissingContent, m => m.Replace(BundleFormat.SnapshotType, BundleFormat.SourceType));
        await Manifest(ErrorIds.BundleInvalid, m => m.Replace("\"layers\":[", "\"layers\":[null,"));
        await Manifest(ErrorIds.BundleMissingContent, m => m.Replace("\"layers\":[", $"\"layers\":[{HandMadeBundle.Descriptor(BundleFormat.SourceType, [1])},"));
        await Manifest(ErrorIds.BundleLimit, m => m.Replace("\"size\":2}", "\"size\":3}"));

        Task Index(string errorId, Func<string, string> change) => RefusedAsync(errorId, new HandMadeBundle(_kit) { ChangeIndex = change });
        Task Manifest(string errorId, Func<string, string> change) => RefusedAsync(errorId, new HandMadeBundle(_kit) { ChangeManifest = change });
    }

    [Fact]
    public async Task A_folder_with_links_or_anything_else_in_it_is_refused()
    {
        WrittenBundle written = await _kit.WriteAsync();
        string folder = _kit.PathOf("folder");
        Directory.CreateDirectory(folder);
        System.Formats.Tar.TarFile.ExtractToDirectory(written.Path, folder, overwriteFiles: false);
        await _kit.ExamineAsync(folder);
        string blob = Directory.GetFiles(Path.Combine(folder, "blobs", "sha256")).MaxBy(f => new FileInfo(f).Length)!;
        byte[] content = await File.ReadAllBytesAsync(blob);

        await Change(ErrorIds.BundleExtraContent, () => File.WriteAllText(Path.Combine(folder, "x"), "x"), () => File.Delete(Path.Combine(folder, "x")));
        await Change(ErrorIds.BundleExtraContent, () => Directory.CreateDirectory(Path.Combine(folder, "x")), () => Directory.Delete(Path.Combine(folder, "x")));
        await Change(ErrorIds.BundleTruncated, () => File.WriteAllBytes(blob, content[..^1]), () => File.WriteAllBytes(blob, content));
        await Change(ErrorIds.BundleExtraContent, () => File.WriteAllBytes(blob, [.. content, 0]), () => File.WriteAllBytes(blob, content));
        await Change(ErrorIds.BundleAltered, () => File.WriteAllBytes(blob, Flip(content)), () => File.WriteAllBytes(blob, content));
        await Change(ErrorIds.BundleMissingContent, () => File.Delete(blob), () => File.WriteAllBytes(blob, content));
        string elsewhere = _kit.Write("elsewhere", content);
        await Change(
            ErrorIds.BundleLink, () =>
            {
                File.Delete(blob);
                File.CreateSymbolicLink(blob, elsewhere);
            },
            () =>
            {
                File.Delete(blob);
                File.WriteAllBytes(blob, content);
            });
        await _kit.ExamineAsync(folder);

        async Task Change(string errorId, Action change, Action undo)
        {
            change();
            FeedException e = await Assert.ThrowsAsync<FeedException>(() => _kit.ExamineAsync(folder));
            Assert.Equal(errorId, e.ErrorId);
            undo();
        }
    }

    [Fact]
    public async Task No_bundle_with_a_changed_bit_is_accepted_whichever_byte_it_is_in()
    {
        byte[] whole = await SmallestAsync();
        var accepted = new List<int>();
        byte[] changed = [.. whole];
        for (int i = 0; i < whole.Length; i++)
        {
            // Every bit of the two documents that no digest covers, and one of each other byte.
            bool bare = i is >= 512 and < 544 || (i >= whole.Length - 1536 && i < whole.Length - 1024);
            for (int bit = bare ? 0 : i % 8; bit <= (bare ? 7 : i % 8); bit++)
            {
                changed[i] ^= (byte)(1 << bit);
                if (await AcceptedAsync(changed))
                {
                    accepted.Add(i);
                }

                changed[i] = whole[i];
            }
        }

        Assert.Empty(accepted);
    }

    [Fact]
    public async Task No_bundle_that_was_cut_anywhere_is_accepted()
    {
        byte[] whole = await SmallestAsync();
        Assert.True(await AcceptedAsync(whole));
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.False(await AcceptedAsync(whole.AsMemory(0, length)), $"cut to {length} of {whole.Length} bytes");
        }
    }

    /// <summary>Ten thousand of them: dotnet run --project tests/bench/QuayAirGap.Bench -- mutations.</summary>
    [Fact]
    public async Task A_mutated_bundle_is_refused_or_means_the_same_and_never_fails_in_another_way()
    {
        byte[] whole = await SmallestAsync();
        string meaning = BundleMutator.MeaningOf(whole);
        var mutator = new BundleMutator(whole, seed: 20261123);
        int same = 0;
        for (int round = 0; round < 500; round++)
        {
            // Another time of a file, or more zeros behind the end, are not another bundle: a second tar reader is the judge of that.
            (byte[] changed, string how) = mutator.Next();
            if (!changed.AsSpan().SequenceEqual(whole) && await AcceptedAsync(changed))
            {
                same++;
                Assert.True(meaning == BundleMutator.MeaningOf(changed), $"round {round}: {how}");
            }
        }

        Assert.InRange(same, 0, 50);
    }

    private static Func<byte[], byte[]> Replace(string from, string to) => d => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(d).Replace(from, to));

    private static byte[] Flip(byte[] content) => content.Length == 0 ? [1] : [(byte)(content[0] ^ 1), .. content[1..]];

    private static byte[] Pax(params string[] records) => Encoding.UTF8.GetBytes(string.Concat(records.Select(r =>
    {
        int length = Encoding.UTF8.GetByteCount(r) + 2;
        while ($"{length}".Length + Encoding.UTF8.GetByteCount(r) + 2 != length)
        {
            length = $"{length}".Length + Encoding.UTF8.GetByteCount(r) + 2;
        }

        return $"{length} {r}\n";
    })));

    private static async Task<byte[]> SmallestAsync(BundleKit kit) => await File.ReadAllBytesAsync((await kit.WriteAsync("small.tar")).Path);

    private Task<byte[]> SmallestAsync() => SmallestAsync(_kit);

    private async Task<FeedException> RefusedAsync(string errorId, HandMadeBundle made)
    {
        string path = _kit.Write("hostile.tar", made.Build());
        using var stage = new BlobStage(_kit.Inside);
        FeedException e = await Assert.ThrowsAsync<FeedException>(() => _kit.ExamineAsync(path, null, stage));
        Assert.True(errorId == e.ErrorId, $"{errorId} expected, and it was {e.ErrorId}: {e.Message}");
        Assert.False(string.IsNullOrWhiteSpace(e.Remedy));
        Assert.Empty(_kit.Inside.Store.List());
        return e;
    }

    private async Task<bool> AcceptedAsync(ReadOnlyMemory<byte> bytes)
    {
        string path = _kit.PathOf("changed.tar");
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
        try
        {
            await _kit.ExamineAsync(path);
            return true;
        }
        catch (FeedException)
        {
            return false;
        }
    }
}
