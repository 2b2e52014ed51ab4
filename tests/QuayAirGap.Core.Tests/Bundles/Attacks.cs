using System.IO.Compression;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Trust;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Core.Tests.Bundles;

/// <summary>One attack of the table in tests/README.md.</summary>
/// <param name="Group">Its name in the field: The Update Framework's where it has one (specification, 1.5.2).</param>
/// <param name="How">What is brought, for people. Unique.</param>
/// <param name="ErrorId">What it is refused by.</param>
/// <param name="Build">Writes the files that are brought, each of them an attack of its own; sets the site up first where needed.</param>
internal sealed record Attack(string Group, string How, string ErrorId, Func<AttackRig, IEnumerable<string>> Build)
{
    /// <summary>The parts that are there may be kept for those that are not: the one thing that a refused bundle may leave.</summary>
    public bool KeepsParts { get; init; }
}

/// <summary>Every attack that the tests build. The signer is a trusted one, and its key is in the attacker's hand, wherever that makes the attack stronger.</summary>
internal static class Attacks
{
    private const string Arbitrary = "arbitrary content";
    private const string Signatures = "missing and false signatures";
    private const string Threshold = "fewer signers than m of n";
    private const string Rollback = "rollback";
    private const string Freeze = "freeze";
    private const string Mix = "mix and match";
    private const string FastForward = "fast-forward";
    private const string Wrong = "wrong repository";
    private const string Blobs = "extra and missing content";
    private const string Lies = "false digests and sizes";
    private const string Endless = "endless data";
    private const string Paths = "paths and links";
    private const string Twice = "duplicate names";
    private const string Weak = "weak keys and hashes";
    private const string Cut = "truncation";

    private static readonly IReadOnlyList<Attack> s_bundles =
    [
        new(Arbitrary, "random bytes; a ZIP archive", ErrorIds.BundleInvalid, r => [r.Write(Noise(4096)), r.Write(Zip())]),
        new(Arbitrary, "a tar archive of other files", ErrorIds.BundleExtraContent, r => [r.Write(HandMadeBundle.Tar([new RawEntry("readme.txt", [1])]))]),
        new(Arbitrary, "another OCI artifact", ErrorIds.BundleInvalid, r =>
            [r.Write(r.Next().With(b => b.ChangeManifest = m => m.Replace(BundleFormat.ArtifactType, "application/vnd.example.other")))]),
        new(Arbitrary, "a document of another kind, truly signed", ErrorIds.BundleInvalid, r =>
            [r.Write(r.Next().With(b => b.ChangeDocument = _ => AttackRig.Text("{\"format\":\"other\",\"version\":1}")))]),
        new(Arbitrary, "a snapshot of another version, truly signed", ErrorIds.BundleVersion, r =>
            [r.Write(r.Next().With(b => b.ChangeDocument = Replace("\"version\":1", "\"version\":2")))]),

        new(Signatures, "no signature", ErrorIds.BundleUnsigned, r => [r.Write(r.Next().With(b => b.Sign = _ => []))]),
        new(Signatures, "a signer whom the site does not trust", ErrorIds.BundleSignerUnknown, r =>
            [Signed(r, r.Pki.Issue(new CertificateSpec { Subject = "CN=Collector" }))]),
        new(Signatures, "a signer of an authority that the site does not trust, which it brings along", ErrorIds.BundleSignerUnknown, r =>
        {
            X509Certificate2 root = r.Pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true });
            X509Certificate2 leaf = r.Pki.Issue(new CertificateSpec(), root);
            return [r.Write(r.Next().With(b => b.Sign = d => [Pki.Sign(d, leaf, [root])]))];
        }),
        new(Signatures, "a revoked signer", ErrorIds.BundleSignerRevoked, r =>
        {
            r.Kit.Trust.Remove(r.Kit.Signer.Thumbprint, revoke: true);
            return [r.Write(r.Next())];
        }),
        new(Signatures, "a revoked signer's key under a new certificate of a trusted authority", ErrorIds.BundleSignerRevoked, r =>
        {
            X509Certificate2 root = Trusted(r, new CertificateSpec { Subject = "CN=Root", Authority = true });
            X509Certificate2 stolen = Trusted(r, new CertificateSpec { Subject = "CN=Stolen" });
            r.Kit.Trust.Remove(Thumbprint(stolen), revoke: true);
            using AsymmetricAlgorithm key = Pki.KeyOf(stolen);
            return [Signed(r, r.Pki.Issue(new CertificateSpec { Subject = "CN=New name" }, root, key))];
        }),
        new(Signatures, "a signer whose certificate had expired when the bundle was made", ErrorIds.BundleSignerExpired, r =>
            [Signed(r, Trusted(r, new CertificateSpec { NotAfter = Pki.Now.AddDays(-1) }))]),
        new(Signatures, "an expired signer that dates the bundle back into its validity, and so beyond its own expiry", ErrorIds.BundleExpired, r =>
            [Signed(r, Trusted(r, new CertificateSpec { NotAfter = Pki.Now.AddDays(-1) }), s => Dated(s, Pki.Now.AddDays(-25), Pki.Now.AddDays(-1)))]),
        new(Signatures, "a certificate for another purpose", ErrorIds.BundleSignerUnknown, r =>
        {
            X509Certificate2 root = Trusted(r, new CertificateSpec { Subject = "CN=Root", Authority = true });
            return [Signed(r, r.Pki.Issue(new CertificateSpec { Usage = "1.3.6.1.5.5.7.3.1" }, root)), Signed(r, root)];
        }),
        new(Signatures, "a true signature of other content; bytes that are none", ErrorIds.BundleSignatureInvalid, r =>
        [
            r.Write(r.Next().With(b => b.Sign = d => [r.Kit.Signer.Sign(d.AsMemory(1))])),
            r.Write(r.Next().With(b => b.Sign = _ => [[0x30, 0x80]])),
        ]),

        new(Threshold, "one of the two signers that the site asks for", ErrorIds.BundleTooFewSigners, r =>
        {
            TrustPolicy.WriteRequiredSigners(r.Kit.Inside, 2);
            return [r.Write(r.Next()), r.Write(r.Next().With(b => b.Sign = d => [r.Kit.Signer.Sign(d), Pki.Sign(d, r.Pki.Issue(new CertificateSpec()))]))];
        }),
        new(Threshold, "one signer twice; one key under two certificates; one name renewed", ErrorIds.BundleSignerRepeated, r =>
        {
            TrustPolicy.WriteRequiredSigners(r.Kit.Inside, 2);
            X509Certificate2 root = Trusted(r, new CertificateSpec { Subject = "CN=Root", Authority = true });
            X509Certificate2 one = r.Pki.Issue(new CertificateSpec { Subject = "CN=One" }, root);
            X509Certificate2 renewed = r.Pki.Issue(new CertificateSpec { Subject = "CN=One" }, root);
            using AsymmetricAlgorithm key = Pki.KeyOf(one);
            X509Certificate2 renamed = r.Pki.Issue(new CertificateSpec { Subject = "CN=Two" }, root, key);
            return
            [
                r.Write(r.Next().With(b => b.Sign = d => [r.Kit.Signer.Sign(d), r.Kit.Signer.Sign(d)])),
                r.Write(r.Next().With(b => b.Sign = d => [Pki.Sign(d, one), Pki.Sign(d, renamed)])),
                r.Write(r.Next().With(b => b.Sign = d => [Pki.Sign(d, one), Pki.Sign(d, renewed)])),
            ];
        }),

        new(Rollback, "a lower sequence; the same one with another content", ErrorIds.BundleSequence, r =>
            [r.Write(r.Next(s => s with { Sequence = 6 })), r.Write(r.Next(s => s with { Sequence = 7 }))]),
        new(Rollback, "a sequence below the highest after the owner went back", ErrorIds.BundleSequence, r =>
        {
            Wait(r.ImportAsync(r.Write(r.Next())));
            Wait(new Publishing.FeedImporter(r.Kit.Inside, Sites.SiteSettings.Load(r.Kit.Inside), r.Kit.Clock).RestoreAsync(1, null, default));
            return [r.Write(r.Next(s => s with { Created = s.Created.AddMinutes(5) }))];
        }),
        new(Freeze, "an expired bundle", ErrorIds.BundleExpired, r => [r.Write(r.Next(s => s with { Expires = Pki.Now.AddSeconds(-1) }))]),
        new(Freeze, "an expired bundle for a machine whose clock was put back", ErrorIds.BundleExpired, r =>
        {
            string expired = r.Write(r.Next(s => s with { Sequence = 9, Expires = Pki.Now.AddMinutes(-30) }));
            Wait(r.ImportAsync(r.Write(r.Next(s => Dated(s, Pki.Now, s.Expires)))));
            r.Kit.Clock.AdjustTime(Pki.Now.AddMinutes(-45));
            return [expired];
        }),

        new(Signatures, "a trust document in the root's name that the signer has signed, to revoke others and add himself", ErrorIds.BundleTrustInvalid, r =>
        {
            X509Certificate2 root = Trusted(r, new CertificateSpec { Subject = "CN=Root", Authority = true });
            byte[] document = new TrustDocument
            {
                Root = Thumbprint(root),
                Number = 1,
                Issued = Pki.Now,
                Signers = [r.Pki.Issue(new CertificateSpec { Subject = "CN=Mallory" }).RawData],
                Revoked = [],
            }.ToBytes();
            return [r.Write(r.Next(s => s with { Trust = [new SignedTrustDocument(document, r.Kit.Signer.Sign(document))] }))];
        }),

        new(Mix, "another bundle's layer in the place of this one's", ErrorIds.BundleAltered, r =>
        {
            byte[] other = HandMadeBundle.Zstd(HandMadeBundle.Tar(r.Next().EntriesOf("alpine")[..1]));
            return [r.Write(r.Next().With(b => b.ChangeEntries = e => e.Select((x, i) => i == 1 ? x with { Content = Fit(other, x.Content.Length) } : x)))];
        }),
        new(Mix, "another bundle's layer beside this one's, in the manifest too", ErrorIds.BundleExtraContent, r =>
        {
            byte[] other = HandMadeBundle.Zstd(HandMadeBundle.Tar(r.Next().EntriesOf("alpine")[..1]));
            return [r.Write(r.Next().With(b =>
            {
                b.ChangeManifest = m => m.Replace("\"layers\":[", $"\"layers\":[{HandMadeBundle.Descriptor(BundleFormat.SourceType, other)},");
                b.ChangeEntries = e => [.. e, new RawEntry(BundleFormat.BlobName(HandMadeBundle.Sha(other)), other)];
            }))];
        }),
        new(Mix, "one source's layer for another's, truly signed", ErrorIds.BundleInvalid, r =>
        {
            byte[] osv = HandMadeBundle.Zstd(HandMadeBundle.Tar(r.Next().EntriesOf("osv")));
            return [r.Write(r.Next().With(b =>
            {
                b.Layers["osv"] = osv;
                b.Claims["alpine"] = _ => new LayerDescriptor(HandMadeBundle.Sha(osv), osv.Length, 2048);
            }))];
        }),
        new(Mix, "a source's layer taken out", ErrorIds.BundleMissingContent, r =>
            [r.Write(r.Next().With(b => b.ChangeEntries = e => e.Where((_, i) => i != 1)))]),
        new(Mix, "one bundle's snapshot with another's signature", ErrorIds.BundleSignatureInvalid, r =>
        {
            byte[] other = Bundle.Open(r.Imported).Signatures[0];
            return [r.Write(r.Next().With(b => b.Sign = _ => [other]))];
        }),
        new(Mix, "one bundle's snapshot with another's layers", ErrorIds.BundleAltered, r =>
        {
            // Sizes agree, digests do not: the contents differ in a single byte.
            List<RawEntry> entries = r.Next().EntriesOf("osv");
            byte[] mine = HandMadeBundle.Zstd(HandMadeBundle.Tar(entries), level: -1);
            byte[] other = HandMadeBundle.Zstd(HandMadeBundle.Tar([entries[0] with { Content = Flip(entries[0].Content) }]), level: -1);
            return [r.Write(r.Next().With(b =>
            {
                b.Layers["osv"] = mine;
                b.ChangeEntries = e => e.Select(x => x.Content.AsSpan().SequenceEqual(mine) ? x with { Content = Fit(other, mine.Length) } : x);
            }))];
        }),

        new(FastForward, "a sequence so high that no honest bundle would ever follow", ErrorIds.BundleSequenceJump, r =>
            [r.Write(r.Next(s => s with { Sequence = long.MaxValue })), r.Write(r.Next(s => s with { Sequence = 7 + BundleVerifier.MaxSequenceStep + 1 }))]),
        new(FastForward, "such a sequence for a site that has imported nothing yet", ErrorIds.BundleSequenceJump, r =>
        {
            Directory.Delete(r.Kit.Inside.MirrorFolder, recursive: true);
            Directory.CreateDirectory(r.Kit.Inside.MirrorFolder);
            return [r.Write(r.Next(s => s with { Sequence = BundleVerifier.MaxFirstSequence + 1 }))];
        }),
        new(FastForward, "a date in the future", ErrorIds.BundleFromFuture, r =>
            [r.Write(r.Next(s => Dated(s, Pki.Now.AddMinutes(11), Pki.Now.AddDays(30)))), r.Write(r.Next(s => Dated(s, Pki.Now.AddDays(600), Pki.Now.AddDays(700))))]),
        new(FastForward, "captures dated behind the bundle's own time, to look fresh for ever", ErrorIds.BundleInvalid, r =>
            [r.Write(r.Next().With(b => b.ChangeDocument = Replace("\"capturedAt\":\"2026-", "\"capturedAt\":\"2126-")))]),
        new(FastForward, "a validity without an end", ErrorIds.BundleInvalid, r =>
            [r.Write(r.Next().With(b => b.ChangeDocument = Replace("\"expires\":\"2026-", "\"expires\":\"2126-")))]),

        new(Wrong, "another collector's stream", ErrorIds.BundleStream, r => [r.Write(r.Next(s => s with { Stream = Guid.NewGuid() }))]),

        new(Blobs, "a file that nothing refers to; something between the entries; something behind the end", ErrorIds.BundleExtraContent, r =>
        [
            r.Write(r.Next().With(b => b.ChangeEntries = e => [.. e, new RawEntry(BundleFormat.BlobName(HandMadeBundle.Sha([1])), [1])])),
            r.Write(r.Next().With(b => b.ChangeEntries = e => [e[0] with { Padding = 1 }, .. e[1..]])),
            r.Write(r.Next().With(b => b.ChangeArchive = a => [.. a, .. a])),
        ]),
        new(Blobs, "something behind the packed snapshot's frame; a second frame", ErrorIds.BundleExtraContent, r =>
        [
            r.Write(r.Next().With(b => b.PackSnapshot = d => [.. HandMadeBundle.Zstd(d), 0])),
            r.Write(r.Next().With(b => b.PackSnapshot = d => [.. HandMadeBundle.Zstd(d), .. HandMadeBundle.Zstd(d)])),
        ]),
        new(Blobs, "a blob that the manifest names and the archive lacks", ErrorIds.BundleMissingContent, r =>
            [r.Write(r.Next().With(b => b.ChangeEntries = e => e.Where((_, i) => i != 2)))]),
        new(Blobs, "content within a truly signed layer that the snapshot does not name", ErrorIds.BundleExtraContent, r =>
            [Layer(r, e => [.. e[..^1], Entry("stranger")]), Layer(r, e => [Entry("stranger"), .. e[1..]])]),
        new(Blobs, "content that the snapshot names and its truly signed layer lacks, or has in another order", ErrorIds.BundleMissingContent, r =>
            [Layer(r, e => e[..^1]), Layer(r, e => [e[1], e[0], .. e[2..]])]),

        new(Lies, "a changed bit of every document and layer", ErrorIds.BundleAltered, r =>
        [
            .. Enumerable.Range(1, 4).Select(i => r.Write(
                r.Next().With(b => b.ChangeEntries = e => e.Select((x, at) => at == i ? x with { Content = Flip(x.Content) } : x)))),
        ]),
        new(Lies, "content within a truly signed layer that has another digest than its name", ErrorIds.BundleAltered, r =>
            [Layer(r, e => [e[0] with { Content = Flip(e[0].Content) }, .. e[1..]])]),
        new(Lies, "a layer said to be longer than it is", ErrorIds.BundleTruncated, r => [Claim(r, l => l with { Size = l.Size + 1 })]),
        new(Lies, "a layer said to be shorter than it is", ErrorIds.BundleLimit, r => [Claim(r, l => l with { Size = l.Size - 1 })]),
        new(Lies, "a layer said to unpack to more or less than it must", ErrorIds.BundleInvalid, r =>
            [Claim(r, l => l with { TarSize = l.TarSize + 512 }), Claim(r, l => l with { TarSize = l.TarSize - 512 })]),
        new(Lies, "an entry said to be larger than the archive", ErrorIds.BundleTruncated, r =>
            [r.Write(r.Next().With(b => b.ChangeEntries = e => [e[0] with { Size = long.MaxValue }, .. e[1..]]))]),

        new(Endless, "a compression bomb: 300 MB of zeros in some kilobytes", ErrorIds.BundleLimit, r =>
            [Packed(r, HandMadeBundle.Zstd([.. HandMadeBundle.Tar(r.Next().EntriesOf("alpine")), .. new byte[300_000_000]], pledge: false))]),
        new(Endless, "a snapshot that unpacks to more than any document may have; one with a window that would claim the reader's memory", ErrorIds.BundleLimit, r =>
        [
            r.Write(r.Next().With(b => b.PackSnapshot = _ => HandMadeBundle.Zstd(new byte[SnapshotDocument.MaxBytes + 1]))),
            r.Write(r.Next().With(b => b.PackSnapshot = _ => HandMadeBundle.Zstd(new byte[SnapshotDocument.MaxBytes * 4], pledge: false))),
            r.Write(r.Next().With(b => b.PackSnapshot = d => HandMadeBundle.Zstd(d, windowLog: 27, pledge: false))),
        ]),
        new(Endless, "a compression window that would claim the reader's memory", ErrorIds.BundleLimit, r =>
            [Packed(r, HandMadeBundle.Zstd(HandMadeBundle.Tar(r.Next().EntriesOf("alpine")), windowLog: 27, pledge: false))]),
        new(Endless, "too many entries; too many signatures; too many sources", ErrorIds.BundleLimit, r =>
        [
            r.Write(r.Next().With(b => b.ChangeEntries = e => [.. e, .. Enumerable.Range(0, 1100).Select(i => new RawEntry($"blobs/sha256/{i:x64}", []))])),
            r.Write(r.Next().With(b => b.Sign = d => [.. Enumerable.Repeat(0, SignatureVerifier.MaxSignatures + 1).Select(_ => r.Kit.Signer.Sign(d))])),
            r.Write(r.Next().With(b => b.ChangeDocument = Replace(
                "\"sources\":[", "\"sources\":[" + string.Concat(Enumerable.Range(0, 70).Select(i => $"{{\"name\":\"s{i}\",\"state\":\"missing\"}},"))))),
        ]),
        new(Endless, "too large documents and signatures", ErrorIds.BundleLimit, r =>
        [
            r.Write(r.Next().With(b => b.ChangeIndex = i => i + new string(' ', BundleFormat.MaxDocumentBytes))),
            r.Write(r.Next().With(b => b.Sign = _ => [new byte[SignatureVerifier.MaxSignatureBytes + 1]])),
        ]),
        new(Endless, "documents nested deeper than any reader's stack", ErrorIds.BundleInvalid, r =>
            [r.Write(r.Next().With(b => b.ChangeIndex = _ => new string('[', 100_000))), r.Write(r.Next().With(b => b.ChangeDocument = _ => AttackRig.Text(new string('[', 100_000))))]),

        new(Paths, "paths out of the archive: upwards, absolute, with backslashes, on a drive", ErrorIds.BundlePathEscape, r =>
        [
            .. new[] { "../oci-layout", "blobs/../../../etc/passwd", "/etc/passwd", "..\\x", "blobs\\sha256\\x", "C:\\x", "C:x", "./../x" }
                .Select(n => r.Write(r.Next().With(b => b.ChangeEntries = e => [.. e, new RawEntry(n, [1])]))),
            Layer(r, e => [e[0] with { Name = "../../etc/cron.d/x" }, .. e[1..]]),
        ]),
        new(Paths, "symbolic and hard links, in the archive and in a truly signed layer", ErrorIds.BundleLink, r =>
        [
            .. "12".Select(t => r.Write(r.Next().With(b => b.ChangeEntries = e => [.. e, new RawEntry(BundleFormat.BlobName(new string('a', 64)), []) { Type = t, Link = "/etc/passwd" }]))),
            .. "12".Select(t => Layer(r, e => [e[0] with { Type = t, Link = "/etc/passwd" }, .. e[1..]])),
        ]),
        new(Paths, "a folder with a link in it", ErrorIds.BundleLink, r => [FolderWithLink(r)]),
        new(Paths, "devices, sparse files, names in extended attributes", ErrorIds.BundleInvalid, r =>
        [
            .. "346SLK".Select(t => r.Write(r.Next().With(b => b.ChangeEntries = e => [.. e, new RawEntry(BundleFormat.BlobName(new string('a', 64)), []) { Type = t }]))),
            r.Write(r.Next().With(b => b.ChangeEntries = e => [new RawEntry("pax", AttackRig.Text("12 path=../x\n")[..]) { Type = 'x' }, .. e])),
        ]),
        new(Paths, "addresses whose path leaves the mirror, truly signed", ErrorIds.BundleInvalid, r =>
        [
            .. new[] { "https://feeds.example/%2e%2e/x", "https://feeds.example/a/../b", "https://feeds.example/a%2fb", "file:///etc/passwd", "https://feeds.example:8443/x", "https://u:p@feeds.example/x" }
                .Select(u => r.Write(r.Next().With(b => b.ChangeDocument = Replace(BundleKit.Url("x.zip"), u)))),
        ]),

        new(Twice, "two snapshots, one plain and one packed", ErrorIds.BundleInvalid, r =>
        [
            r.Write(r.Next().With(b =>
            {
                byte[] second = HandMadeBundle.Zstd(AttackRig.Text("{}"));
                b.ChangeManifest = m => m.Replace("\"layers\":[", $"\"layers\":[{HandMadeBundle.Descriptor(BundleFormat.PackedSnapshotType, second)},");
                b.ChangeEntries = e => [.. e, new RawEntry(BundleFormat.BlobName(HandMadeBundle.Sha(second)), second)];
            })),
        ]),
        new(Twice, "one name twice in the archive", ErrorIds.BundleDuplicate, r =>
        [
            r.Write(r.Next().With(b => b.ChangeEntries = e => [.. e, e[0]])),
            r.Write(r.Next().With(b => b.ChangeEntries = e => [.. e, e[1] with { Name = "./" + e[1].Name }])),
        ]),
        new(Twice, "one member, source or address twice in the signed document", ErrorIds.BundleInvalid, r =>
        [
            r.Write(r.Next().With(b => b.ChangeDocument = Replace("\"sequence\":8", "\"sequence\":8,\"sequence\":9"))),
            r.Write(r.Next().With(b => b.ChangeDocument = Replace("\"name\":\"osv\"", "\"name\":\"alpine\""))),
            r.Write(r.Next().With(b => b.ChangeDocument = Replace(BundleKit.Url("b/one.json"), BundleKit.Url("a/two.json")))),
        ]),

        new(Weak, "an RSA key of 2048 bits; a curve that is not allowed", ErrorIds.BundleSignatureWeak, r =>
        {
            X509Certificate2 root = Trusted(r, new CertificateSpec { Subject = "CN=Root", Authority = true });
            return
            [
                Signed(r, r.Pki.Issue(new CertificateSpec { Key = () => Pki.Rsa(2048) }, root)),
                Signed(r, r.Pki.Issue(new CertificateSpec { Key = () => ECDsa.Create(ECCurve.NamedCurves.nistP521) }, root)),
            ];
        }),
        new(Weak, "a signature over SHA-1; a certificate signed with SHA-1", ErrorIds.BundleSignatureWeak, r =>
        {
            X509Certificate2 root = Trusted(r, new CertificateSpec { Subject = "CN=Root", Authority = true, Key = () => Pki.Rsa(3072) });
            X509Certificate2 good = r.Pki.Issue(new CertificateSpec(), root);
            return
            [
                r.Write(r.Next().With(b => b.Sign = d => [Pki.Sign(d, good, digest: "1.3.14.3.2.26")])),
                Signed(r, r.Pki.Issue(new CertificateSpec { Hash = HashAlgorithmName.SHA1 }, root)),
            ];
        }),

        new(Cut, "a packed snapshot that ends within its frame", ErrorIds.BundleTruncated, r =>
            [r.Write(r.Next().With(b => b.PackSnapshot = d => HandMadeBundle.Zstd(d)[..^3]))]),
        new(Cut, "cut at every block of the archive, and within one", ErrorIds.BundleTruncated, r =>
        {
            byte[] whole = r.Next().Build();
            return Enumerable.Range(0, whole.Length / 512).SelectMany(i => new[] { r.Write(whole[..(i * 512)]), r.Write(whole[..((i * 512) + 77)]) });
        }),
        new(Cut, "a truly signed layer cut within its frame, its content or its end", ErrorIds.BundleTruncated, r =>
        {
            byte[] tar = HandMadeBundle.Tar(r.Next().EntriesOf("alpine"));
            byte[] packed = HandMadeBundle.Zstd(tar);
            return [Packed(r, packed[..^3]), Packed(r, HandMadeBundle.Zstd(tar[..530])), Packed(r, HandMadeBundle.Zstd(tar[..^512]))];
        }),
    ];

    public static IReadOnlyList<Attack> All { get; } = [.. s_bundles, .. DeltaAttacks.All, .. VolumeAttacks.All];

    internal static HandMadeBundle With(this HandMadeBundle bundle, Action<HandMadeBundle> change)
    {
        change(bundle);
        return bundle;
    }

    private static string Signed(AttackRig rig, X509Certificate2 signer, Func<Snapshot, Snapshot>? change = null) =>
        rig.Write(rig.Next(change).With(b => b.Sign = d => [Pki.Sign(d, signer)]));

    private static X509Certificate2 Trusted(AttackRig rig, CertificateSpec spec)
    {
        X509Certificate2 certificate = rig.Pki.Issue(spec);
        rig.Kit.Trust.Add(rig.Kit.Write($"{Guid.NewGuid():N}.cer", certificate.RawData));
        return certificate;
    }

    private static string Thumbprint(X509Certificate2 certificate) => HandMadeBundle.Sha(certificate.RawData);

    private static Snapshot Dated(Snapshot snapshot, DateTimeOffset created, DateTimeOffset expires) => snapshot with
    {
        Created = created,
        Expires = expires,
        Sources = [.. snapshot.Sources.Select(s => s.CapturedAt is null ? s : s with { CapturedAt = created })],
    };

    private static string Layer(AttackRig rig, Func<List<RawEntry>, IEnumerable<RawEntry>> change) =>
        Packed(rig, HandMadeBundle.Zstd(HandMadeBundle.Tar(change(rig.Next().EntriesOf("alpine"))), pledge: false));

    private static string Packed(AttackRig rig, byte[] layer) => rig.Write(rig.Next().With(b => b.Layers["alpine"] = layer));

    private static string Claim(AttackRig rig, Func<LayerDescriptor, LayerDescriptor> claim) => rig.Write(rig.Next().With(b => b.Claims["osv"] = claim));

    private static RawEntry Entry(string text) => new("sha256/" + HandMadeBundle.Sha(AttackRig.Text(text)), AttackRig.Text(text));

    private static string FolderWithLink(AttackRig rig)
    {
        string folder = rig.Kit.PathOf("folder");
        Directory.CreateDirectory(folder);
        System.Formats.Tar.TarFile.ExtractToDirectory(rig.Write(rig.Next()), folder, overwriteFiles: false);
        string blob = Directory.GetFiles(Path.Combine(folder, "blobs", "sha256"))[0];
        string elsewhere = rig.Kit.Write("elsewhere", File.ReadAllBytes(blob));
        File.Delete(blob);
        File.CreateSymbolicLink(blob, elsewhere);
        return folder;
    }

    private static byte[] Noise(int length)
    {
        byte[] noise = new byte[length];
        new Random(1).NextBytes(noise);
        return noise;
    }

    private static byte[] Zip()
    {
        using var packed = new MemoryStream();
        using (var zip = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
        {
            using Stream entry = zip.CreateEntry("index.json").Open();
            entry.Write(Noise(2000));
        }

        return packed.ToArray();
    }

    private static byte[] Flip(byte[] content) => [(byte)(content[0] ^ 1), .. content[1..]];

    private static byte[] Fit(byte[] content, int length)
    {
        byte[] fitted = [.. content];
        Array.Resize(ref fitted, length);
        return fitted;
    }

    private static Func<byte[], byte[]> Replace(string from, string to) => d =>
    {
        string text = Encoding.UTF8.GetString(d);
        return text.Contains(from, StringComparison.Ordinal)
            ? Encoding.UTF8.GetBytes(text.Replace(from, to, StringComparison.Ordinal))
            : throw new InvalidOperationException($"The document has no {from}: the attack would attack nothing.");
    };

#pragma warning disable VSTHRD002 // the table's builders are plain functions; nothing else runs here
    private static void Wait(Task task) => task.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
}
