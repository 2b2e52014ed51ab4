using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// A bundle as it lies there, a file or a folder: well formed, but nothing in it is trusted yet. Only <see cref="BundleVerifier"/> says
/// whether it may be believed.
/// </summary>
public sealed class Bundle
{
    private readonly Lazy<Snapshot> _snapshot;
    private readonly Lazy<IReadOnlyList<string>> _subjects;

    private Bundle(
        string path, long size, byte[] snapshot, string sha256, IReadOnlyList<byte[]> signatures, Dictionary<string, ContentExtent> contents,
        ArchiveBytes? archive)
    {
        Path = path;
        Size = size;
        SnapshotBytes = snapshot;
        SnapshotSha256 = sha256;
        Signatures = signatures;
        Contents = contents;
        Archive = archive;
        _snapshot = new Lazy<Snapshot>(() => SnapshotDocument.Parse(snapshot));
        _subjects = new Lazy<IReadOnlyList<string>>(() => [.. signatures.Select(SignatureVerifier.ClaimedSubject)]);
    }

    public string Path { get; }

    /// <summary>Bytes of the file, or of all files of the folder.</summary>
    public long Size { get; }

    /// <summary>The document that is signed.</summary>
    public ReadOnlyMemory<byte> SnapshotBytes { get; }

    /// <summary>SHA-256 of the document, 64 lower-case hexadecimal digits: the name of what the bundle carries.</summary>
    public string SnapshotSha256 { get; }

    /// <summary>What the document says. Unverified.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleInvalid"/>, <see cref="ErrorIds.BundleLimit"/> or
    /// <see cref="ErrorIds.BundleVersion"/></exception>
    public Snapshot Snapshot => _snapshot.Value;

    /// <summary>Detached CMS signatures of the document, in DER. Unverified.</summary>
    public IReadOnlyList<byte[]> Signatures { get; }

    /// <summary>Who the signatures say that they are from. Unverified.</summary>
    public IReadOnlyList<string> SignerSubjects => _subjects.Value;

    /// <summary>The volumes that it lies in; null where it is one file or a folder layout.</summary>
    public VolumeSet? Volumes { get; private init; }

    /// <summary>Whether all of it is there. Of one in volumes that are not all there only what each of them says is known: snapshot and signatures.</summary>
    public bool IsWhole => Volumes is null || Volumes.Missing.Count == 0;

    /// <summary>Its bytes in one row; null for a folder layout, and where volumes are missing.</summary>
    internal ArchiveBytes? Archive { get; }

    /// <summary>Every file of it, by name. Empty where volumes are missing.</summary>
    internal IReadOnlyDictionary<string, ContentExtent> Contents { get; }

    /// <summary>The source layers by digest.</summary>
    internal IReadOnlyDictionary<string, ContentExtent> Layers { get; private init; } = new Dictionary<string, ContentExtent>();

    /// <param name="path">A file (tar), a folder with an OCI image layout, a folder with volumes, or one of them; absolute.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleNotFound"/>, <see cref="ErrorIds.BundleInvalid"/>,
    /// <see cref="ErrorIds.BundleTruncated"/>, <see cref="ErrorIds.BundleAltered"/>, <see cref="ErrorIds.BundleLimit"/>,
    /// <see cref="ErrorIds.BundleExtraContent"/> or <see cref="ErrorIds.BundleMissingContent"/></exception>
    public static Bundle Open(string path) => Guarded(path, () =>
        VolumeSet.IsAt(path) ? Open(VolumeSet.Read(path).ThrowIfIncomplete())
        : Directory.Exists(path) ? Read(path, BundleContents.ReadFolder(ThrowIfBundlesLieIn(path)), null, null)
        : File.Exists(path) ? Read(path, ArchiveBytes.OfFile(path), null)
        : throw new FeedException(ErrorIds.BundleNotFound, $"There is no bundle at '{path}'.", path, "Correct the path."));

    /// <summary>Whoever names the folder of a medium means a bundle in it, and it is not damaged.</summary>
    private static string ThrowIfBundlesLieIn(string path) =>
        !File.Exists(System.IO.Path.Combine(path, BundleFormat.LayoutName)) && Directory.EnumerateFiles(path, "*.tar").FirstOrDefault() is { } first
            ? throw new FeedException(
                ErrorIds.BundleNotFound, $"'{path}' is a folder that bundles lie in, and no bundle itself.", path,
                $"Name the bundle, such as '{first}'. Import-ClairFeed -DropFolder takes every bundle of a folder.")
            : path;

    /// <summary>As <see cref="Open(string)"/>, and where volumes are missing, what those that are there say (<see cref="IsWhole"/>).</summary>
    /// <exception cref="FeedException">As <see cref="Open(string)"/>, but for missing volumes</exception>
    public static Bundle OpenOrPart(string path) => VolumeSet.IsAt(path) ? Guarded(path, () => Open(VolumeSet.Read(path).ThrowIfBad())) : Open(path);

    /// <summary>A bundle in volumes: all of it where they are all there, else what each of them says of it (<see cref="IsWhole"/>).</summary>
    /// <exception cref="FeedException">As <see cref="Open(string)"/>; where the volumes themselves are to blame, which of them.</exception>
    internal static Bundle Open(VolumeSet volumes)
    {
        VolumeOpening opening = volumes.Opening;
        if (volumes.Missing.Count > 0)
        {
            return new Bundle(volumes.Path, volumes.Index.TotalSize, opening.Document, volumes.Index.Snapshot, opening.Signatures, new(), null) { Volumes = volumes };
        }

        try
        {
            return Guarded(volumes.Path, () =>
            {
                Bundle bundle = Read(volumes.Path, volumes.ToArchive(), volumes);
                return bundle.SnapshotSha256 == volumes.Index.Snapshot
                    ? bundle
                    : throw VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, volumes.Path, "its parts say that they are of another bundle than they are");
            });
        }
        catch (FeedException e) when (e.ErrorId is not ErrorIds.BundleVolumeInvalid)
        {
            // Before anything is said of the bundle: is it one of the parts?
            volumes.ThrowIfAltered(CancellationToken.None);
            throw;
        }
    }

    private static Bundle Guarded(string path, Func<Bundle> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw BundleErrors.Invalid(path, e.Message, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.BundleInvalid, $"The bundle '{path}' cannot be read: {e.Message}", path,
                "Check the medium and this account's access rights, or copy the bundle to a disk first.", e);
        }
    }

    private static Bundle Read(string path, ArchiveBytes archive, VolumeSet? volumes) =>
        Read(path, BundleContents.ReadArchive(archive), archive, volumes);

    private static Bundle Read(string path, Dictionary<string, ContentExtent> contents, ArchiveBytes? archive, VolumeSet? volumes)
    {
        long size = archive?.Length ?? contents.Values.Sum(c => c.Size);
        OciLayout layout = Parse(ReadDocument(path, contents, BundleFormat.LayoutName, BundleFormat.MaxLayoutBytes), OciJson.Default.OciLayout);
        Demand(layout.ImageLayoutVersion == "1.0.0", $"its OCI layout has version '{layout.ImageLayoutVersion}'");
        OciIndex index = Parse(ReadDocument(path, contents, BundleFormat.IndexName, BundleFormat.MaxDocumentBytes), OciJson.Default.OciIndex);
        Demand(index.SchemaVersion == 2 && index.MediaType is null or BundleFormat.IndexType, "its index is of another kind");
        Demand(index.Manifests is { Count: 1 } && index.Manifests[0] is not null, "its index must name exactly one manifest");
        OciDescriptor descriptor = index.Manifests[0];
        Demand(descriptor.MediaType == BundleFormat.ManifestType, "its index names something else than a manifest");
        BundleErrors.ThrowIfLater(path, descriptor.ArtifactType);
        Demand(descriptor.ArtifactType is null or BundleFormat.ArtifactType, "it is another artifact");

        var used = new HashSet<string>(StringComparer.Ordinal) { BundleFormat.LayoutName, BundleFormat.IndexName };
        OciManifest manifest = Parse(ReadBlob(path, contents, descriptor, BundleFormat.MaxDocumentBytes, used), OciJson.Default.OciManifest);
        Demand(manifest.SchemaVersion == 2 && manifest.MediaType == BundleFormat.ManifestType, "its manifest is of another kind");
        BundleErrors.ThrowIfLater(path, manifest.ArtifactType);
        Demand(manifest.ArtifactType == BundleFormat.ArtifactType, "it is another artifact");
        Demand(manifest.Config is { MediaType: BundleFormat.EmptyType } && manifest.Layers is not null, "its manifest is of another kind");
        Demand(
            ReadBlob(path, contents, manifest.Config, BundleFormat.EmptyConfig.Length, used).AsSpan().SequenceEqual(BundleFormat.EmptyConfig),
            "its configuration is not empty");

        byte[]? snapshot = null;
        var signatures = new List<byte[]>();
        var layers = new Dictionary<string, ContentExtent>(StringComparer.Ordinal);
        foreach (OciDescriptor layer in manifest.Layers!)
        {
            switch (layer?.MediaType)
            {
                case BundleFormat.SnapshotType when snapshot is null:
                    snapshot = ReadBlob(path, contents, layer, SnapshotDocument.MaxBytes, used);
                    break;
                case BundleFormat.PackedSnapshotType when snapshot is null:
                    snapshot = SnapshotPacking.Unpack(path, ReadBlob(path, contents, layer, SnapshotDocument.MaxBytes, used));
                    break;
                case BundleFormat.SignatureType when signatures.Count < SignatureVerifier.MaxSignatures:
                    signatures.Add(ReadBlob(path, contents, layer, SignatureVerifier.MaxSignatureBytes, used));
                    break;
                case BundleFormat.SignatureType:
                    throw BundleErrors.Limit(path, $"it has more than {SignatureVerifier.MaxSignatures} signatures");
                case BundleFormat.SourceType:
                    layers[layer.Sha256 ?? ""] = Find(path, contents, layer, long.MaxValue, used);
                    break;
                default:
                    BundleErrors.ThrowIfLater(path, layer?.MediaType);
                    throw new FormatException($"its manifest has a layer that this version does not know or expect: '{layer?.MediaType}'");
            }
        }

        string? stray = contents.Keys.FirstOrDefault(name => !used.Contains(name));
        return stray is not null ? throw BundleErrors.Extra(path, $"nothing refers to '{stray}'")
            : snapshot is null ? throw BundleErrors.Missing(path, "it has no snapshot")
            : new Bundle(path, size, snapshot, Sha256Digest.Of(snapshot), signatures, contents, archive) { Layers = layers, Volumes = volumes };
    }

    private static byte[] ReadDocument(string path, Dictionary<string, ContentExtent> contents, string name, int limit)
    {
        if (!contents.TryGetValue(name, out ContentExtent extent))
        {
            throw BundleErrors.Invalid(path, $"it has no '{name}'");
        }

        return extent.Size == 0 ? throw BundleErrors.Truncated(path, $"'{name}' is empty")
            : extent.Size <= limit ? extent.ReadAll()
            : throw BundleErrors.Limit(path, $"'{name}' has {extent.Size} bytes");
    }

    private static byte[] ReadBlob(string path, Dictionary<string, ContentExtent> contents, OciDescriptor descriptor, long limit, HashSet<string> used)
    {
        byte[] content = Find(path, contents, descriptor, limit, used).ReadAll();
        return Sha256Digest.Of(content) == descriptor.Sha256
            ? content
            : throw BundleErrors.Altered(path, $"the content of '{BundleFormat.BlobName(descriptor.Sha256!)}' has another SHA-256");
    }

    private static ContentExtent Find(
        string path, Dictionary<string, ContentExtent> contents, OciDescriptor descriptor, long limit, HashSet<string> used)
    {
        string sha256 = descriptor.Sha256 ?? throw new FormatException("it names content by something else than a SHA-256");
        string name = BundleFormat.BlobName(sha256);
        Demand(descriptor.Size > 0, $"'{name}' is said to be empty");
        if (descriptor.Size > limit)
        {
            throw BundleErrors.Limit(path, $"'{name}' has {descriptor.Size} bytes; {limit} are allowed");
        }

        if (!contents.TryGetValue(name, out ContentExtent extent))
        {
            throw BundleErrors.Missing(path, $"'{name}' is not there");
        }

        used.Add(name);
        return extent.Size == descriptor.Size ? extent
            : extent.Size < descriptor.Size ? throw BundleErrors.Truncated(path, $"'{name}' has {extent.Size} of {descriptor.Size} bytes")
            : throw BundleErrors.Extra(path, $"'{name}' has {extent.Size} bytes where {descriptor.Size} are expected");
    }

    private static T Parse<T>(byte[] document, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(document, type) ?? throw new JsonException("a document of it is empty");

    private static void Demand(bool holds, string what)
    {
        if (!holds)
        {
            throw new FormatException(what);
        }
    }
}
