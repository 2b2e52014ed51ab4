using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// Adds signatures to a bundle that is there: what a transfer station does that has checked it. The snapshot and the layers stay byte for byte;
/// only the manifest, which nobody signs, and the index that names it are written anew.
/// </summary>
public sealed class BundleCosigner(Site site, TimeProvider clock)
{
    private const string PartialSuffix = ".partial";

    /// <summary>Verifies the bundle as an import does, by this site's trust: nobody signs what he has not checked.</summary>
    /// <param name="path">A bundle file; absolute.</param>
    /// <exception cref="FeedException">Any of the ids that begin with Bundle: it is refused, and not signed. <see cref="ErrorIds.TrustEmpty"/>.
    /// <see cref="ErrorIds.SignatureExists"/>, <see cref="ErrorIds.DestinationInvalid"/></exception>
    public async Task<Bundle> VerifyAsync(
        string path, IReadOnlyList<BundleSigner> signers, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        if (Directory.Exists(path))
        {
            throw new FeedException(
                ErrorIds.DestinationInvalid, $"'{path}' is a folder; signatures are added to bundle files only.", path,
                "Pack it first: tar -C FOLDER -cf bundle.tar oci-layout index.json blobs.");
        }

        Bundle bundle = Bundle.Open(path);
        var verifier = new BundleVerifier(site, clock);

        // A station imports nothing: every number of the stream may pass through it.
        verifier.CheckPolicy(bundle, newest: null, resetSequence: true);
        await verifier.VerifyContentAsync(bundle, null, progress, cancellationToken).ConfigureAwait(false);
        var present = new HashSet<string>(StringComparer.Ordinal);
        foreach (byte[] signature in bundle.Signatures)
        {
            present.Add(CertificateRules.KeyOf(SignatureVerifier.CheckSignature(bundle.SnapshotBytes.ToArray(), signature).SignerInfos[0].Certificate!));
        }

        foreach (BundleSigner signer in signers)
        {
            if (!present.Add(CertificateRules.KeyOf(signer.Certificate)))
            {
                throw new FeedException(
                    ErrorIds.SignatureExists, $"'{signer.Subject}' has signed '{path}' already.", path, "One signer counts once: sign with another key.");
            }
        }

        return present.Count <= SignatureVerifier.MaxSignatures
            ? bundle
            : throw BundleErrors.Limit(path, $"it would have more than {SignatureVerifier.MaxSignatures} signatures");
    }

    /// <summary>Writes the bundle anew beside itself and renames it: a kill leaves the one or the other.</summary>
    /// <param name="verified">From <see cref="VerifyAsync"/>.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.DestinationInvalid"/>, <see cref="ErrorIds.DiskFull"/> or what changed in the file meanwhile</exception>
    public async Task<Bundle> SignAsync(Bundle verified, IReadOnlyList<BundleSigner> signers, CancellationToken cancellationToken)
    {
        string path = verified.Path;
        string partial = path + PartialSuffix;
        bool ours = false;
        try
        {
            await using (var file = new FileStream(partial, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.None,
                BufferSize = 0,
                Options = FileOptions.Asynchronous,
            }))
            {
                ours = true;
                await WriteAsync(file, verified, [.. signers.Select(s => s.Sign(verified.SnapshotBytes))], cancellationToken).ConfigureAwait(false);
                FlushToDisk(file);
            }

            cancellationToken.ThrowIfCancellationRequested();
            File.Move(partial, path, overwrite: true);
            ours = false;
            Durable.FlushFolder(Path.GetDirectoryName(path)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Site.IsFull(e)
                ? Site.DiskFull(path, e)
                : new FeedException(
                    ErrorIds.DestinationInvalid, $"The bundle cannot be written to '{path}': {e.Message}", path,
                    $"Check this account's access rights; if '{partial}' was left by a command that was killed, delete it.", e);
        }
        finally
        {
            if (ours)
            {
                File.Delete(partial);
            }
        }

        Bundle signed = Bundle.Open(path);
        new Ledger(site, clock).Append(LedgerEvents.BundleSigned, new JsonObject
        {
            ["bundle"] = Path.GetFileName(path),
            ["snapshot"] = signed.SnapshotSha256,
            ["stream"] = signed.Snapshot.Stream.ToString(),
            ["sequence"] = signed.Snapshot.Sequence,
            ["signers"] = string.Join(", ", signers.Select(s => s.Thumbprint)),
        });
        return signed;
    }

    private static async Task WriteAsync(FileStream file, Bundle bundle, byte[][] signatures, CancellationToken cancellationToken)
    {
        Dictionary<string, ContentExtent> contents = BundleContents.ReadArchive(bundle.Path);
        OciIndex index = JsonSerializer.Deserialize(contents[BundleFormat.IndexName].ReadAll(), OciJson.Default.OciIndex)!;
        string manifestName = BundleFormat.BlobName(index.Manifests[0].Sha256!);
        OciManifest manifest = JsonSerializer.Deserialize(contents[manifestName].ReadAll(), OciJson.Default.OciManifest)!;
        List<OciDescriptor> layers = [.. manifest.Layers];
        int at = layers.FindLastIndex(l => l.MediaType == BundleFormat.SignatureType) + 1;
        for (int i = 0; i < signatures.Length; i++)
        {
            string title = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"snapshot.{bundle.Signatures.Count + i + 1}.p7s");
            layers.Insert(at + i, OciDescriptor.Of(BundleFormat.SignatureType, Sha256Digest.Of(signatures[i]), signatures[i].Length, title));
        }

        byte[] newManifest = OciText.Write(manifest with { Layers = layers });
        byte[] newIndex = OciText.Write(index with
        {
            Manifests = [index.Manifests[0] with { Digest = "sha256:" + Sha256Digest.Of(newManifest), Size = newManifest.Length }],
        });
        foreach ((string name, ContentExtent extent) in contents.Where(c => c.Key != manifestName && c.Key != BundleFormat.IndexName).OrderBy(c => c.Value.Offset))
        {
            await ArchiveEntry.WriteHeaderAsync(file, name, extent.Size, cancellationToken).ConfigureAwait(false);
            await extent.CopyToAsync(file, 0, cancellationToken).ConfigureAwait(false);
            await file.WriteAsync(new byte[UstarHeader.Padding(extent.Size)], cancellationToken).ConfigureAwait(false);
        }

        foreach (byte[] blob in signatures.Append(newManifest))
        {
            await ArchiveEntry.WriteAsync(file, BundleFormat.BlobName(Sha256Digest.Of(blob)), blob, cancellationToken).ConfigureAwait(false);
        }

        await ArchiveEntry.WriteAsync(file, BundleFormat.IndexName, newIndex, cancellationToken).ConfigureAwait(false);
        await file.WriteAsync(new byte[SourceLayer.EndSize], cancellationToken).ConfigureAwait(false);
    }

    private static void FlushToDisk(FileStream file) => file.Flush(flushToDisk: true);
}
