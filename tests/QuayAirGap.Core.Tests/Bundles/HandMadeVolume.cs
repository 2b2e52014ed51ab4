using QuayAirGap.Core.Bundles;

namespace QuayAirGap.Core.Tests.Bundles;

/// <summary>Parts of a bundle put together piece by piece, so that every word of them can lie.</summary>
internal sealed class HandMadeVolume
{
    private readonly byte[] _document;
    private readonly IReadOnlyList<byte[]> _signatures;
    private readonly byte[][] _pieces;

    /// <param name="bundle">A bundle file.</param>
    /// <param name="parts">How many parts it is cut into.</param>
    public HandMadeVolume(string bundle, int parts)
    {
        Bundle opened = Bundle.Open(bundle);
        byte[] archive = File.ReadAllBytes(bundle);
        _document = SnapshotPacking.Pack(opened.SnapshotBytes.Span);
        _signatures = opened.Signatures;
        _pieces = [.. archive.Chunk((archive.Length + parts - 1) / parts)];
        Index = new VolumeIndex
        {
            Stream = opened.Snapshot.Stream,
            Sequence = opened.Snapshot.Sequence,
            Snapshot = opened.SnapshotSha256,
            Document = Of(_document),
            Signatures = [.. _signatures.Select(Of)],
            Parts = [.. _pieces.Select(Of)],
        };
    }

    public VolumeIndex Index { get; set; }

    /// <summary>The bytes of the index as they lie in every part.</summary>
    public Func<byte[], byte[]> ChangeIndex { get; set; } = i => i;

    /// <summary>The packed snapshot as it lies in every part; the index tells the truth of it.</summary>
    public HandMadeVolume WithDocument(byte[] document)
    {
        Document = document;
        Index = Index with { Document = Of(document) };
        return this;
    }

    private byte[]? Document { get; set; }

    public static VolumeContent Of(byte[] content) => new(HandMadeBundle.Sha(content), content.Length);

    /// <summary>The file of one part.</summary>
    public byte[] Part(int number, Func<byte[], byte[]>? changePiece = null, string? name = null)
    {
        byte[] piece = _pieces[number - 1];
        piece = changePiece?.Invoke([.. piece]) ?? piece;
        return HandMadeBundle.Tar(
        [
            new RawEntry("volume.json", ChangeIndex(Index.ToBytes())),
            new RawEntry("snapshot.json.zst", Document ?? _document),
            .. _signatures.Select((s, i) => new RawEntry($"snapshot.{i + 1}.p7s", s)),
            new RawEntry(name ?? $"part-{number:D3}", piece),
        ]);
    }

    /// <summary>A folder with those parts, or all of them.</summary>
    public string Write(AttackRig rig, params int[] numbers)
    {
        string folder = rig.NewFolder();
        foreach (int number in numbers.Length > 0 ? numbers : [.. Enumerable.Range(1, _pieces.Length)])
        {
            Put(folder, number, Part(number));
        }

        return folder;
    }

    public static string Put(string folder, int number, byte[] part)
    {
        File.WriteAllBytes(Path.Combine(folder, $"brought.vol{number:D3}of999.qagvol"), part);
        return folder;
    }
}
