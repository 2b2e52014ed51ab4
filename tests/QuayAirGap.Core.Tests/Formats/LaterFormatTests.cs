using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Bundles;
using QuayAirGap.Core.Tests.Trust;
using QuayAirGap.Core.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Formats;

/// <summary>What a later version wrote is refused as just that: in one sentence, with an id of its own, and with nothing changed.</summary>
public sealed class LaterFormatTests : IDisposable
{
    private readonly TempSite _site = new();
    private readonly FakeTimeProvider _clock = new(Pki.Now);

    private Site Site => _site.Site;

    [Theory]
    [InlineData("version: 2\nsomething: new\n")]
    [InlineData("something: new\nversion: 17\n")]
    public void Settings(string text)
    {
        File.WriteAllText(Site.SettingsFile, text);
        FileRefused(Site.SettingsFile, () => SiteSettings.Load(Site));
    }

    [Fact]
    public void Settings_that_are_misspelt_are_still_called_that()
    {
        File.WriteAllText(Site.SettingsFile, "version: 1\nsomething: new\n");
        Assert.Equal(ErrorIds.SettingsInvalid, Assert.Throws<FeedException>(() => SiteSettings.Load(Site)).ErrorId);
    }

    [Fact]
    public void Trust_policy()
    {
        string path = Path.Combine(Site.TrustFolder, "policy.yaml");
        File.WriteAllText(path, "requiredSigners: 1\nsomething: new\nversion: 2\n");
        FileRefused(path, () => TrustPolicy.ReadRequiredSigners(Site));
        FileRefused(path, () => TrustPolicy.WriteRequiredSigners(Site, 2));
    }

    [Theory]
    [InlineData("""{"version":2,"number":1}""")]
    [InlineData("""{"something":{"version":1},"version":2}""")]
    public void Generation_index(string index)
    {
        string folder = Path.Combine(Site.GenerationsFolder, "1");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "index.json"), index);
        FileRefused(Path.Combine(folder, "index.json"), () => Generation.Load(folder));
    }

    [Fact]
    public void Generation_that_is_damaged_is_still_called_that()
    {
        string folder = Path.Combine(Site.GenerationsFolder, "1");
        Directory.CreateDirectory(folder);
        foreach (string index in new[] { """{"version":1,"number":1}""", """{"version":2""", "{", """{"version":0}""" })
        {
            File.WriteAllText(Path.Combine(folder, "index.json"), index);
            Assert.Equal(ErrorIds.GenerationDamaged, Assert.Throws<FeedException>(() => Generation.Load(folder)).ErrorId);
        }
    }

    [Fact]
    public void Generation_table()
    {
        string path = _site.PathOf("x.members");
        File.WriteAllText(path, "members/2\tsomething new\n");
        FileRefused(path, () => new ArchiveMemberReader(path));
        File.WriteAllText(path, "others/1\tsomething new\n");
        Assert.Throws<FormatException>(() => new ArchiveMemberReader(path));
    }

    [Fact]
    public void Ledger_lines()
    {
        var ledger = new Core.Sites.Ledger(Site, _clock);
        ledger.Append(LedgerEvents.SettingsChanged, []);
        File.AppendAllText(Site.LedgerFile, """{"v":2,"n":2,"something":"new"}""" + "\n");
        FileRefused(Site.LedgerFile, () => ledger.Read().ToList());
        FileRefused(Site.LedgerFile, () => ledger.VerifyChain());
        FileRefused(Site.LedgerFile, () => ledger.Append(LedgerEvents.SettingsChanged, []));
    }

    [Fact]
    public void Collectors_state()
    {
        string path = Path.Combine(Site.Root, "stream.json");
        File.WriteAllText(path, """{"version":2,"something":"new"}""");
        FileRefused(path, () => CollectorStream.Open(Site));

        // 0.1.0 wrote no version.
        File.WriteAllText(path, """{"stream":"7b6a6c3e-52a1-4c7d-9a55-0d6f3b8b2c11","sequence":5}""");
        Assert.Equal(6, CollectorStream.Open(Site).Reserve());
        Assert.Equal(1, JsonNode.Parse(File.ReadAllText(path))!["version"]!.GetValue<int>());
        Assert.Equal(7, CollectorStream.Open(Site).Reserve());
    }

    [Fact]
    public void Snapshot()
    {
        byte[] bytes = Encoding.UTF8.GetBytes($$"""{"format":"{{Snapshots.Snapshot.FormatName}}","something":"new","version":2}""");
        Refused(ErrorIds.BundleVersion, () => SnapshotDocument.Parse(bytes));
    }

    [Theory]
    [InlineData("""{"format":"quayairgap.trust","version":2,"something":"new"}""")]
    [InlineData("""{"format":"quayairgap.trust","version":2,"root":"x","number":1,"issued":"2026-11-01T00:00:00Z","signers":[],"revoked":[]}""")]
    public void Trust_document(string document)
    {
        var signed = new SignedTrustDocument(Encoding.UTF8.GetBytes(document), [1]);
        Refused(ErrorIds.TrustDocumentVersion, () => signed.Parse());
        Refused(ErrorIds.TrustDocumentVersion, () => new TrustDocuments(Site).Plan(signed, _clock.GetUtcNow()));

        // In a bundle it is the bundle that cannot be taken: the refusal is in the ledger, as every other.
        Refused(ErrorIds.BundleVersion, () => new TrustDocuments(Site).Newer([signed], _clock.GetUtcNow()));
    }

    [Theory]
    [InlineData("application/vnd.quayairgap.bundle.v1", "application/vnd.quayairgap.bundle.v2")]
    [InlineData("application/vnd.quayairgap.snapshot.v1", "application/vnd.quayairgap.snapshot.v2")]
    [InlineData("application/vnd.quayairgap.source.v1.tar+zstd", "application/vnd.quayairgap.source.v2.tar+zstd")]
    public async Task Bundle(string type, string later)
    {
        using BundleKit kit = await BundleKit.SmallAsync();
        string path = (await kit.WriteAsync()).Path;

        // An image layout's digests are of the documents within: a folder in which they are put right again is a bundle as well.
        string folder = kit.PathOf("layout");
        Directory.CreateDirectory(folder);
        await System.Formats.Tar.TarFile.ExtractToDirectoryAsync(path, folder, overwriteFiles: false, TestContext.Current.CancellationToken);
        string index = Path.Combine(folder, "index.json");
        JsonNode root = JsonNode.Parse(await File.ReadAllTextAsync(index, TestContext.Current.CancellationToken))!;
        JsonNode descriptor = root["manifests"]![0]!;
        string manifest = Path.Combine(folder, "blobs", "sha256", descriptor["digest"]!.GetValue<string>()["sha256:".Length..]);
        byte[] changed = Encoding.UTF8.GetBytes((await File.ReadAllTextAsync(manifest, TestContext.Current.CancellationToken)).Replace(type, later, StringComparison.Ordinal)
            .Replace(type.Replace("+", "\\u002B", StringComparison.Ordinal), later, StringComparison.Ordinal));
        Assert.Contains(later, Encoding.UTF8.GetString(changed), StringComparison.Ordinal);
        File.Delete(manifest);
        string digest = Store.Sha256Digest.Of(changed);
        await File.WriteAllBytesAsync(Path.Combine(folder, "blobs", "sha256", digest), changed, TestContext.Current.CancellationToken);
        descriptor["digest"] = "sha256:" + digest;
        descriptor["size"] = changed.Length;
        descriptor.AsObject().Remove("artifactType");
        await File.WriteAllTextAsync(index, root.ToJsonString(), TestContext.Current.CancellationToken);

        Refused(ErrorIds.BundleVersion, () => Core.Bundles.Bundle.Open(folder));
    }

    public void Dispose() => _site.Dispose();

    /// <summary>A file of the site.</summary>
    private void FileRefused(string path, Func<object?> act)
    {
        string before = Listing();
        FeedException e = Refused(ErrorIds.SiteVersion, act);
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Listing());
    }

    private static FeedException Refused(string id, Func<object?> act)
    {
        FeedException e = Assert.Throws<FeedException>(() => { act(); });
        Assert.Equal(id, e.ErrorId);
        Assert.Contains("Update QuayAirGap", e.Remedy, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(". ", e.Message.TrimEnd('.'), StringComparison.Ordinal); // one sentence
        return e;
    }

    private string Listing() => string.Join('\n', Directory.EnumerateFiles(_site.Root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .Select(f => f + " " + Convert.ToHexString(File.ReadAllBytes(f))));
}
