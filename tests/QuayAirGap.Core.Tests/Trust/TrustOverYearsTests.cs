using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Bundles;
using QuayAirGap.Core.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Trust;

/// <summary>Signers come and go, are stolen and lost, and the site hears of it over the gap only.</summary>
public sealed class TrustOverYearsTests : IAsyncLifetime
{
    private BundleKit _kit = null!;
    private CreatedSigner _rootFiles = null!;
    private BundleSigner _root = null!;

    public async ValueTask InitializeAsync()
    {
        _kit = await BundleKit.SmallAsync();
        _rootFiles = SignerFactory.Create(_kit.PathOf("root.pfx"), "CN=Root", "p", null, _kit.Clock, root: true);
        _root = BundleSigner.LoadRoot(_rootFiles.PfxPath, "p", _kit.Clock);
    }

    public ValueTask DisposeAsync()
    {
        _root.Dispose();
        _kit.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Signers_of_a_trusted_root_are_believed_without_another_word_and_cannot_make_others()
    {
        _kit.Trust.Add(_rootFiles.CertificatePath);
        CreatedSigner made = SignerFactory.Create(_kit.PathOf("new.pfx"), "CN=New collector", null, null, _kit.Clock, issuer: _root);
        using BundleSigner signer = BundleSigner.Load(made.PfxPath, null, _kit.Clock);
        BundlePolicy policy = await _kit.ExamineAsync(await WriteAsync("by-new.tar", [signer]));
        Assert.Equal(_root.Thumbprint, Assert.Single(policy.Signers).Anchor);

        Assert.Equal(ErrorIds.SignerInvalid, Assert.Throws<FeedException>(() => BundleSigner.LoadRoot(made.PfxPath, null, _kit.Clock)).ErrorId);
        Assert.Equal(ErrorIds.SignerInvalid, Assert.Throws<FeedException>(() => BundleSigner.Load(_rootFiles.PfxPath, "p", _kit.Clock)).ErrorId);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(await File.ReadAllBytesAsync(made.CertificatePath, TestContext.Current.CancellationToken));
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        Assert.Equal(ErrorIds.SignerInvalid, Assert.Throws<FeedException>(() =>
            SignerFactory.Create(_kit.PathOf("long.pfx"), "x", null, TimeSpan.FromDays(30 * 365), _kit.Clock, issuer: _root)).ErrorId);
    }

    [Fact]
    public async Task Rotation_travels_in_a_bundle_that_the_new_signer_signed_and_the_site_has_never_heard_of()
    {
        _kit.Trust.Add(_rootFiles.CertificatePath);
        using BundleSigner next = NewSigner("next");
        string path = await WriteAsync("next.tar", [next]);
        await RefusedAsync(ErrorIds.BundleSignerUnknown, path);

        SignedTrustDocument document = TrustDocuments.Create(_root, null, [_kit.PathOf("next.cer")], [], _kit.Clock);
        string carried = await WriteAsync("carried.tar", [next], s => s with { Trust = [document] });
        Assert.True((await ImportAsync(carried)).Changed);

        // From now on the site knows him by itself, and the ledger says why.
        Assert.Contains(_kit.Trust.List(), t => t.Thumbprint == next.Thumbprint && !t.IsRevoked);
        Assert.True((await ImportAsync(await WriteAsync("after.tar", [next], s => s with { Sequence = 8 }))).Changed);
        LedgerEntry told = Assert.Single(new Ledger(_kit.Inside, _kit.Clock).Read(), e => e.Event == LedgerEvents.TrustDocument);
        Assert.Equal(next.Thumbprint, (string?)told.Details["added"]);
        Assert.Equal(1, (long?)told.Details["number"]);
    }

    [Fact]
    public async Task Revocation_travels_in_a_bundle_counts_for_that_very_bundle_and_for_ever()
    {
        _kit.Trust.Add(_rootFiles.CertificatePath);
        using BundleSigner next = NewSigner("next");
        string stolen = _kit.Write("stolen.cer", _kit.Signer.Certificate.RawData);
        SignedTrustDocument document = TrustDocuments.Create(_root, null, [_kit.PathOf("next.cer")], [stolen], _kit.Clock);

        // By the revoked signer: refused by its own cargo, and nothing is kept of it.
        await RefusedAsync(ErrorIds.BundleSignerRevoked, await WriteAsync("by-stolen.tar", [_kit.Signer], s => s with { Trust = [document] }));
        Assert.Contains(_kit.Trust.List(), t => t.Thumbprint == _kit.Signer.Thumbprint && !t.IsRevoked);

        await ImportAsync(await WriteAsync("by-next.tar", [next], s => s with { Trust = [document] }));
        await RefusedAsync(ErrorIds.BundleSignerRevoked, await WriteAsync("later.tar", [_kit.Signer], s => s with { Sequence = 8 }));

        // An older word of the root takes nothing back, alone or in a bundle.
        SignedTrustDocument newer = TrustDocuments.Create(_root, document, [], [], _kit.Clock);
        await ImportAsync(await WriteAsync("newer.tar", [next], s => s with { Sequence = 8, Trust = [newer] }));
        await ImportAsync(await WriteAsync("older.tar", [next], s => s with { Sequence = 9, Trust = [document] }));
        await RefusedAsync(ErrorIds.BundleSignerRevoked, await WriteAsync("still.tar", [_kit.Signer], s => s with { Sequence = 10 }));
        Assert.Equal(ErrorIds.TrustDocumentOld, Apply(document).ErrorId);
    }

    [Fact]
    public async Task Whoever_holds_a_signers_key_can_neither_revoke_others_nor_add_himself()
    {
        _kit.Trust.Add(_rootFiles.CertificatePath);
        using BundleSigner next = NewSigner("next");
        using var pki = new Pki();
        X509Certificate2 mallory = pki.Issue(new CertificateSpec { Subject = "CN=Mallory" });
        X509Certificate2 own = pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true });
        byte[] claim = Document(_root.Thumbprint, 5, [mallory.RawData], [_kit.Signer.Certificate.RawData]);

        foreach ((string name, SignedTrustDocument forged) in new[]
        {
            ("signed by a signer", new SignedTrustDocument(claim, _kit.Signer.Sign(claim))),
            ("signed by another root of the same name", new SignedTrustDocument(claim, Pki.Sign(claim, own))),
            ("the root's signature of another document", new SignedTrustDocument(claim, TrustDocuments.Create(_root, null, [], [], _kit.Clock).Signature)),
            ("not signed", new SignedTrustDocument(claim, [])),
        })
        {
            await RefusedAsync(ErrorIds.BundleTrustInvalid, await WriteAsync("forged.tar", [_kit.Signer], s => s with { Trust = [forged] }));
            Assert.True(Apply(forged).ErrorId == ErrorIds.TrustDocumentInvalid, name);
        }

        // A root that the site does not trust has nothing to say: neither for the bundle, nor against it.
        byte[] foreign = Document(Sha256Digest.Of(own.RawData), 1, [mallory.RawData], [_kit.Signer.Certificate.RawData]);
        var strange = new SignedTrustDocument(foreign, Pki.Sign(foreign, own));
        Assert.Equal(ErrorIds.TrustRootUnknown, Apply(strange).ErrorId);
        await RefusedAsync(ErrorIds.BundleSignerUnknown, _kit.Write("m.tar", new HandMadeBundle(_kit) { ChangeSnapshot = s => s with { Trust = [strange] }, Sign = d => [Pki.Sign(d, mallory)] }.Build()));
        Assert.True((await ImportAsync(await WriteAsync("fine.tar", [_kit.Signer], s => s with { Trust = [strange] }))).Changed);
        Assert.DoesNotContain(_kit.Trust.List(), t => t.IsRevoked);
    }

    [Fact]
    public async Task When_the_only_signer_is_lost_a_document_alone_brings_in_the_next()
    {
        _kit.Trust.Add(_rootFiles.CertificatePath);
        using BundleSigner next = NewSigner("next");
        string lost = _kit.Write("lost.cer", _kit.Signer.Certificate.RawData);
        SignedTrustDocument document = TrustDocuments.Create(_root, null, [_kit.PathOf("next.cer")], [lost], _kit.Clock);
        string file = _kit.Write("trust.json", document.ToBytes());

        TrustChange change = new TrustDocuments(_kit.Inside).Apply(SignedTrustDocument.Read(file), _kit.Clock.GetUtcNow());

        Assert.Equal([next.Thumbprint], change.Added.Select(a => a.Thumbprint));
        Assert.Equal([_kit.Signer.Thumbprint], change.Revoked.Select(r => r.Thumbprint));
        Assert.True((await ImportAsync(await WriteAsync("next.tar", [next]))).Changed);
        await RefusedAsync(ErrorIds.BundleSignerRevoked, await WriteAsync("lost.tar", [_kit.Signer], s => s with { Sequence = 8 }));

        // Once more changes nothing; what the owner revoked by hand, no root brings back.
        Assert.Empty(new TrustDocuments(_kit.Inside).Apply(document, _kit.Clock.GetUtcNow()).Added);
        _kit.Trust.Remove(next.Thumbprint, revoke: true);
        SignedTrustDocument second = TrustDocuments.Create(_root, document, [_kit.PathOf("next.cer")], [], _kit.Clock);
        Assert.Empty(new TrustDocuments(_kit.Inside).Apply(second, _kit.Clock.GetUtcNow()).Added);
        Assert.True(_kit.Trust.List().Single(t => t.Thumbprint == next.Thumbprint).IsRevoked);
    }

    [Fact]
    public void A_document_that_no_site_could_use_is_not_signed_and_a_strange_one_is_refused_by_name()
    {
        _kit.Trust.Add(_rootFiles.CertificatePath);
        using var pki = new Pki();
        string weak = _kit.Write("weak.cer", pki.Issue(new CertificateSpec { Key = () => Pki.Rsa(2048) }).RawData);
        Assert.Equal(ErrorIds.TrustDocumentInvalid, Assert.Throws<FeedException>(() => TrustDocuments.Create(_root, null, [weak], [], _kit.Clock)).ErrorId);
        Assert.Equal(ErrorIds.TrustDocumentInvalid, Assert.Throws<FeedException>(() => TrustDocuments.Create(_root, null, [], [_rootFiles.CertificatePath], _kit.Clock)).ErrorId);
        byte[] good = TrustDocuments.Create(_root, null, [], [weak], _kit.Clock).Document;
        string text = Encoding.UTF8.GetString(good);
        foreach (string changed in new[]
        {
            text.Replace("\"version\":1", "\"version\":0"), text.Replace("quayairgap.trust", "other"), text.Replace("\"number\":1", "\"number\":0"),
            text.Replace("\"signers\":[]", "\"signers\":[\"AAAA\"]"), text.Replace("{\"format\"", "{\"extra\":1,\"format\""), "null", "{", "[]",
        })
        {
            Assert.NotEqual(text, changed);
            byte[] bytes = Encoding.UTF8.GetBytes(changed);
            Assert.Equal(ErrorIds.TrustDocumentInvalid, Apply(new SignedTrustDocument(bytes, _root.Sign(bytes))).ErrorId);
        }

        // Dated in the future, and two documents of one number.
        byte[] future = Document(_root.Thumbprint, 1, [], [], Pki.Now.AddHours(1));
        Assert.Equal(ErrorIds.TrustDocumentInvalid, Apply(new SignedTrustDocument(future, _root.Sign(future))).ErrorId);
        new TrustDocuments(_kit.Inside).Apply(new SignedTrustDocument(good, _root.Sign(good)), Pki.Now);
        byte[] other = Document(_root.Thumbprint, 1, [], []);
        Assert.Equal(ErrorIds.TrustDocumentInvalid, Apply(new SignedTrustDocument(other, _root.Sign(other))).ErrorId);
        Assert.Equal(ErrorIds.TrustDocumentInvalid, Assert.Throws<FeedException>(() => SignedTrustDocument.Read(weak)).ErrorId);
    }

    [Fact]
    public async Task A_second_signature_makes_the_bundle_that_two_eyes_ask_for_and_changes_nothing_else()
    {
        CreatedSigner made = SignerFactory.Create(_kit.PathOf("station.pfx"), "CN=Transfer station", null, null, _kit.Clock);
        using BundleSigner station = BundleSigner.Load(made.PfxPath, null, _kit.Clock);
        using var temp = new TempSite();
        new TrustStore(temp.Site).Add(_kit.Write("collector.cer", _kit.Signer.Certificate.RawData));
        _kit.Trust.Add(made.CertificatePath);
        _kit.Trust.SetRequiredSigners(2);
        string path = await WriteAsync("two.tar", [_kit.Signer]);
        string before = Bundle.Open(path).SnapshotSha256;
        await RefusedAsync(ErrorIds.BundleTooFewSigners, path);
        var cosigner = new BundleCosigner(temp.Site, _kit.Clock);

        Bundle signed = await cosigner.SignAsync(await cosigner.VerifyAsync(path, [station], null, Token), [station], Token);

        Assert.Equal(before, signed.SnapshotSha256);
        Assert.Equal(["CN=Collector", "CN=Transfer station"], signed.SignerSubjects);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(path)!, "*.partial"));
        Assert.True((await ImportAsync(path)).Changed);
        LedgerEntry told = new Ledger(temp.Site, _kit.Clock).Read().Last();
        Assert.Equal((LedgerEvents.BundleSigned, station.Thumbprint), (told.Event, (string?)told.Details["signers"]));
        Assert.Equal(ErrorIds.SignatureExists, (await Assert.ThrowsAsync<FeedException>(() => cosigner.VerifyAsync(path, [station], null, Token))).ErrorId);
    }

    [Fact]
    public async Task A_station_signs_a_folder_layout_in_its_place_and_finishes_what_a_kill_has_left()
    {
        using var temp = new TempSite();
        new TrustStore(temp.Site).Add(_kit.Write("collector.cer", _kit.Signer.Certificate.RawData));
        CreatedSigner made = SignerFactory.Create(_kit.PathOf("station.pfx"), "CN=Transfer station", null, null, _kit.Clock);
        using BundleSigner station = BundleSigner.Load(made.PfxPath, null, _kit.Clock);
        _kit.Trust.Add(made.CertificatePath);
        _kit.Trust.SetRequiredSigners(2);
        string folder = _kit.PathOf("layout");
        Directory.CreateDirectory(folder);
        System.Formats.Tar.TarFile.ExtractToDirectory(await WriteAsync("layout.tar", [_kit.Signer]), folder, overwriteFiles: false);
        string[] before = Directory.GetFiles(folder, "*", SearchOption.AllDirectories);
        var cosigner = new BundleCosigner(temp.Site, _kit.Clock);

        // A kill before the index was replaced: a blob that nothing refers to, and the note that says so.
        string stray = BundleFormat.BlobName(HandMadeBundle.Sha([1]));
        File.WriteAllBytes(Path.Combine(folder, stray), [1]);
        File.WriteAllText(folder + ".signing", stray + "\n" + BundleFormat.BlobName(Path.GetFileName(before.First(f => f.Contains("sha256")))) + "\n../../outside\n");
        Assert.Equal(ErrorIds.BundleExtraContent, Assert.Throws<FeedException>(() => Bundle.Open(folder)).ErrorId);

        Assert.True(BundleCosigner.IsInterrupted(folder));
        BundleCosigner.FinishInterrupted(folder);
        Bundle signed = await cosigner.SignAsync(await cosigner.VerifyAsync(folder, [station], null, Token), [station], Token);

        Assert.Equal(["CN=Collector", "CN=Transfer station"], signed.SignerSubjects);
        Assert.False(File.Exists(folder + ".signing"));
        Assert.Equal(before.Length + 1, Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Length);
        Assert.True((await ImportAsync(folder)).Changed);

        // A kill behind it: the old manifest is still there.
        string old = BundleFormat.BlobName(HandMadeBundle.Sha([2]));
        File.WriteAllBytes(Path.Combine(folder, old), [2]);
        File.WriteAllText(folder + ".signing", old);
        Assert.Equal(ErrorIds.BundleExtraContent, (await Assert.ThrowsAsync<FeedException>(() => cosigner.VerifyAsync(folder, [station], null, Token))).ErrorId);
        BundleCosigner.FinishInterrupted(folder);
        Assert.Equal(ErrorIds.SignatureExists, (await Assert.ThrowsAsync<FeedException>(() => cosigner.VerifyAsync(folder, [station], null, Token))).ErrorId);
        Assert.Equal(2, Bundle.Open(folder).Signatures.Count);
        string split = _kit.PathOf("split");
        Directory.CreateDirectory(split);
        await VolumeWriter.SplitAsync(Bundle.Open(_kit.PathOf("layout.tar")), split, "x", 1_000_000, false, null, Token);
        Assert.Equal(ErrorIds.DestinationInvalid, (await Assert.ThrowsAsync<FeedException>(() => cosigner.VerifyAsync(split, [station], null, Token))).ErrorId);
    }

    [Fact]
    public async Task Nobody_signs_what_does_not_hold()
    {
        using var temp = new TempSite();
        CreatedSigner made = SignerFactory.Create(_kit.PathOf("station.pfx"), "CN=Transfer station", null, null, _kit.Clock);
        using BundleSigner station = BundleSigner.Load(made.PfxPath, null, _kit.Clock);
        var cosigner = new BundleCosigner(temp.Site, _kit.Clock);
        string path = await WriteAsync("b.tar", [_kit.Signer]);
        await Refused(ErrorIds.TrustEmpty);
        new TrustStore(temp.Site).Add(_kit.Write("collector.cer", _kit.Signer.Certificate.RawData));
        byte[] bytes = await File.ReadAllBytesAsync(path, Token);
        bytes[1600] ^= 1;
        _kit.Write("b.tar", bytes);
        await Refused(ErrorIds.BundleAltered);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(path, Token));

        async Task Refused(string id) =>
            Assert.Equal(id, (await Assert.ThrowsAsync<FeedException>(() => cosigner.VerifyAsync(path, [station], null, Token))).ErrorId);
    }

    [Fact]
    public async Task A_certificate_object_signs_and_stays_the_callers()
    {
        using var pki = new Pki();
        X509Certificate2 root = pki.Issue(new CertificateSpec { Subject = "CN=House root", Authority = true });
        X509Certificate2 certificate = pki.Issue(new CertificateSpec { Subject = "CN=House signer" }, root);
        _kit.Trust.Add(_kit.Write("house.cer", root.RawData));
        string path;
        using (BundleSigner signer = BundleSigner.FromCertificate(certificate, _kit.Clock))
        {
            path = await WriteAsync("object.tar", [signer]);
        }

        Assert.Equal("CN=House signer", Assert.Single((await _kit.ExamineAsync(path)).Signers).Subject);
        using ECDsa? key = certificate.GetECDsaPrivateKey();
        Assert.NotNull(key);
        using X509Certificate2 bare = X509CertificateLoader.LoadCertificate(certificate.RawData);
        Assert.Equal(ErrorIds.SignerNoPrivateKey, Assert.Throws<FeedException>(() => BundleSigner.FromCertificate(bare, _kit.Clock)).ErrorId);
        Assert.Equal(ErrorIds.SignerInvalid, Assert.Throws<FeedException>(() => BundleSigner.FromCertificate(root, _kit.Clock)).ErrorId);
    }

    [Fact]
    public void The_number_of_signers_is_set_and_comments_stay()
    {
        string policy = Path.Combine(_kit.Inside.TrustFolder, "policy.yaml");
        Assert.Equal(1, _kit.Trust.SetRequiredSigners(2));
        Assert.Equal(2, _kit.Trust.RequiredSigners);
        File.WriteAllText(policy, "# ours\nversion: 1\nrequiredSigners: 2 # four eyes\n");
        Assert.Equal(2, _kit.Trust.SetRequiredSigners(3));
        Assert.Equal("# ours\nversion: 1\nrequiredSigners: 3 # four eyes\n", File.ReadAllText(policy));
        File.WriteAllText(policy, "{version: 1, requiredSigners: 2}");
        Assert.Equal(ErrorIds.SettingsInvalid, Assert.Throws<FeedException>(() => _kit.Trust.SetRequiredSigners(3)).ErrorId);
        Assert.Equal("{version: 1, requiredSigners: 2}", File.ReadAllText(policy));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static byte[] Document(string root, long number, byte[][] signers, byte[][] revoked, DateTimeOffset? issued = null) => new TrustDocument
    {
        Root = root,
        Number = number,
        Issued = issued ?? Pki.Now,
        Signers = signers,
        Revoked = revoked,
    }.ToBytes();

    private BundleSigner NewSigner(string name) =>
        BundleSigner.Load(SignerFactory.Create(_kit.PathOf(name + ".pfx"), "CN=" + name, null, null, _kit.Clock).PfxPath, null, _kit.Clock);

    private async Task<string> WriteAsync(string name, IReadOnlyList<BundleSigner> signers, Func<Snapshot, Snapshot>? change = null)
    {
        Snapshot snapshot = _kit.Snapshot with { Created = Pki.Now };
        return (await BundleWriter.WriteAsync(_kit.PathOf(name), change?.Invoke(snapshot) ?? snapshot, _kit.Outside.Store, signers, null, Token, overwrite: true)).Path;
    }

    private Task<ImportResult> ImportAsync(string path) => new FeedImporter(_kit.Inside, SiteSettings.Load(_kit.Inside), _kit.Clock).ImportAsync(path, null, Token);

    private FeedException Apply(SignedTrustDocument signed) => Assert.Throws<FeedException>(() => new TrustDocuments(_kit.Inside).Apply(signed, Pki.Now));

    private async Task RefusedAsync(string errorId, string path)
    {
        FeedException e = await Assert.ThrowsAsync<FeedException>(() => ImportAsync(path));
        Assert.True(errorId == e.ErrorId, $"{errorId} expected, and it was {e.ErrorId}: {e.Message}");
    }
}
