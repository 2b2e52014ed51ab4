using System.IO.Compression;
using ICSharpCode.SharpZipLib.BZip2;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Osv;
using QuayAirGap.Core.Tests.Support;
using Xunit;

namespace QuayAirGap.Core.Tests.Delta;

/// <summary>How one content becomes another: the smallest form that restores the exact bytes.</summary>
public sealed class RecipeTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_document_with_a_few_new_lines_travels_as_a_patch_of_a_few_bytes()
    {
        byte[] old = Content.Text(900_000, 1);
        DeltaRecipe recipe = Check(RecipeMethod.Patch, old, Content.Edited(old, 9, 5));
        Assert.InRange(recipe.PatchSize, 1, 600);
    }

    [Theory]
    [InlineData(6, 0)]
    [InlineData(9, 2)]
    public void A_gzip_file_of_classic_zlib_travels_as_what_changed_inside(int level, byte hint)
    {
        byte[] old = Content.Text(400_000, 2);
        byte[] gz = Gzip(Content.Edited(old, 3, 10), level, hint, "updateinfo.xml");
        DeltaRecipe recipe = Check(RecipeMethod.Gzip, Gzip(old, level, hint, "other"), gz);
        Assert.InRange(recipe.PatchSize, 1, gz.Length / 50);
        Assert.Equal(400_000, recipe.BaseUnpacked);
    }

    /// <summary>An upstream that packs harder from one day to the next: the old file's choices are none to go by.</summary>
    [Fact]
    public void A_gzip_file_whose_base_was_packed_in_another_way_is_restored_too()
    {
        byte[] old = Content.Text(400_000, 2);
        byte[] now = Content.Edited(old, 3, 2);
        Check(RecipeMethod.Gzip, Gzip(old, 6, 0, "other"), Gzip(now, 9, 2, "updateinfo.xml"));
        Check(RecipeMethod.Gzip, Gzip(old, 9, 2, "other"), Gzip(now, 6, 0, "updateinfo.xml"));
        using var other = new MemoryStream();
        using (var gzip = new GZipStream(other, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(old);
        }

        Check(RecipeMethod.Gzip, other.ToArray(), Gzip(now, 6, 0, "updateinfo.xml"));
    }

    [Fact]
    public void A_gzip_file_of_another_make_travels_in_another_way_and_is_right_all_the_same()
    {
        byte[] old = Content.Text(60_000, 2);
        Assert.NotEqual(RecipeMethod.Gzip, Make(Stream(old), Stream(Content.Edited(old, 3, 1)))?.Method);

        static byte[] Stream(byte[] content)
        {
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            {
                gzip.Write(content);
            }

            return packed.ToArray();
        }
    }

    [Fact]
    public void A_bzip2_file_travels_as_what_changed_inside()
    {
        byte[] old = Content.Text(300_000, 4);
        DeltaRecipe recipe = Check(RecipeMethod.Bzip2, Bzip2(old), Bzip2(Content.Edited(old, 5, 10)));
        Assert.InRange(recipe.PatchSize, 1, 1000);

        static byte[] Bzip2(byte[] content)
        {
            using var packed = new MemoryStream();
            using (var stream = new BZip2OutputStream(packed, 9) { IsStreamOwner = false })
            {
                stream.Write(content, 0, content.Length);
            }

            return packed.ToArray();
        }
    }

    [Theory]
    [InlineData(Descriptor.None, false)]
    [InlineData(Descriptor.Signed, false)]
    [InlineData(Descriptor.None, true)]
    public void A_zip_file_travels_as_its_new_and_changed_members_whoever_packed_it(object descriptor, bool wideEnd)
    {
        List<ForgedMember> members = [.. Enumerable.Range(0, 400).Select(i => Member(i, (Descriptor)descriptor))];
        byte[] old = ZipForge.Make(members, "yesterday", wideEnd);
        members[7] = members[7] with { Content = Content.Text(3000, 999) };
        members.Insert(100, Member(1000, (Descriptor)descriptor));
        members.RemoveAt(300);
        byte[] now = ZipForge.Make(members, "today", wideEnd);

        DeltaRecipe recipe = Check(RecipeMethod.Zip, old, now);
        Assert.InRange(recipe.PatchSize, 1, now.Length / 40);

        static ForgedMember Member(int i, Descriptor descriptor) => new($"GHSA-{i:0000}.json", Content.Text(2000 + i, (uint)i))
        {
            Descriptor = descriptor,
            LocalExtra = i % 3 == 0 ? [1, 2, 1, 0, 7] : [],
            CentralExtra = i % 3 == 0 ? [9, 9, 0, 0] : [],
            Comment = i % 50 == 0 ? "c" : "",
        };
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    public void A_zip_file_written_in_an_unknown_way_is_restored_too(bool wide, bool unsigned, bool padded)
    {
        List<ForgedMember> members =
        [
            .. Enumerable.Range(0, 50).Select(i => new ForgedMember($"a{i}", Content.Text(3000, (uint)i))
            {
                Wide = wide,
                Descriptor = unsigned ? Descriptor.Unsigned : Descriptor.None,
                Padding = padded ? 3 : 0,
            }),
        ];
        byte[] old = ZipForge.Make(members);
        members.Add(new ForgedMember("new", "new"));
        Check(RecipeMethod.Patch, old, ZipForge.Make(members));
    }

    [Fact]
    public void What_is_not_worth_a_recipe_gets_none()
    {
        Assert.Null(Make(Content.Noise(5000, 1), Content.Noise(5000, 2)));
        Assert.Null(Make([1], "tiny"u8.ToArray()));
        Assert.Null(Make([], Content.Text(5000, 1)));
        Assert.Null(Make(Content.Text(5000, 1), []));
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.work"));
    }

    [Theory]
    [InlineData("https://a.example/epss_scores-2026-11-22.csv.gz", "https://a.example/epss_scores-2026-11-23.csv.gz")]
    [InlineData(
        "https://a.example/guids/46ff4933b89b948580f3b223b826fee3c1830b85885db3f7f90502c0ac99698c/x86_64/updateinfo.xml.gz",
        "https://a.example/guids/221a4af09d96ac4e34202cc7bdfa252410419542548cc685dc86ed1c17ca4204/x86_64/updateinfo.xml.gz")]
    [InlineData("https://a.example/csaf_vex_2026-11-01.tar.zst", "https://a.example/csaf_vex_2026-11-22.tar.zst")]
    public void A_file_whose_name_changes_is_found_by_its_pattern(string old, string now)
    {
        var files = new BaseFiles(new SourceSnapshot
        {
            Name = "x",
            State = CaptureState.Captured,
            Files = [File("https://a.example/other.xml.gz"), File(old)],
        });
        Assert.Equal(old, files.Find(now)?.Url);
        Assert.Null(files.Find("https://a.example/nothing.txt"));

        static SnapshotFile File(string url) => new() { Url = url, Sha256 = new string('a', 64), Size = 1 };
    }

    /// <summary>Whatever comes out of a mutated patch, it is an error that is known, and never more than was signed for.</summary>
    [Fact]
    public void A_mutated_patch_restores_the_content_or_is_refused_and_never_fails_in_another_way()
    {
        byte[] old = ZipForge.Make([.. Enumerable.Range(0, 40).Select(i => new ForgedMember($"m{i}", Content.Text(500, (uint)i)))]);
        byte[] now = ZipForge.Make([.. Enumerable.Range(1, 41).Select(i => new ForgedMember($"m{i}", Content.Text(500, (uint)i)))]);
        byte[] text = Content.Text(20_000, 1);
        (byte[] Old, byte[] New, DeltaRecipe Recipe)[] cases =
        [
            (old, now, Make(old, now)!),
            (Gzip(text, 6, 0, "a"), Gzip(Content.Edited(text, 3, 3), 6, 0, "a"), Make(Gzip(text, 6, 0, "a"), Gzip(Content.Edited(text, 3, 3), 6, 0, "a"))!),
        ];
        var random = new Random(20261124);
        int refused = 0;
        foreach ((byte[] oldContent, byte[] content, DeltaRecipe recipe) in cases)
        {
            byte[] patch = System.IO.File.ReadAllBytes(_folder.Of(recipe.Patch));
            string oldFile = Write(oldContent);
            for (int round = 0; round < 400; round++)
            {
                byte[] changed = Mutate(random, patch);
                string output = _folder.Of($"out-{round}");
                try
                {
                    string made = RecipeRestorer.Restore(recipe, content.Length, oldFile, Write(changed), _folder.Path, output, Token);
                    Assert.InRange(new FileInfo(output).Length, 0, content.Length);
                    refused += made == recipe.Sha256 ? 0 : 1;
                }
                catch (InvalidDataException)
                {
                    refused++;
                }
                finally
                {
                    System.IO.File.Delete(output);
                }
            }
        }

        Assert.InRange(refused, 700, 800);
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.work"));

        static byte[] Mutate(Random random, byte[] patch)
        {
            byte[] changed = [.. patch];
            switch (random.Next(4))
            {
                case 0:
                    return changed[..random.Next(1, changed.Length)];
                case 1:
                    return [.. changed, .. changed];
                case 2:
                    random.NextBytes(changed.AsSpan(random.Next(changed.Length)));
                    return changed;
                default:
                    changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
                    return changed;
            }
        }
    }

    private DeltaRecipe Check(RecipeMethod method, byte[] old, byte[] content)
    {
        DeltaRecipe? recipe = Make(old, content);
        Assert.NotNull(recipe);
        Assert.Equal(method, recipe.Method);
        string output = _folder.Of(Guid.NewGuid().ToString("N"));
        Assert.Equal(Sha256Digest.Of(content), RecipeRestorer.Restore(recipe, content.Length, Write(old), _folder.Of(recipe.Patch), _folder.Path, output, Token));
        Assert.Equal(content, System.IO.File.ReadAllBytes(output));
        return recipe;
    }

    private DeltaRecipe? Make(byte[] old, byte[] content) => new RecipeMaker(_folder.Path).Make(
        new LayerEntry(Sha256Digest.Of(content), content.Length, "new"), Write(content),
        new LayerEntry(Sha256Digest.Of(old), old.Length, "old"), Write(old), Token);

    private string Write(byte[] content)
    {
        string path = _folder.Of("content-" + Sha256Digest.Of(content));
        System.IO.File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>As zlib's own gzip: the product's deflate is held against the real zlib in <see cref="ClassicDeflateTests"/>.</summary>
    internal static byte[] Gzip(byte[] content, int level, byte hint, string name)
    {
        using var packed = new MemoryStream();
        packed.Write([0x1F, 0x8B, 8, 8, 0x76, 0xFF, 0xA3, 0x67, hint, 0xFF]);
        packed.Write(System.Text.Encoding.ASCII.GetBytes(name + "\0"));
        ClassicDeflate.Pack(content, level, packed, Token);
        packed.Write(BitConverter.GetBytes(Core.Sources.Osv.Zip.Crc32.Of(content)));
        packed.Write(BitConverter.GetBytes(content.Length));
        return packed.ToArray();
    }
}
