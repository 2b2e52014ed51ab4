using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Core.Bundles;

/// <summary>Writes a snapshot and the content that it lists into one signed file, in one pass.</summary>
public static class BundleWriter
{
    private const string PartialSuffix = ".partial";

    /// <summary>
    /// Writes to PATH.partial in the destination's folder, flushes it to disk and renames it. Equal snapshots and content give equal
    /// files, signatures apart. A kill leaves only the partial file; the next bundle in that folder removes it.
    /// </summary>
    /// <param name="path">The file; absolute. Its folder must be there.</param>
    /// <param name="snapshot">Without layers: each source with files gets one; in a delta, each that says what of it travels.</param>
    /// <param name="store">Has the content.</param>
    /// <param name="signers">At least one.</param>
    /// <param name="overwrite">Whether a file of that name is replaced.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.DestinationInvalid"/>, <see cref="ErrorIds.DiskFull"/>,
    /// <see cref="ErrorIds.BlobMissing"/> or <see cref="ErrorIds.BlobDamaged"/></exception>
    public static Task<WrittenBundle> WriteAsync(
        string path, Snapshot snapshot, BlobStore store, IReadOnlyList<BundleSigner> signers, IProgress<FeedProgress>? progress,
        CancellationToken cancellationToken, bool overwrite = false) =>
        WriteAsync(path, snapshot, store.OpenRead, signers, progress, overwrite, cancellationToken);

    /// <param name="open">Opens the content, or a delta's patch, with a SHA-256.</param>
    internal static async Task<WrittenBundle> WriteAsync(
        string path, Snapshot snapshot, Func<string, FileStream> open, IReadOnlyList<BundleSigner> signers, IProgress<FeedProgress>? progress,
        bool overwrite, CancellationToken cancellationToken)
    {
        if (signers.Count is 0 or > SignatureVerifier.MaxSignatures)
        {
            throw new ArgumentException($"A bundle is signed by 1 to {SignatureVerifier.MaxSignatures} signers.", nameof(signers));
        }

        string? folder = Path.GetDirectoryName(path);
        if (!Path.IsPathFullyQualified(path) || folder is null || !Directory.Exists(folder))
        {
            throw Invalid(path, $"The folder '{folder}' is not there.", "Create it, or name another.");
        }

        if (Directory.Exists(path) || (File.Exists(path) && !overwrite))
        {
            throw Invalid(path, $"'{path}' is there already.", "A bundle never replaces another file unless it is told to. Name another file, or move this one away.");
        }

        SnapshotRules.Check(snapshot);
        string partial = path + PartialSuffix;
        try
        {
            SweepPartials(folder);
            try
            {
                WrittenBundle written;
                await using (FileStream file = Create(partial))
                {
                    written = await WriteAsync(file, path, snapshot, open, signers, progress, cancellationToken).ConfigureAwait(false);
                    await file.FlushAsync(cancellationToken).ConfigureAwait(false);
                    FlushToDisk(file);
                }

                cancellationToken.ThrowIfCancellationRequested();
                Durable.Rename(partial, path, overwrite);
                Durable.FlushFolder(folder);
                return written;
            }
            catch (Exception e) when (e is not FeedException { ErrorId: ErrorIds.DestinationInvalid })
            {
                File.Delete(partial);
                throw;
            }
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(
                path, $"The bundle cannot be written to '{path}': {e.Message}",
                "Check this account's access rights; a FAT file system takes no files of 4 GiB or more (exFAT and NTFS do).", e);
        }
    }

    private static async Task<WrittenBundle> WriteAsync(
        FileStream file, string path, Snapshot snapshot, Func<string, FileStream> open, IReadOnlyList<BundleSigner> signers, IProgress<FeedProgress>? progress,
        CancellationToken cancellationToken)
    {
        await WriteEntryAsync(file, BundleFormat.LayoutName, BundleFormat.Layout.ToArray(), cancellationToken).ConfigureAwait(false);
        var layers = new List<OciDescriptor>();
        var sources = new List<SourceSnapshot>();
        var written = new HashSet<string>(StringComparer.Ordinal);
        var behind = new WriteBehind(file.SafeFileHandle);
        foreach (SourceSnapshot source in snapshot.Sources)
        {
            if (source.Files.Count == 0 || (snapshot.Base is not null && source.Delta is null))
            {
                sources.Add(source with { Layer = null });
                continue;
            }

            LayerDescriptor layer = await WriteLayerAsync(file, behind, source, open, written, progress, cancellationToken).ConfigureAwait(false);
            sources.Add(source with { Layer = layer });
            layers.Add(OciDescriptor.Of(BundleFormat.SourceType, layer.Sha256, layer.Size, source.Name + ".tar.zst"));
        }

        Snapshot complete = snapshot with { Sources = sources };
        byte[] document = SnapshotDocument.Serialize(complete);
        byte[][] signatures = [.. signers.Select(s => s.Sign(document))];
        var small = new List<OciDescriptor>
        {
            await WriteBlobAsync(file, BundleFormat.PackedSnapshotType, SnapshotPacking.Pack(document), "snapshot.json.zst", written, cancellationToken)
                .ConfigureAwait(false),
        };
        for (int i = 0; i < signatures.Length; i++)
        {
            string title = $"snapshot.{(i + 1).ToString(System.Globalization.CultureInfo.InvariantCulture)}.p7s";
            small.Add(await WriteBlobAsync(file, BundleFormat.SignatureType, signatures[i], title, written, cancellationToken).ConfigureAwait(false));
        }

        var manifest = new OciManifest
        {
            SchemaVersion = 2,
            MediaType = BundleFormat.ManifestType,
            ArtifactType = BundleFormat.ArtifactType,
            Config = await WriteBlobAsync(file, BundleFormat.EmptyType, BundleFormat.EmptyConfig.ToArray(), null, written, cancellationToken).ConfigureAwait(false),

            // Two sources with the same content share a layer, and registries want each named once.
            Layers = [.. small, .. layers.DistinctBy(l => l.Digest)],
        };
        OciDescriptor manifestDescriptor =
            await WriteBlobAsync(file, BundleFormat.ManifestType, OciText.Write(manifest), null, written, cancellationToken).ConfigureAwait(false);

        // No annotations: the index is the one document that no digest covers, and a bit of it without meaning could change unseen.
        var index = new OciIndex { SchemaVersion = 2, MediaType = BundleFormat.IndexType, Manifests = [manifestDescriptor] };
        await WriteEntryAsync(file, BundleFormat.IndexName, OciText.Write(index), cancellationToken).ConfigureAwait(false);
        await file.WriteAsync(new byte[SourceLayer.EndSize], cancellationToken).ConfigureAwait(false);
        return new WrittenBundle(path, complete, document, Sha256Digest.Of(document), signatures, file.Position);
    }

    /// <summary>A layer's name and size are known when it is written: its header is left blank first and filled in afterwards.</summary>
    private static async Task<LayerDescriptor> WriteLayerAsync(
        FileStream file, WriteBehind behind, SourceSnapshot source, Func<string, FileStream> open, HashSet<string> written, IProgress<FeedProgress>? progress,
        CancellationToken cancellationToken)
    {
        byte[] header = new byte[UstarHeader.BlockSize];
        long start = file.Position;
        await file.WriteAsync(header, cancellationToken).ConfigureAwait(false);
        LayerDescriptor layer = await new LayerWriter(source, open, progress).WriteAsync(file, behind, cancellationToken).ConfigureAwait(false);
        if (!written.Add(layer.Sha256))
        {
            file.SetLength(start);
            file.Position = start;
            return layer;
        }

        await file.WriteAsync(new byte[UstarHeader.Padding(layer.Size)], cancellationToken).ConfigureAwait(false);
        long end = file.Position;
        UstarHeader.Format(header, BundleFormat.BlobName(layer.Sha256), layer.Size);
        file.Position = start;
        await file.WriteAsync(header, cancellationToken).ConfigureAwait(false);
        file.Position = end;
        return layer;
    }

    private static async Task<OciDescriptor> WriteBlobAsync(
        FileStream file, string mediaType, byte[] content, string? title, HashSet<string> written, CancellationToken cancellationToken)
    {
        string sha256 = Sha256Digest.Of(content);
        if (written.Add(sha256))
        {
            await WriteEntryAsync(file, BundleFormat.BlobName(sha256), content, cancellationToken).ConfigureAwait(false);
        }

        return OciDescriptor.Of(mediaType, sha256, content.Length, title);
    }

    private static async Task WriteEntryAsync(FileStream file, string name, byte[] content, CancellationToken cancellationToken)
    {
        byte[] header = new byte[UstarHeader.BlockSize];
        UstarHeader.Format(header, name, content.Length);
        await file.WriteAsync(header, cancellationToken).ConfigureAwait(false);
        await file.WriteAsync(content, cancellationToken).ConfigureAwait(false);
        await file.WriteAsync(new byte[UstarHeader.Padding(content.Length)], cancellationToken).ConfigureAwait(false);
    }

    private static FileStream Create(string partial)
    {
        try
        {
            return new FileStream(partial, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0,
                Options = FileOptions.Asynchronous,
            });
        }
        catch (Exception e) when ((e is IOException or UnauthorizedAccessException) && !Site.IsFull(e))
        {
            // Not ours to delete: another run may be writing it.
            throw Invalid(partial, $"'{partial}' cannot be written: {e.Message}", "Name a folder that this account may write to; wait if another run is writing there.", e);
        }
    }

    /// <summary>
    /// Removes what killed runs left in this folder. Ours is told by its first block, and a run that is alive by its hold on the file.
    /// </summary>
    private static void SweepPartials(string folder)
    {
        byte[] expected = new byte[UstarHeader.BlockSize];
        byte[] found = new byte[UstarHeader.BlockSize];
        UstarHeader.Format(expected, BundleFormat.LayoutName, BundleFormat.Layout.Length);
        foreach (string left in Directory.EnumerateFiles(folder, "*" + PartialSuffix))
        {
            try
            {
                using var file = new FileStream(left, FileMode.Open, FileAccess.ReadWrite, FileShare.Delete, 1);
                if (file.ReadAtLeast(found, found.Length, throwOnEndOfStream: false) == found.Length && found.AsSpan().SequenceEqual(expected))
                {
                    File.Delete(left);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Held by a run that is alive, or somebody else's: it stays.
            }
        }
    }

    private static void FlushToDisk(FileStream file) => Durable.Flush(file);

    private static FeedException Invalid(string path, string message, string remedy, Exception? cause = null) =>
        new(ErrorIds.DestinationInvalid, message, path, remedy, cause);
}
