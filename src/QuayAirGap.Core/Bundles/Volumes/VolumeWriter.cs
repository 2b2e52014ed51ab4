using System.Security.Cryptography;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// Splits a bundle for media that are smaller than it. Each part is written beside under a name of its own, and all of them are renamed when the last one
/// is on disk; a kill leaves unfinished files, which the next split into that folder removes, or some of the parts, which say themselves what is missing.
/// </summary>
public static class VolumeWriter
{
    private const string PartialSuffix = ".partial";

    /// <summary>Bytes that a part may have on a medium of that size: what people call 4.7 GB has no room for 4.7 GB of file.</summary>
    public static long PartSizeOf(long mediumSize) => mediumSize - VolumeFormat.MediumReserve;

    /// <summary>The bundle's name in the name of its file, or of one of its parts.</summary>
    public static string BundleNameOf(string path) => VolumeSet.BundleNameOf(path);

    /// <param name="bundle">A bundle file, or one in volumes.</param>
    /// <param name="folder">Is there; absolute.</param>
    /// <param name="name">What the names of the parts begin with.</param>
    /// <param name="partSize">The most bytes that a part's file may have.</param>
    /// <param name="overwrite">Whether parts of that name are replaced.</param>
    /// <param name="verify">Reads the bundle's content first: damage that is split is hard to find. Needs no trust.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.VolumeSizeInvalid"/>, <see cref="ErrorIds.DestinationInvalid"/>, <see cref="ErrorIds.DiskFull"/>,
    /// or what is wrong with the bundle</exception>
    public static async Task<VolumeSet> SplitAsync(
        Bundle bundle, string folder, string name, long partSize, bool overwrite, IProgress<FeedProgress>? progress, CancellationToken cancellationToken,
        bool verify = false)
    {
        byte[] document = SnapshotPacking.Pack(bundle.SnapshotBytes.Span);
        ArchiveBytes archive = bundle.Archive ?? throw Invalid(
            bundle.Path, $"'{bundle.Path}' is a folder layout; only bundle files are split.", $"Pack it first: tar -C '{bundle.Path}' -cf bundle.tar oci-layout index.json blobs.");
        VolumeIndex index = Plan(bundle, document, archive.Length, partSize);
        if (!Directory.Exists(folder))
        {
            throw Invalid(folder, $"The folder '{folder}' is not there.", "Create it, or name another.");
        }

        string[] paths = [.. Enumerable.Range(1, index.Parts.Count).Select(n => Path.Combine(folder, VolumeFormat.FileName(name, n, index.Parts.Count)))];
        if (paths.FirstOrDefault(p => Directory.Exists(p) || (File.Exists(p) && !overwrite)) is { } there)
        {
            throw Invalid(there, $"'{there}' is there already.", "Name another folder, move this one away, or give -Force.");
        }

        if (verify)
        {
            await BundleVerifier.VerifyContentAsync(bundle, null, folder, progress, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            SweepPartials(folder);
            index = await WriteAllAsync(paths, archive, index, document, bundle.Signatures, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            foreach (string path in paths)
            {
                File.Delete(path + PartialSuffix);
            }

            throw e switch
            {
                IOException full when Site.IsFull(full) => Site.DiskFull(folder, full),
                IOException or UnauthorizedAccessException => Invalid(
                    folder, $"The parts cannot be written to '{folder}': {e.Message}",
                    "Check this account's access rights; a FAT file system takes no files of 4 GiB or more: give a smaller -VolumeSize.", e),
                _ => e,
            };
        }

        return VolumeSet.Of(paths[0], paths.Select(VolumePart.Read), []).ThrowIfIncomplete();
    }

    /// <summary>Sizes are known before anything is read; digests take their place at the end, and have all one length.</summary>
    private static VolumeIndex Plan(Bundle bundle, byte[] document, long total, long partSize)
    {
        var index = new VolumeIndex
        {
            Stream = bundle.Snapshot.Stream,
            Sequence = bundle.Snapshot.Sequence,
            Snapshot = bundle.SnapshotSha256,
            Document = new VolumeContent(Sha256Digest.Of(document), document.Length),
            Signatures = [.. bundle.Signatures.Select(s => new VolumeContent(Sha256Digest.Of(s), s.Length))],
            Parts = [],
        };
        string blank = new('0', 64);

        // More parts make the index longer, and so the pieces smaller: two rounds at most change the count.
        for (int count = 1; count <= VolumeIndex.MaxParts;)
        {
            index = index with { Parts = [.. Enumerable.Repeat(new VolumeContent(blank, long.MaxValue), count)] };
            long around = VolumeFormat.FileLength(index with { Parts = [new VolumeContent(blank, 1)] }, index.ToBytes().Length, 1) - UstarHeader.BlockSize;
            long piece = (partSize - around) / UstarHeader.BlockSize * UstarHeader.BlockSize;
            if (piece < Math.Min(VolumeFormat.MinPiece, total))
            {
                throw new FeedException(
                    ErrorIds.VolumeSizeInvalid, $"Parts of {partSize} bytes have no room for this bundle: what each part says of it takes {around} bytes.", bundle.Path,
                    "Give a larger -VolumeSize.");
            }

            long needed = (total + piece - 1) / piece;
            if (needed <= count)
            {
                return index with { Parts = [.. Enumerable.Range(0, (int)needed).Select(i => new VolumeContent(blank, Math.Min(piece, total - (i * piece))))] };
            }

            count = (int)Math.Min(needed, VolumeIndex.MaxParts + 1);
        }

        throw new FeedException(
            ErrorIds.VolumeSizeInvalid, $"Parts of {partSize} bytes would be more than {VolumeIndex.MaxParts}: the bundle has {total} bytes.", bundle.Path,
            "Give a larger -VolumeSize.");
    }

    private static async Task<VolumeIndex> WriteAllAsync(
        string[] paths, ArchiveBytes archive, VolumeIndex index, byte[] document, IReadOnlyList<byte[]> signatures, IProgress<FeedProgress>? progress,
        CancellationToken cancellationToken)
    {
        int indexLength = index.ToBytes().Length;
        var parts = new List<VolumeContent>();
        long from = 0;
        for (int i = 0; i < paths.Length; i++)
        {
            long size = index.Parts[i].Size;
            await using FileStream file = Create(paths[i] + PartialSuffix);

            // First of all: who finds it unfinished knows whose it is.
            await ArchiveEntry.WriteHeaderAsync(file, VolumeFormat.IndexName, indexLength, cancellationToken).ConfigureAwait(false);
            file.Position = VolumeFormat.PieceOffset(index, indexLength);
            using var hash = new HashedStream(file);
            await new ContentExtent(archive, from, size).CopyToAsync(hash, 0, cancellationToken).ConfigureAwait(false);
            await file.WriteAsync(new byte[UstarHeader.Padding(size) + SourceLayer.EndSize], cancellationToken).ConfigureAwait(false);
            parts.Add(new VolumeContent(hash.Sha256(), size));
            from += size;
            progress?.Report(new FeedProgress("volumes", "Splitting", Path.GetFileName(paths[i]), from, archive.Length));
        }

        VolumeIndex complete = index with { Parts = parts };
        byte[] indexBytes = complete.ToBytes();
        for (int i = 0; i < paths.Length; i++)
        {
            await using var file = new FileStream(paths[i] + PartialSuffix, FileMode.Open, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous);
            await ArchiveEntry.WriteAsync(file, VolumeFormat.IndexName, indexBytes, cancellationToken).ConfigureAwait(false);
            await ArchiveEntry.WriteAsync(file, VolumeFormat.DocumentName, document, cancellationToken).ConfigureAwait(false);
            for (int s = 0; s < signatures.Count; s++)
            {
                await ArchiveEntry.WriteAsync(file, VolumeFormat.SignatureName(s + 1), signatures[s], cancellationToken).ConfigureAwait(false);
            }

            await ArchiveEntry.WriteHeaderAsync(file, VolumeFormat.PieceName(i + 1), parts[i].Size, cancellationToken).ConfigureAwait(false);
            FlushToDisk(file);
        }

        cancellationToken.ThrowIfCancellationRequested();
        foreach (string path in paths)
        {
            Durable.Rename(path + PartialSuffix, path, overwrite: true);
        }

        Durable.FlushFolder(Path.GetDirectoryName(paths[0])!);
        progress?.Report(new FeedProgress("volumes", "Splitting", null, archive.Length, archive.Length, Completed: true));
        return complete;
    }

    private static FileStream Create(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Create,
        Access = FileAccess.Write,
        Share = FileShare.None,
        BufferSize = 0,
        Options = FileOptions.Asynchronous,
    });

    /// <summary>What killed runs left, told by its first block; a run that is alive holds its files.</summary>
    private static void SweepPartials(string folder)
    {
        byte[] block = new byte[UstarHeader.BlockSize];
        foreach (string left in Directory.EnumerateFiles(folder, "*" + VolumeFormat.Extension + PartialSuffix))
        {
            try
            {
                using var file = new FileStream(left, FileMode.Open, FileAccess.ReadWrite, FileShare.Delete, 1);
                int read = file.ReadAtLeast(block, block.Length, throwOnEndOfStream: false);
                if (read == 0 || (read == block.Length && UstarHeader.Parse(block).Name == VolumeFormat.IndexName))
                {
                    File.Delete(left);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
            {
                // Held by a run that is alive, or somebody else's: it stays.
            }
        }
    }

    private static void FlushToDisk(FileStream file) => Durable.Flush(file);

    private static FeedException Invalid(string path, string message, string remedy, Exception? cause = null) =>
        new(ErrorIds.DestinationInvalid, message, path, remedy, cause);

    /// <summary>Hashes what goes through.</summary>
    private sealed class HashedStream(FileStream target) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public string Sha256() => Sha256Digest.ToText(_hash.GetHashAndReset());

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _hash.AppendData(buffer.Span);
            await target.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            _hash.AppendData(buffer, offset, count);
            target.Write(buffer, offset, count);
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            _hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
