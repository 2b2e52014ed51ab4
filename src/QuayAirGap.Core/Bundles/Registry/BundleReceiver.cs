using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles.Registry;

/// <summary>A bundle that came out of a registry.</summary>
/// <param name="Bundle">Well formed; nothing in it is trusted yet.</param>
/// <param name="Digest">Of the manifest, "sha256:…".</param>
/// <param name="BytesReceived">Bytes of blobs that came over the network; the rest was there from an attempt before.</param>
public sealed record ReceivedBundle(Bundle Bundle, string Digest, long BytesReceived);

/// <summary>
/// Takes a bundle out of an OCI registry into one file. The file's whole layout follows from the manifest, so it is written from its beginning to
/// its end, and what a broken attempt left (PATH.receiving) is compared with that layout and gone on with.
/// </summary>
public sealed class BundleReceiver(RegistryOptions options)
{
    internal const string PartialSuffix = ".receiving";

    /// <param name="reference">By tag, digest, or neither for latest.</param>
    /// <param name="destination">A .tar file, or a folder in which it gets a name of its own; absolute.</param>
    /// <exception cref="FeedException">Any of the ids that begin with Registry, <see cref="ErrorIds.DestinationInvalid"/>, <see cref="ErrorIds.DiskFull"/></exception>
    public async Task<ReceivedBundle> ReceiveAsync(
        RegistryReference reference, string destination, bool overwrite, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        using var client = new RegistryClient(reference, options);
        byte[] manifest = await GetManifestAsync(client, cancellationToken).ConfigureAwait(false);
        OciManifest parsed = Parse(reference, manifest);
        OciDescriptor snapshotBlob = parsed.Layers.FirstOrDefault(l => l.MediaType is BundleFormat.SnapshotType or BundleFormat.PackedSnapshotType)
            ?? throw RegistryErrors.Content(reference, "it has no snapshot");
        byte[] snapshot = await GetSmallAsync(client, snapshotBlob, SnapshotDocument.MaxBytes, cancellationToken).ConfigureAwait(false);
        byte[] document = snapshotBlob.MediaType == BundleFormat.PackedSnapshotType ? SnapshotPacking.Unpack(reference.ToString(), snapshot) : snapshot;
        string path = PathFor(destination, SnapshotDocument.Parse(document), overwrite);
        List<Piece> pieces = Layout(parsed, manifest, snapshotBlob.Sha256!, snapshot);
        string partial = path + PartialSuffix;
        try
        {
            long received;
            await using (FileStream file = Open(partial))
            {
                received = await new PieceWriter(client, file, pieces, progress).WriteAsync(cancellationToken).ConfigureAwait(false) + snapshot.Length;
                FlushToDisk(file);
            }

            cancellationToken.ThrowIfCancellationRequested();
            Bundle.Open(partial);
            Durable.Rename(partial, path, overwrite);
            Durable.FlushFolder(Path.GetDirectoryName(path)!);
            progress?.Report(new FeedProgress(reference.Host, "Receiving", Completed: true));
            return new ReceivedBundle(Bundle.Open(path), "sha256:" + Sha256Digest.Of(manifest), received);
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(path, $"The bundle cannot be written to '{path}': {e.Message}", "Check this account's access rights; wait if another command is receiving it.", e);
        }
    }

    private static async Task<byte[]> GetManifestAsync(RegistryClient client, CancellationToken cancellationToken)
    {
        RegistryReference reference = client.Reference;
        using HttpResponseMessage response = await client.SendAsync(
            HttpMethod.Get, client.Address("manifests/" + reference.Version), push: false, cancellationToken,
            headers: h => h.Accept.Add(new MediaTypeWithQualityHeaderValue(BundleFormat.ManifestType))).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw RegistryErrors.Status(reference, response.StatusCode, "give the manifest");
        }

        byte[] manifest = await ReadAsync(client, response, BundleFormat.MaxDocumentBytes, cancellationToken).ConfigureAwait(false);
        return reference.Digest is null || reference.Digest == "sha256:" + Sha256Digest.Of(manifest)
            ? manifest
            : throw RegistryErrors.Content(reference, "its manifest has another digest than the one asked for");
    }

    private static OciManifest Parse(RegistryReference reference, byte[] manifest)
    {
        try
        {
            OciManifest parsed = JsonSerializer.Deserialize(manifest, OciJson.Default.OciManifest) ?? throw new JsonException("it is empty");
            bool good = parsed.MediaType == BundleFormat.ManifestType && parsed.ArtifactType == BundleFormat.ArtifactType && parsed.Layers is not null
                && parsed.Layers.Count < BundleFormat.MaxEntries - 8
                && parsed.Layers.Append(parsed.Config).All(d => d is { Sha256: not null, Size: > 0 and <= SnapshotRules.MaxFileSize });
            return good ? parsed : throw new JsonException("its manifest is of another kind");
        }
        catch (JsonException e)
        {
            throw RegistryErrors.Content(reference, e.Message);
        }
    }

    private static async Task<byte[]> GetSmallAsync(RegistryClient client, OciDescriptor blob, int limit, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await client.GetBlobAsync(blob.Sha256!, 0, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw RegistryErrors.Status(client.Reference, response.StatusCode, "give a blob");
        }

        byte[] content = await ReadAsync(client, response, (int)Math.Min(limit, blob.Size), cancellationToken).ConfigureAwait(false);
        return Sha256Digest.Of(content) == blob.Sha256 ? content : throw RegistryErrors.Content(client.Reference, $"the content of '{blob.Digest}' has another digest");
    }

    private static async Task<byte[]> ReadAsync(RegistryClient client, HttpResponseMessage response, int limit, CancellationToken cancellationToken)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stall.CancelAfter(client.Options.StallTimeout);
        try
        {
            return await RegistryBody.ReadAsync(response, limit, stall.Token).ConfigureAwait(false)
                ?? throw RegistryErrors.Content(client.Reference, $"a document has more than {RegistryClient.Text(limit)} bytes");
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw RegistryErrors.Unreachable(client.Reference.Host, e.Message, e);
        }
    }

    /// <summary>The archive, piece by piece: as Save-ClairFeed would write it, but for the order of blobs, which means nothing.</summary>
    private static List<Piece> Layout(OciManifest manifest, byte[] manifestBytes, string snapshotSha256, byte[] snapshot)
    {
        var index = new OciIndex
        {
            SchemaVersion = 2,
            MediaType = BundleFormat.IndexType,
            Manifests = [OciDescriptor.Of(BundleFormat.ManifestType, Sha256Digest.Of(manifestBytes), manifestBytes.Length)],
        };
        return
        [
            Piece.Of(BundleFormat.LayoutName, BundleFormat.Layout.ToArray()),
            .. manifest.Layers.Append(manifest.Config).DistinctBy(d => d.Digest)
                .Select(d => new Piece(BundleFormat.BlobName(d.Sha256!), d.Size, d.Sha256!, d.Sha256 == snapshotSha256 ? snapshot : null)),
            Piece.Of(BundleFormat.BlobName(Sha256Digest.Of(manifestBytes)), manifestBytes),
            Piece.Of(BundleFormat.IndexName, OciText.Write(index)),
        ];
    }

    private static string PathFor(string destination, Snapshot snapshot, bool overwrite)
    {
        string path = destination.EndsWith(".tar", StringComparison.OrdinalIgnoreCase)
            ? destination
            : Path.Combine(destination, string.Create(CultureInfo.InvariantCulture, $"clairfeed-{snapshot.Stream.ToString("N")[..8]}-{snapshot.Sequence:D6}.tar"));
        string? folder = Path.GetDirectoryName(path);
        if (folder is null || !Directory.Exists(folder))
        {
            throw Invalid(path, $"The folder '{folder}' is not there.", "Create it, or name another.", null);
        }

        return Directory.Exists(path) || (File.Exists(path) && !overwrite)
            ? throw Invalid(path, $"'{path}' is there already.", "Name another file, move this one away, or give -Force.", null)
            : path;
    }

    private static FileStream Open(string partial) => new(partial, new FileStreamOptions
    {
        Mode = FileMode.OpenOrCreate,
        Access = FileAccess.ReadWrite,
        Share = FileShare.None,
        BufferSize = 0,
        Options = FileOptions.Asynchronous,
    });

    private static void FlushToDisk(FileStream file) => Durable.Flush(file);

    private static FeedException Invalid(string path, string message, string remedy, Exception? cause) =>
        new(ErrorIds.DestinationInvalid, message, path, remedy, cause);
}

/// <summary>One file of the archive that is being received.</summary>
/// <param name="Content">Null where it comes from the registry.</param>
internal sealed record Piece(string Name, long Size, string Sha256, byte[]? Content)
{
    public static Piece Of(string name, byte[] content) => new(name, content.Length, Sha256Digest.Of(content), content);
}
