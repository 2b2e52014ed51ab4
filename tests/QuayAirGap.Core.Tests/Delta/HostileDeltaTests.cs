using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Bundles;
using Xunit;

namespace QuayAirGap.Core.Tests.Delta;

/// <summary>Deltas that must not pass, each truly signed and really built; whatever they are, the site stays as it was.</summary>
public sealed class HostileDeltaTests : IAsyncLifetime
{
    private readonly DeltaKit _kit = new();
    private readonly Dictionary<string, string> _files = new(StringComparer.Ordinal);
    private WrittenBundle _full = null!;
    private Snapshot _delta = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        byte[] text = Content.Text(40_000, 1);
        byte[] inner = Content.Text(60_000, 2);
        _kit.With("one/a.json", text).With("one/b.json", Content.Text(40_000, 3)).With("one/z.gz", RecipeTests.Gzip(inner, 6, 0, "z"));
        _full = await _kit.FullAsync();
        await _kit.ImportAsync(_full.Path);
        _kit.With("one/a.json", Content.Edited(text, 4, 3)).With("one/b.json", Content.Edited(_kit["one/b.json"], 5, 3));
        _kit.With("one/z.gz", RecipeTests.Gzip(Content.Edited(inner, 6, 3), 6, 0, "z")).With("one/new.json", Content.Text(900, 9));
        Snapshot capture = await _kit.CaptureAsync();
        using var maker = new DeltaMaker(_kit.Outside, DeltaKit.BaseOf(_full), null);
        _delta = await maker.MakeAsync(capture, Token);
        foreach (DeltaRecipe recipe in Recipes)
        {
            await using FileStream patch = maker.OpenRead(recipe.Patch);
            using var content = new MemoryStream();
            await patch.CopyToAsync(content, Token);
            Keep(content.ToArray());
        }
    }

    public ValueTask DisposeAsync()
    {
        _kit.Dispose();
        return ValueTask.CompletedTask;
    }

    private IReadOnlyList<DeltaRecipe> Recipes => _delta.Sources[0].Delta!.Recipes;

    private DeltaRecipe Bare => Recipes.First(r => r.Method == RecipeMethod.Patch);

    private DeltaRecipe Gzip => Recipes.Single(r => r.Method == RecipeMethod.Gzip);

    [Fact]
    public async Task The_delta_passes_where_nothing_in_it_lies()
    {
        Assert.Equal(3, Recipes.Count);
        await _kit.ImportAsync((await WriteAsync(d => d)).Path);
        _kit.AssertHas(_delta);
    }

    [Fact]
    public async Task A_patch_that_makes_other_bytes_or_another_length_is_refused()
    {
        byte[] target = File.ReadAllBytes(_kit.Outside.Store.PathOf(Bare.Sha256));
        byte[] flipped = [.. target];
        flipped[100] ^= 1;
        await PatchAsync(PatchFor(Bare, flipped));
        await PatchAsync(PatchFor(Bare, [.. target, 1]));
        await PatchAsync(PatchFor(Bare, target[..^1]));

        // What bombs do: a size that is not said, a window beyond all need, more than one frame, and no frame at all.
        byte[] honest = File.ReadAllBytes(_files[Bare.Patch]);
        await PatchAsync(HandMadeBundle.Zstd(new byte[30_000_000], pledge: false));
        await PatchAsync(HandMadeBundle.Zstd(new byte[30_000_000]));
        await PatchAsync(HandMadeBundle.Zstd(target, windowLog: 27, pledge: false));
        await PatchAsync([.. honest, .. honest]);
        await PatchAsync([0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4, .. honest]);
        await PatchAsync([.. honest, 0]);
        await PatchAsync(honest[..^1]);
        await PatchAsync(Content.Noise(300, 1));
        await PatchAsync([0x28]);

        async Task PatchAsync(byte[] patch) => await RecipeAsync(
            ErrorIds.BundleRecipe, Bare with { Patch = Keep(patch), PatchSize = patch.Length });
    }

    [Fact]
    public async Task A_recipe_that_was_changed_is_refused()
    {
        DeltaRecipe other = Recipes.Last(r => r.Method == RecipeMethod.Patch);
        await RecipeAsync(ErrorIds.BundleRecipe, Bare with { Patch = other.Patch, PatchSize = other.PatchSize });
        await RecipeAsync(ErrorIds.BundleRecipe, Bare with { Base = other.Base, BaseSize = other.BaseSize });
        await RecipeAsync(ErrorIds.BundleRecipe, Bare with { Method = RecipeMethod.Zip, BaseUnpacked = 10, Unpacked = 10 });
        await RecipeAsync(ErrorIds.BundleRecipe, Bare with { Method = RecipeMethod.Bzip2, BaseUnpacked = 10, Unpacked = 10 });
        await RecipeAsync(ErrorIds.BundleRecipe, Gzip with { Method = RecipeMethod.Patch, BaseUnpacked = null, Unpacked = null });

        // Sizes that are signed bound what is unpacked, whatever is in the base.
        await RecipeAsync(ErrorIds.BundleRecipe, Gzip with { BaseUnpacked = 100 });
        await RecipeAsync(ErrorIds.BundleRecipe, Gzip with { BaseUnpacked = Gzip.BaseUnpacked + 1 });
        await RecipeAsync(ErrorIds.BundleRecipe, Gzip with { Unpacked = Gzip.Unpacked + 1 });
        await RecipeAsync(ErrorIds.BundleRecipe, Gzip with { Unpacked = 100 });
    }

    [Fact]
    public async Task A_gzip_recipe_that_would_pack_to_more_than_is_signed_for_is_refused()
    {
        // The base is what the recipe says, and the patch makes a form that packs to far more than the file has.
        byte[] form = [6, 10, 0, 0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, .. Content.Noise(200_000, 5)];
        byte[] patch = PatchFor(Content.Text(60_000, 2), form);
        await RecipeAsync(ErrorIds.BundleRecipe, Gzip with { Patch = Keep(patch), PatchSize = 1000, Unpacked = form.Length }, expectInvalidSizes: true);
        byte[] zeros = [6, 10, 0, 0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, .. new byte[20_000_000]];
        byte[] small = PatchFor(Content.Text(60_000, 2), zeros);
        await RecipeAsync(ErrorIds.BundleRecipe, Gzip with { Patch = Keep(small), PatchSize = small.Length, Unpacked = zeros.Length });
        byte[] wrongLevel = [77, 10, 0, .. form[3..5000]];
        byte[] level = PatchFor(Content.Text(60_000, 2), wrongLevel);
        await RecipeAsync(ErrorIds.BundleRecipe, Gzip with { Patch = Keep(level), PatchSize = level.Length, Unpacked = wrongLevel.Length });
    }

    [Fact]
    public async Task A_recipe_on_content_outside_the_base_is_refused_and_so_is_content_that_nobody_has()
    {
        byte[] stranger = Content.Text(40_000, 77);
        await RecipeAsync(ErrorIds.BundleBase, Bare with { Base = Keep(stranger), BaseSize = stranger.Length });

        // Built on what only another recipe makes, or what only travels whole: no chain of them is followed.
        SnapshotFile fresh = _delta.Sources[0].Files.Single(f => f.Url.EndsWith("new.json", StringComparison.Ordinal));
        await RecipeAsync(ErrorIds.BundleBase, Bare with { Base = fresh.Sha256, BaseSize = fresh.Size });
        await RecipeAsync(ErrorIds.BundleBase, Bare with { BaseSize = Bare.BaseSize + 1 });
        await RefusedAsync(ErrorIds.BundleBase, d => d with { Whole = [] });
        await RefusedAsync(ErrorIds.BundleBase, d => d with { Recipes = [.. d.Recipes.Skip(1)] });

        // Another capture's document as the base means nothing by itself: what counts is what the store has.
        await RefusedAsync(ErrorIds.BundleSequence, d => d, s => s with { Sequence = 1, BaseSequence = null, Base = null, BaseCreated = null }, full: true);
    }

    [Fact]
    public async Task A_damaged_base_is_called_that_and_nothing_is_changed()
    {
        string path = _kit.Inside.Store.PathOf(Bare.Base);
        byte[] content = await File.ReadAllBytesAsync(path, Token);
        content[10_000] ^= 1;
        await File.WriteAllBytesAsync(path, content, Token);
        FeedException e = await _kit.RefusedAsync(ErrorIds.BlobDamaged, (await WriteAsync(d => d)).Path);
        Assert.Contains(path, e.Remedy);
    }

    [Fact]
    public async Task What_the_layer_holds_must_be_exactly_what_the_signed_delta_says()
    {
        WrittenBundle written = await WriteAsync(d => d);
        byte[] whole = await File.ReadAllBytesAsync(written.Path, Token);
        Bundle bundle = Bundle.Open(written.Path);
        ContentExtent layer = bundle.Layers.Values.Single();
        byte[] changed = [.. whole];
        changed[layer.Offset + (layer.Size / 2)] ^= 1;
        await File.WriteAllBytesAsync(_kit.PathOf("changed.tar"), changed, Token);
        await _kit.RefusedAsync(ErrorIds.BundleAltered, _kit.PathOf("changed.tar"));
        await File.WriteAllBytesAsync(_kit.PathOf("cut.tar"), whole[..(int)(layer.Offset + 10)], Token);
        await _kit.RefusedAsync(ErrorIds.BundleTruncated, _kit.PathOf("cut.tar"));
    }

    [Fact]
    public void A_document_that_says_a_delta_in_two_ways_is_no_snapshot()
    {
        Snapshot signed = _delta with
        {
            Sources = [_delta.Sources[0] with { Layer = new LayerDescriptor(new string('a', 64), 100, 1024) }],
        };
        Assert.NotNull(SnapshotDocument.Parse(SnapshotDocument.Serialize(signed)));
        SourceDelta delta = signed.Sources[0].Delta!;
        DeltaRecipe bare = Bare;
        DeltaRecipe[] rest = [.. Recipes.Where(r => r != bare)];
        foreach (Func<Snapshot, Snapshot> lie in new Func<Snapshot, Snapshot>[]
        {
            s => s with { Base = "x" },
            s => s with { Base = null },
            s => s with { BaseSequence = null },
            s => s with { BaseSequence = s.Sequence },
            s => s with { BaseCreated = null },
            s => s with { BaseCreated = s.Created.AddMinutes(1) },
            s => s with { Base = null, BaseSequence = null, BaseCreated = null },
            s => Deltas(s, null),
            s => Deltas(s, new SourceDelta()),
            s => Deltas(s, delta with { Whole = [.. delta.Whole, .. delta.Whole] }),
            s => Deltas(s, delta with { Whole = [new string('a', 64)] }),
            s => Deltas(s, delta with { Whole = [null!] }),
            s => Deltas(s, delta with { Whole = null! }),
            s => Deltas(s, delta with { Recipes = null! }),
            s => Deltas(s, delta with { Recipes = [null!] }),
            s => Deltas(s, delta with { Recipes = [.. delta.Recipes, delta.Recipes[0]] }),
            s => Deltas(s, delta with { Recipes = [.. delta.Recipes.Reverse()] }),
            s => Deltas(s, delta with { Whole = [.. delta.Whole, bare.Sha256] }),
            s => Deltas(s, delta with { Recipes = [bare with { Sha256 = new string('a', 64) }, .. rest] }),
            s => Recipe(s, bare with { Base = "x" }),
            s => Recipe(s, bare with { Base = bare.Sha256 }),
            s => Recipe(s, bare with { Patch = bare.Sha256 }),
            s => Recipe(s, bare with { Patch = null! }),
            s => Recipe(s, bare with { BaseSize = 0 }),
            s => Recipe(s, bare with { BaseSize = ZstdPatch.MaxSize + 1 }),
            s => Recipe(s, bare with { PatchSize = 0 }),
            s => Recipe(s, bare with { PatchSize = 1L << 40 }),
            s => Recipe(s, bare with { Unpacked = 5 }),
            s => Recipe(s, bare with { BaseUnpacked = 5, Unpacked = 5 }),
            s => Recipe(s, bare with { Method = RecipeMethod.Gzip }),
            s => Recipe(s, bare with { Method = RecipeMethod.Gzip, BaseUnpacked = 5, Unpacked = ZstdPatch.MaxSize + 1 }),
            s => Recipe(s, bare with { Method = RecipeMethod.Gzip, BaseUnpacked = -1, Unpacked = 5 }),
        })
        {
            Assert.Equal(ErrorIds.BundleInvalid, Assert.Throws<FeedException>(() => SnapshotDocument.Serialize(lie(signed))).ErrorId);
        }

        string text = Encoding.UTF8.GetString(SnapshotDocument.Serialize(signed));
        foreach ((string from, string to) in new[]
        {
            ("\"method\":\"patch\"", "\"method\":\"Patch\""), ("\"method\":\"patch\"", "\"method\":0"), ("\"method\":\"patch\"", "\"method\":\"shell\""),
            ("\"patchSize\":", "\"run\":1,\"patchSize\":"), ("\"whole\":", "\"whole\":[],\"whole\":"), ("\"patchSize\":", "\"patchSize\":1,\"patchSize\":"),
        })
        {
            Assert.Contains(from, text);
            Assert.Equal(
                ErrorIds.BundleInvalid,
                Assert.Throws<FeedException>(() => SnapshotDocument.Parse(Encoding.UTF8.GetBytes(text.Replace(from, to)))).ErrorId);
        }

        static Snapshot Deltas(Snapshot snapshot, SourceDelta? delta) => snapshot with { Sources = [snapshot.Sources[0] with { Delta = delta }] };
        Snapshot Recipe(Snapshot snapshot, DeltaRecipe recipe) =>
            Deltas(snapshot, delta with { Recipes = [.. delta.Recipes.Select(r => r.Sha256 == recipe.Sha256 ? recipe : r)] });
    }

    internal static byte[] PatchFor(byte[] old, byte[] content)
    {
        using var folder = new Support.TempFolder();
        File.WriteAllBytes(folder.Of("old"), old);
        File.WriteAllBytes(folder.Of("new"), content);
        using var patch = new MemoryStream();
        using (MappedFile from = MappedFile.OpenRead(folder.Of("old")))
        using (MappedFile to = MappedFile.OpenRead(folder.Of("new")))
        {
            Assert.True(ZstdPatch.TryMake(from, to, patch, long.MaxValue, Token));
        }

        return patch.ToArray();
    }

    private byte[] PatchFor(DeltaRecipe recipe, byte[] content) => PatchFor(File.ReadAllBytes(_kit.Outside.Store.PathOf(recipe.Base)), content);

    private string Keep(byte[] content)
    {
        string sha256 = Sha256Digest.Of(content);
        _files[sha256] = _kit.PathOf("kept-" + sha256);
        File.WriteAllBytes(_files[sha256], content);
        return sha256;
    }

    private async Task RecipeAsync(string errorId, DeltaRecipe recipe, bool expectInvalidSizes = false)
    {
        if (expectInvalidSizes)
        {
            // Longer than the file that it makes: no recipe may be.
            long length = new FileInfo(_files[recipe.Patch]).Length;
            await Assert.ThrowsAsync<FeedException>(() => WriteAsync(d => Replace(d, recipe with { PatchSize = length })));
            return;
        }

        await RefusedAsync(errorId, d => Replace(d, recipe));
    }

    private static SourceDelta Replace(SourceDelta delta, DeltaRecipe recipe) =>
        delta with { Recipes = [.. delta.Recipes.Select(r => r.Sha256 == recipe.Sha256 ? recipe : r)] };

    private async Task RefusedAsync(string errorId, Func<SourceDelta, SourceDelta> change, Func<Snapshot, Snapshot>? changeSnapshot = null, bool full = false) =>
        await _kit.RefusedAsync(errorId, (await WriteAsync(change, changeSnapshot, full)).Path);

    private Task<WrittenBundle> WriteAsync(Func<SourceDelta, SourceDelta> change, Func<Snapshot, Snapshot>? changeSnapshot = null, bool full = false)
    {
        Snapshot snapshot = _delta with { Sources = [_delta.Sources[0] with { Delta = full ? null : change(_delta.Sources[0].Delta!) }] };
        return _kit.WriteAsync(
            changeSnapshot?.Invoke(snapshot) ?? snapshot, sha256 => _files.TryGetValue(sha256, out string? file) ? File.OpenRead(file) : _kit.Outside.Store.OpenRead(sha256),
            "hostile.tar");
    }
}
