using System.Security.Cryptography.X509Certificates;
using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Trust;

namespace QuayAirGap.Core.Tests.Bundles;

/// <summary>Parts of split bundles that must not pass, for the table.</summary>
internal static class VolumeAttacks
{
    private const string Volumes = "volumes";

    public static IReadOnlyList<Attack> All { get; } =
    [
        new(Volumes, "a part missing: the first, one between, the last, all but one", ErrorIds.BundleVolumeMissing, r =>
        {
            // A bundle of its own for each: what the site keeps of one would complete the next.
            int[][] there = [[2, 3, 4], [1, 2, 4], [1], [1, 2, 3]];
            string[] folders = [.. there.Select((numbers, i) => Split(r, s => s with { Created = s.Created.AddMinutes(i) }).Write(r, numbers))];
            return [.. folders[..3], Named(folders[3])];
        })
        { KeepsParts = true },
        new(Volumes, "a part that is there twice", ErrorIds.BundleVolumeRepeated, r =>
        {
            HandMadeVolume split = Split(r);
            return [HandMadeVolume.Put(split.Write(r), 9, split.Part(2)), HandMadeVolume.Put(split.Write(r, 1, 2), 9, split.Part(2))];
        }),
        new(Volumes, "parts of two bundles, or of one bundle split twice, that would complete each other", ErrorIds.BundleVolumeMixed, r =>
        {
            HandMadeVolume split = Split(r);
            HandMadeVolume other = Split(r, s => s with { Sequence = 9, Created = s.Created.AddMinutes(1) });
            HandMadeVolume again = new(r.Write(r.Next()), 4);
            return
            [
                HandMadeVolume.Put(split.Write(r, 1, 3, 4), 2, other.Part(2)), HandMadeVolume.Put(split.Write(r, 1, 3, 4), 2, again.Part(2)),
                HandMadeVolume.Put(split.Write(r), 9, other.Part(2)),
            ];
        }),
        new(Volumes, "another bundle's content in a part of this one; two parts' contents exchanged", ErrorIds.BundleVolumeAltered, r =>
        {
            HandMadeVolume split = Split(r);
            HandMadeVolume other = Split(r, s => s with { Sequence = 9, Created = s.Created.AddMinutes(1) });
            byte[] theirs = [], second = [];
            other.Part(4, p => theirs = p);
            split.Part(2, p => second = p);
            return
            [
                HandMadeVolume.Put(split.Write(r), 4, split.Part(4, p => Fit(theirs, p.Length))),
                HandMadeVolume.Put(split.Write(r), 3, split.Part(3, p => Fit(second, p.Length))),
            ];
        }),
        new(Volumes, "a changed bit at the beginning, in the middle and at the end of each part; of its snapshot; of its signature", ErrorIds.BundleVolumeAltered, r =>
        {
            HandMadeVolume split = Split(r);
            int document = 512 + Padded(split.Index.ToBytes().Length) + 512 + 20;
            int signature = document - 20 + Padded((int)split.Index.Document.Size) + 512 + 20;
            return
            [
                .. Enumerable.Range(1, 4).SelectMany(n => new Func<byte[], int>[] { _ => 0, p => p.Length / 2, p => p.Length - 1 }
                    .Select(at => HandMadeVolume.Put(split.Write(r), n, split.Part(n, p => Flip(p, at(p)))))),
                HandMadeVolume.Put(split.Write(r), 2, Flip(split.Part(2), document)),
                HandMadeVolume.Put(split.Write(r), 2, Flip(split.Part(2), signature)),
            ];
        }),
        new(Volumes, "a changed bit in the last of several media, when the site keeps the others", ErrorIds.BundleVolumeAltered, r =>
        {
            HandMadeVolume split = Split(r);
            try
            {
                Wait(r.ImportAsync(split.Write(r, 1, 2, 3)));
            }
            catch (FeedException e) when (e.ErrorId == ErrorIds.BundleVolumeMissing)
            {
                // Kept until number 4 comes.
            }

            return [HandMadeVolume.Put(r.NewFolder(), 4, split.Part(4, p => Flip(p, 99)))];
        }),
        new(Volumes, "cut in what a part says of itself, in its content, at its end", ErrorIds.BundleVolumeTruncated, r =>
        {
            HandMadeVolume split = Split(r);
            byte[] part = split.Part(2);
            return
            [
                .. new[] { 0, 100, 512, 700, 2000, part.Length / 2, part.Length - 1024, part.Length - 1 }
                    .Select(at => HandMadeVolume.Put(split.Write(r), 2, part[..at])),
            ];
        }),
        new(Volumes, "bytes that are no part; something behind or between; a part that is not among its own", ErrorIds.BundleVolumeInvalid, r =>
        {
            HandMadeVolume split = Split(r);
            byte[] part = split.Part(2);
            return
            [
                HandMadeVolume.Put(split.Write(r), 2, Encoding.ASCII.GetBytes(new string('x', 4096))),
                HandMadeVolume.Put(split.Write(r), 2, File.ReadAllBytes(r.Imported)),
                HandMadeVolume.Put(split.Write(r), 2, [.. part, .. new byte[512]]),
                HandMadeVolume.Put(split.Write(r), 2, Flip(part, part.Length - 1)),
                HandMadeVolume.Put(split.Write(r), 2, Flip(part, 100)),
                .. new[] { "part-000", "part-005", "part-2", "part-+02", "part-99999999999", "../part-002" }
                    .Select(n => HandMadeVolume.Put(split.Write(r), 2, split.Part(2, name: n))),
            ];
        }),
        new(Volumes, "parts that say another sequence or stream than the snapshot that they carry; another snapshot", ErrorIds.BundleVolumeInvalid, r =>
        [
            Lie(r, i => i with { Sequence = 12 }),
            Lie(r, i => i with { Stream = Guid.NewGuid() }),
            Lie(r, i => i with { Snapshot = new string('a', 64) }),
            Lie(r, i => i with { Sequence = 0 }),
            Lie(r, i => i with { Parts = [.. i.Parts.Select(p => p with { Size = -1 })] }),
            Lie(r, i => i with { Signatures = [] }),
            Raw(r, i => i.Replace("\"sequence\":8", "\"sequence\":8,\"sequence\":8")),
            Raw(r, i => i.Replace("{\"format\"", " {\"format\"")),
            Raw(r, i => i.Replace("\"version\":1", "\"version\":1,\"run\":1")),
            Raw(r, _ => new string('[', 100_000)),
        ]),
        new(Volumes, "parts of another version", ErrorIds.BundleVersion, r => [Lie(r, i => i with { Version = 2 })]),
        new(Volumes, "more parts than there can be; an index or a content larger than any; a folder of thousands", ErrorIds.BundleVolumeLimit, r =>
        [
            Lie(r, i => i with { Parts = [.. Enumerable.Repeat(i.Parts[0], VolumeIndex.MaxParts + 1)] }),
            Raw(r, i => i + new string(' ', VolumeIndex.MaxBytes)),
            HandMadeVolume.Put(r.NewFolder(), 1, Lying(r, i => i with { Parts = [i.Parts[0], .. i.Parts.Skip(1).Select(p => p with { Size = 1L << 39 })] }).Part(1)),
            Many(r),
        ]),
        new(Volumes, "a snapshot in a part that unpacks to more than any document may have", ErrorIds.BundleLimit, r =>
        {
            HandMadeVolume split = Split(r).WithDocument(HandMadeBundle.Zstd(new byte[SnapshotDocument.MaxBytes + 1]));
            return [split.Write(r), split.Write(r, 2)];
        }),
        new(Volumes, "a link in a part's place", ErrorIds.BundleLink, r =>
        {
            HandMadeVolume split = Split(r);
            string folder = split.Write(r, 1, 3, 4);
            File.CreateSymbolicLink(Path.Combine(folder, "brought.vol002of999.qagvol"), r.Kit.Write("elsewhere", split.Part(2)));
            return [folder];
        }),
        new(Volumes, "some parts of a bundle whose signer the site does not trust: they are not kept", ErrorIds.BundleSignerUnknown, r =>
        {
            X509Certificate2 stranger = r.Pki.Issue(new CertificateSpec { Subject = "CN=Collector" });
            HandMadeVolume split = new(r.Write(Attacks.With(Noisy(r).Next(), b => b.Sign = d => [Pki.Sign(d, stranger)])), 4);
            return [split.Write(r, 1, 2), split.Write(r, 3), split.Write(r)];
        }),
        new(Volumes, "some parts of an expired bundle: they are not kept", ErrorIds.BundleExpired, r =>
            [Split(r, s => s with { Expires = Pki.Now.AddSeconds(-1) }).Write(r, 1, 2)]),
        new(Volumes, "some parts of a bundle below the site's sequence: they are not kept", ErrorIds.BundleSequence, r => [Split(r, s => s with { Sequence = 6 }).Write(r, 1, 2)]),
        new(Volumes, "a bundle that was altered and then split: every part is in order, and the whole is not", ErrorIds.BundleAltered, r =>
            [new HandMadeVolume(r.Write(Attacks.With(Noisy(r).Next(), b => b.ChangeEntries = e => e.Select((x, at) => at == 3 ? x with { Content = Flip(x.Content, 5) } : x))), 4).Write(r)]),
    ];

    /// <summary>Number 8 in four parts: its content is large enough for that.</summary>
    private static HandMadeVolume Split(AttackRig rig, Func<Snapshot, Snapshot>? change = null) => new(rig.Write(Noisy(rig).Next(change)), 4);

    private static AttackRig Noisy(AttackRig rig)
    {
        if (rig.Kit.Snapshot.Sources.All(s => s.Name != "debian"))
        {
            Wait(rig.Kit.WithAsync("debian", ("noise", Delta.Content.Noise(20_000, 5))));
        }

        return rig;
    }

    private static HandMadeVolume Lying(AttackRig rig, Func<VolumeIndex, VolumeIndex> lie)
    {
        HandMadeVolume split = Split(rig);
        split.Index = lie(split.Index);
        return split;
    }

    private static string Lie(AttackRig rig, Func<VolumeIndex, VolumeIndex> lie) => Lying(rig, lie).Write(rig);

    private static string Raw(AttackRig rig, Func<string, string> lie)
    {
        HandMadeVolume split = Split(rig);
        split.ChangeIndex = i => Encoding.UTF8.GetBytes(lie(Encoding.UTF8.GetString(i)));
        return split.Write(rig);
    }

    private static string Many(AttackRig rig)
    {
        string folder = rig.NewFolder();
        for (int i = 0; i <= VolumeFormat.MaxFiles; i++)
        {
            File.Create(Path.Combine(folder, $"{i}.qagvol")).Dispose();
        }

        return folder;
    }

    /// <summary>The first part in a folder, instead of the folder.</summary>
    private static string Named(string folder) => Directory.GetFiles(folder).Order(StringComparer.Ordinal).First();

    private static int Padded(int length) => (length + 511) / 512 * 512;

    private static byte[] Flip(byte[] content, int at)
    {
        byte[] changed = [.. content];
        changed[at] ^= 1;
        return changed;
    }

    private static byte[] Fit(byte[] content, int length)
    {
        byte[] fitted = [.. content];
        Array.Resize(ref fitted, length);
        return fitted;
    }

#pragma warning disable VSTHRD002 // the table's builders are plain functions; nothing else runs here
    private static void Wait(Task task) => task.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
}
