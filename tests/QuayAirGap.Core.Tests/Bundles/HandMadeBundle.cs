using System.Buffers.Binary;
using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace QuayAirGap.Core.Tests.Bundles;

/// <summary>One entry of an archive, with everything about it open to lies.</summary>
internal sealed record RawEntry(string Name, byte[] Content)
{
    public char Type { get; init; } = '0';

    public string Link { get; init; } = "";

    public long? Size { get; init; }

    public byte Padding { get; init; }

    public byte[] ToBytes()
    {
        byte[] block = new byte[512 + Content.Length + (-Content.Length & 511)];
        UstarHeader.Format(block.AsSpan(0, 512), "x", Size ?? Content.Length);
        block.AsSpan(0, 100).Clear();
        Encoding.Latin1.GetBytes(Name, block.AsSpan(0, 100));
        block[156] = (byte)Type;
        Encoding.Latin1.GetBytes(Link, block.AsSpan(157, 100));
        Seal(block);
        Content.CopyTo(block, 512);
        block.AsSpan(512 + Content.Length).Fill(Padding);
        return block;
    }

    /// <summary>Makes the checksum right again.</summary>
    public static void Seal(Span<byte> header)
    {
        "        "u8.CopyTo(header[148..]);
        int sum = 0;
        foreach (byte b in header[..512])
        {
            sum += b;
        }

        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0')).CopyTo(header[148..]);
        header[154] = 0;
        header[155] = (byte)' ';
    }
}

/// <summary>
/// Bundles put together piece by piece, truly signed, so that every piece can lie: what somebody who holds a key, or who has changed
/// what others signed, could bring.
/// </summary>
internal sealed class HandMadeBundle(BundleKit kit)
{
    public const string EmptyDigest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    /// <summary>Each source's layer as it will lie in the bundle.</summary>
    public Dictionary<string, byte[]> Layers { get; } = new(StringComparer.Ordinal);

    /// <summary>What the snapshot says of a layer, where that is not the truth.</summary>
    public Dictionary<string, Func<LayerDescriptor, LayerDescriptor>> Claims { get; } = new(StringComparer.Ordinal);

    public Func<Snapshot, Snapshot> ChangeSnapshot { get; set; } = s => s;

    public Func<byte[], byte[]> ChangeDocument { get; set; } = d => d;

    public Func<byte[], IReadOnlyList<byte[]>>? Sign { get; set; }

    /// <summary>Layers instead of those of the kit's sources.</summary>
    public IReadOnlyList<byte[]>? ReplaceLayers { get; set; }

    /// <summary>How the document is packed; null where it travels as it is, as in bundles before the packed form.</summary>
    public Func<byte[], byte[]>? PackSnapshot { get; set; }

    public Func<string, string> ChangeManifest { get; set; } = m => m;

    public Func<string, string> ChangeIndex { get; set; } = i => i;

    public Func<List<RawEntry>, IEnumerable<RawEntry>> ChangeEntries { get; set; } = e => e;

    public Func<byte[], byte[]> ChangeArchive { get; set; } = a => a;

    public static byte[] Tar(IEnumerable<RawEntry> entries, int end = 1024) => [.. entries.SelectMany(e => e.ToBytes()), .. new byte[end]];

    public static byte[] Zstd(byte[] tar, int level = 3, int? windowLog = null, bool pledge = true)
    {
        using var compressor = new Compressor(level);
        if (windowLog is { } log)
        {
            compressor.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, log);
        }

        if (pledge)
        {
            return compressor.Wrap(tar).ToArray();
        }

        using var packed = new MemoryStream();
        using (var stream = new CompressionStream(packed, compressor, 0, preserveCompressor: true, leaveOpen: true))
        {
            stream.Write(tar);
        }

        return packed.ToArray();
    }

    /// <summary>The true entries of a source's layer.</summary>
    public List<RawEntry> EntriesOf(string source) =>
    [
        .. SourceLayer.EntriesOf(kit.Snapshot.Sources.Single(s => s.Name == source))
            .Select(e => new RawEntry(SourceLayer.NameOf(e.Sha256), File.ReadAllBytes(kit.Outside.Store.PathOf(e.Sha256)))),
    ];

    public byte[] Build()
    {
        var sources = new List<SourceSnapshot>();
        var layers = new List<byte[]>();
        foreach (SourceSnapshot source in kit.Snapshot.Sources)
        {
            if (source.Files.Count == 0)
            {
                sources.Add(source);
                continue;
            }

            byte[] layer = Layers.TryGetValue(source.Name, out byte[]? given) ? given : Zstd(Tar(EntriesOf(source.Name)));
            layers.Add(layer);
            var claim = new LayerDescriptor(Sha256Digest.Of(layer), layer.Length, SourceLayer.TarSizeOf(SourceLayer.EntriesOf(source)));
            sources.Add(source with { Layer = Claims.TryGetValue(source.Name, out var change) ? change(claim) : claim });
        }

        byte[] document = ChangeDocument(SnapshotDocument.Serialize(ChangeSnapshot(kit.Snapshot with { Sources = sources })));
        IReadOnlyList<byte[]> signatures = Sign?.Invoke(document) ?? [kit.Signer.Sign(document)];
        layers = ReplaceLayers is { } replaced ? [.. replaced] : layers;
        byte[] carried = PackSnapshot?.Invoke(document) ?? document;
        string[] descriptors =
        [
            Descriptor(PackSnapshot is null ? BundleFormat.SnapshotType : BundleFormat.PackedSnapshotType, carried),
            .. signatures.Select(s => Descriptor(BundleFormat.SignatureType, s)),
            .. layers.Select(l => Descriptor(BundleFormat.SourceType, l)),
        ];
        byte[] manifest = Encoding.UTF8.GetBytes(ChangeManifest(
            $$"""{"schemaVersion":2,"mediaType":"{{BundleFormat.ManifestType}}","artifactType":"{{BundleFormat.ArtifactType}}","config":{"mediaType":"{{BundleFormat.EmptyType}}","digest":"sha256:{{EmptyDigest}}","size":2},"layers":[{{string.Join(',', descriptors)}}]}"""));
        byte[] index = Encoding.UTF8.GetBytes(ChangeIndex(
            $$"""{"schemaVersion":2,"mediaType":"{{BundleFormat.IndexType}}","manifests":[{{Descriptor(BundleFormat.ManifestType, manifest)}}]}"""));
        List<RawEntry> entries =
        [
            new("oci-layout", BundleFormat.Layout.ToArray()),
            .. layers.Append(carried).Concat(signatures).Append("{}"u8.ToArray()).Append(manifest).DistinctBy(Sha)
                .Select(b => new RawEntry(BundleFormat.BlobName(Sha(b)), b)),
            new("index.json", index),
        ];
        return ChangeArchive(Tar(ChangeEntries(entries)));
    }

    public static string Descriptor(string type, byte[] content) =>
        $$"""{"mediaType":"{{type}}","digest":"sha256:{{Sha(content)}}","size":{{content.Length}}}""";

    public static string Sha(byte[] content) => Sha256Digest.Of(content);

    /// <summary>A header whose size is in base-256, as for files of 8 GiB and more.</summary>
    public static byte[] WithBinarySize(byte[] entry, long size)
    {
        byte[] changed = [.. entry];
        changed.AsSpan(124, 12).Clear();
        changed[124] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(changed.AsSpan(128), size);
        RawEntry.Seal(changed);
        return changed;
    }
}
