using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Delta;
using QuayAirGap.Core.Tests.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Bundles;

/// <summary>Deltas that must not pass, each truly signed, for the table. Delta/HostileDeltaTests goes further into each of them.</summary>
internal static class DeltaAttacks
{
    private const string Base = "wrong base of a delta";
    private const string Recipe = "recipes of a delta that lie";

    public static IReadOnlyList<Attack> All { get; } =
    [
        new(Base, "a delta on a bundle that the site never had", ErrorIds.BundleBase, r =>
        {
            // Number 8 brings a content that number 9 leaves out.
            Delta delta = new(r);
            delta.Change("alpine", "d/long.json", Content.Text(20_000, 1));
            Snapshot eight = delta.Capture(8);
            delta.Change("osv", "x.zip", Content.Text(900, 2));
            return [delta.Write(delta.Make(delta.Capture(9), eight))];
        }),
        new(Base, "a recipe on content outside the base, or on what travels in the delta itself", ErrorIds.BundleBase, r =>
        {
            Delta delta = Delta.Usual(r);
            string stranger = delta.Keep(Content.Text(20_000, 9));
            SnapshotFile fresh = delta.Next.Sources.Single(s => s.Name == "osv").Files.Single();
            return
            [
                delta.With(x => x with { Base = stranger, BaseSize = 20_000 }),
                delta.With(x => x with { Base = fresh.Sha256, BaseSize = fresh.Size }),
                delta.With(x => x with { BaseSize = x.BaseSize + 1 }),
            ];
        }),
        new(Base, "content that neither the delta nor the site has", ErrorIds.BundleBase, r =>
        {
            Delta delta = Delta.Usual(r);
            return
            [
                delta.With("osv", d => new SourceDelta
                {
                    Recipes = [new() { Sha256 = d.Whole[0], Method = RecipeMethod.Patch, Base = new string('a', 64), BaseSize = 100, Patch = delta.Keep([1]), PatchSize = 1 }],
                }),
            ];
        }),
        new(Recipe, "a patch that makes other bytes, fewer or more than are signed for; a bomb; none", ErrorIds.BundleRecipe, r =>
        {
            Delta delta = Delta.Usual(r);
            byte[] target = delta.Read(delta.Patched.Sha256);
            byte[] flipped = [.. target];
            flipped[100] ^= 1;
            return
            [
                .. new[]
                {
                    delta.PatchTo(flipped), delta.PatchTo([.. target, 1]), delta.PatchTo(target[..^1]), HandMadeBundle.Zstd(new byte[30_000_000], pledge: false),
                    HandMadeBundle.Zstd(target, windowLog: 27, pledge: false), Content.Noise(300, 1),
                }.Select(p => delta.With(x => x with { Patch = delta.Keep(p), PatchSize = p.Length })),
            ];
        }),
        new(Recipe, "another method, or another base that the site has", ErrorIds.BundleRecipe, r =>
        {
            Delta delta = Delta.Usual(r);
            SnapshotFile other = delta.Before.Sources.Single(s => s.Name == "osv").Files.Single();
            return
            [
                delta.With(x => x with { Base = other.Sha256, BaseSize = other.Size }),
                delta.With(x => x with { Method = RecipeMethod.Zip, BaseUnpacked = 10, Unpacked = 10 }),
                delta.With(x => x with { Method = RecipeMethod.Gzip, BaseUnpacked = 10, Unpacked = 10 }),
            ];
        }),
        new(Recipe, "a document that says a content twice, or a recipe of a size that cannot be", ErrorIds.BundleInvalid, r =>
        {
            Delta delta = Delta.Usual(r);
            return
            [
                r.Write(delta.Lie("\"patchSize\":", "\"patchSize\":1,\"patchSize\":")),
                r.Write(delta.Lie("\"method\":\"patch\"", "\"method\":\"shell\"")),
                r.Write(delta.Lie("\"baseSize\":", "\"baseSize\":99999999999")),
            ];
        }),
    ];

    /// <summary>What the collector has captured, and deltas made of it with every word open to lies.</summary>
    private sealed class Delta
    {
        private readonly AttackRig _rig;
        private readonly Dictionary<string, string> _kept = new(StringComparer.Ordinal);
        private Snapshot _now;
        private Snapshot _made = null!;

        public Delta(AttackRig rig)
        {
            _rig = rig;
            Before = _now = Bundle.Open(rig.Imported).Snapshot;
        }

        public Snapshot Before { get; private set; }

        public Snapshot Next { get; private set; } = null!;

        public DeltaRecipe Patched => _made.Sources.Single(s => s.Name == "alpine").Delta!.Recipes.Single();

        /// <summary>The site has number 8 with a long document; number 9 changes a little of it and brings something new.</summary>
        public static Delta Usual(AttackRig rig)
        {
            var delta = new Delta(rig);
            byte[] text = Content.Text(20_000, 1);
            delta.Change("alpine", "d/long.json", text);
            Snapshot eight = delta.Capture(8);
            string full = rig.Kit.PathOf("eight.tar");
            Wait(BundleWriter.WriteAsync(full, eight, rig.Kit.Outside.Store, [rig.Kit.Signer], null, default));
            Wait(rig.ImportAsync(full));
            delta.Before = Bundle.Open(full).Snapshot;
            delta.Change("alpine", "d/long.json", Content.Edited(text, 4, 3));
            delta.Change("osv", "x.zip", Content.Noise(900, 2));
            delta.Next = delta.Capture(9);
            delta._made = delta.Make(delta.Next, delta.Before);
            return delta;
        }

        public void Change(string source, string file, byte[] content)
        {
            (string sha256, long size) = Wait(_rig.Kit.Outside.Store.AddAsync(new MemoryStream(content), default));
            _now = _now with
            {
                Sources =
                [
                    .. _now.Sources.Select(s => s.Name != source ? s : s with
                    {
                        Files = [.. s.Files.Select(f => f.Url == BundleKit.Url(file) ? f with { Sha256 = sha256, Size = size } : f)],
                    }),
                ],
            };
        }

        public Snapshot Capture(long sequence) => _now with
        {
            Sequence = sequence,
            Created = Pki.Now.AddMinutes(sequence - 100),
            Sources = [.. _now.Sources.Select(s => s with { Layer = null, Delta = null })],
        };

        public Snapshot Make(Snapshot capture, Snapshot from)
        {
            using var maker = new DeltaMaker(_rig.Kit.Outside, new DeltaBase(from, new string('b', 64), null), null);
            Snapshot made = Wait(maker.MakeAsync(capture, default));
            foreach (DeltaRecipe recipe in made.Sources.SelectMany(s => s.Delta?.Recipes ?? []))
            {
                using FileStream patch = maker.OpenRead(recipe.Patch);
                using var content = new MemoryStream();
                patch.CopyTo(content);
                Keep(content.ToArray());
            }

            return made;
        }

        public byte[] Read(string sha256) => File.ReadAllBytes(_rig.Kit.Outside.Store.PathOf(sha256));

        public string Keep(byte[] content)
        {
            string sha256 = HandMadeBundle.Sha(content);
            _kept[sha256] = _rig.Kit.Write("kept-" + sha256, content);
            return sha256;
        }

        public byte[] PatchTo(byte[] content) => HostileDeltaTests.PatchFor(Read(Patched.Base), content);

        /// <summary>The usual delta, with its one recipe changed.</summary>
        public string With(Func<DeltaRecipe, DeltaRecipe> change) => With("alpine", d => d with { Recipes = [change(d.Recipes.Single())] });

        public string With(string source, Func<SourceDelta, SourceDelta> change) => Write(_made with
        {
            Sources = [.. _made.Sources.Select(s => s.Name == source ? s with { Delta = change(s.Delta!) } : s)],
        });

        public string Write(Snapshot delta)
        {
            string path = Path.Combine(_rig.NewFolder(), "delta.tar");
            Wait(BundleWriter.WriteAsync(path, delta, Open, [_rig.Kit.Signer], null, overwrite: false, default));
            return path;
        }

        /// <summary>The usual delta as it is, but for a word of its document, which is signed all the same.</summary>
        public byte[] Lie(string from, string to)
        {
            string path = Write(_made);
            Bundle honest = Bundle.Open(path);
            string text = System.Text.Encoding.UTF8.GetString(honest.SnapshotBytes.Span);
            Assert.Contains(from, text);
            return new HandMadeBundle(_rig.Kit)
            {
                ChangeDocument = _ => AttackRig.Text(text.Replace(from, to)),
                ReplaceLayers = [.. honest.Layers.Values.Select(l => l.ReadAll())],
            }.Build();
        }

        private FileStream Open(string sha256) => _kept.TryGetValue(sha256, out string? kept) ? File.OpenRead(kept) : _rig.Kit.Outside.Store.OpenRead(sha256);
    }

#pragma warning disable VSTHRD002 // the table's builders are plain functions; nothing else runs here
    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
}
