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

    /// <summary>Whether an earlier signing of a folder layout was interrupted, so that no reader takes it until <see cref="FinishInterrupted"/>.</summary>
    public static bool IsInterrupted(string path) => Directory.Exists(path) && LayoutSigner.IsInterrupted(path);

    /// <summary>Takes away what an interrupted signing has left: the layout is then as it was before, or as it is with the signatures.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleInvalid"/></exception>
    public static void FinishInterrupted(string path) => LayoutSigner.FinishWhatWasBegun(path);

    /// <summary>Verifies the bundle as an import does, by this site's trust: nobody signs what he has not checked.</summary>
    /// <param name="path">A bundle file or a folder with an OCI image layout; absolute.</param>
    /// <exception cref="FeedException">Any of the ids that begin with Bundle: it is refused, and not signed. <see cref="ErrorIds.TrustEmpty"/>.
    /// <see cref="ErrorIds.SignatureExists"/>, <see cref="ErrorIds.DestinationInvalid"/></exception>
    public async Task<Bundle> VerifyAsync(
        string path, IReadOnlyList<BundleSigner> signers, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        if (VolumeSet.IsAt(path))
        {
            // Every part carries the signatures: all of them would have to be written anew, onto media that may be discs.
            throw new FeedException(
                ErrorIds.DestinationInvalid, $"'{path}' is a bundle in volumes; signatures are added before a bundle is split.", path,
                "Add the signature to the bundle file, then split it: Split-ClairFeedBundle.");
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
        if (Directory.Exists(path))
        {
            SignLayout(verified, signers, cancellationToken);
        }
        else
        {
            await SignFileAsync(verified, signers, cancellationToken).ConfigureAwait(false);
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

    private static void SignLayout(Bundle verified, IReadOnlyList<BundleSigner> signers, CancellationToken cancellationToken)
    {
        try
        {
            LayoutSigner.Sign(verified, Plan(verified, signers), cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Site.IsFull(e)
                ? Site.DiskFull(verified.Path, e)
                : new FeedException(
                    ErrorIds.DestinationInvalid, $"The folder '{verified.Path}' cannot be written: {e.Message}", verified.Path, "Check this account's access rights.", e);
        }
    }

    private static async Task SignFileAsync(Bundle verified, IReadOnlyList<BundleSigner> signers, CancellationToken cancellationToken)
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
                await WriteAsync(file, verified, Plan(verified, signers), cancellationToken).ConfigureAwait(false);
                FlushToDisk(file);
            }

            cancellationToken.ThrowIfCancellationRequested();
            Durable.Rename(partial, path, overwrite: true);
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
    }

    /// <summary>What of a bundle changes with new signatures: a manifest instead of the old one, and the index that names it.</summary>
    private static SignaturePlan Plan(Bundle bundle, IReadOnlyList<BundleSigner> signers)
    {
        byte[][] signatures = [.. signers.Select(s => s.Sign(bundle.SnapshotBytes))];
        IReadOnlyDictionary<string, ContentExtent> contents = bundle.Contents;
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
        return new SignaturePlan(manifestName, [.. signatures, newManifest], newIndex);
    }

    private static async Task WriteAsync(FileStream file, Bundle bundle, SignaturePlan plan, CancellationToken cancellationToken)
    {
        foreach ((string name, ContentExtent extent) in bundle.Contents.Where(c => c.Key != plan.OldManifest && c.Key != BundleFormat.IndexName).OrderBy(c => c.Value.Offset))
        {
            await ArchiveEntry.WriteHeaderAsync(file, name, extent.Size, cancellationToken).ConfigureAwait(false);
            await extent.CopyToAsync(file, 0, cancellationToken).ConfigureAwait(false);
            await file.WriteAsync(new byte[UstarHeader.Padding(extent.Size)], cancellationToken).ConfigureAwait(false);
        }

        foreach (byte[] blob in plan.NewBlobs)
        {
            await ArchiveEntry.WriteAsync(file, BundleFormat.BlobName(Sha256Digest.Of(blob)), blob, cancellationToken).ConfigureAwait(false);
        }

        await ArchiveEntry.WriteAsync(file, BundleFormat.IndexName, plan.NewIndex, cancellationToken).ConfigureAwait(false);
        await file.WriteAsync(new byte[SourceLayer.EndSize], cancellationToken).ConfigureAwait(false);
    }

    private static void FlushToDisk(FileStream file) => Durable.Flush(file);
}

/// <summary>What changes in a bundle that gets signatures.</summary>
/// <param name="OldManifest">The name of the blob that nothing will refer to any more.</param>
/// <param name="NewBlobs">The signatures, and the new manifest as the last.</param>
/// <param name="NewIndex">The index that names it.</param>
internal sealed record SignaturePlan(string OldManifest, IReadOnlyList<byte[]> NewBlobs, byte[] NewIndex);
