using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles.Registry;

/// <summary>A bundle that is in a registry.</summary>
/// <param name="Reference">By its first tag.</param>
/// <param name="Digest">Of its manifest, "sha256:…".</param>
/// <param name="Tags">Every tag that names it now.</param>
/// <param name="BytesSent">Bytes of blobs that the registry did not have.</param>
/// <param name="BytesThere">Bytes of blobs that it had already.</param>
public sealed record PublishedBundle(RegistryReference Reference, string Digest, IReadOnlyList<string> Tags, long BytesSent, long BytesThere);

/// <summary>
/// Puts a bundle into an OCI registry as it is: the same manifest, the same blobs, so that its digest stays. Blobs that the repository has are not
/// sent again; the manifest comes last, so that a tag never names half a bundle.
/// </summary>
public sealed class BundlePublisher(RegistryOptions options)
{
    /// <summary>STREAM-SEQUENCE, the stream's first eight digits as in the names of files, and latest.</summary>
    public static IReadOnlyList<string> UsualTags(Bundle bundle) =>
        [string.Create(CultureInfo.InvariantCulture, $"{bundle.Snapshot.Stream.ToString("N")[..8]}-{bundle.Snapshot.Sequence:D6}"), "latest"];

    /// <param name="bundle">Opened; nothing of it is trusted or needs to be.</param>
    /// <param name="target">The repository; its tag, where it has one, is the only one given.</param>
    /// <exception cref="FeedException">Any of the ids that begin with Registry, or what is wrong with the bundle</exception>
    public async Task<PublishedBundle> PublishAsync(
        Bundle bundle, RegistryReference target, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> tags = target.Tag is { } tag ? [tag] : UsualTags(bundle);
        IReadOnlyDictionary<string, ContentExtent> contents = bundle.Contents;
        OciIndex index = JsonSerializer.Deserialize(contents[BundleFormat.IndexName].ReadAll(), OciJson.Default.OciIndex)!;
        byte[] manifest = contents[BundleFormat.BlobName(index.Manifests[0].Sha256!)].ReadAll();
        OciManifest parsed = JsonSerializer.Deserialize(manifest, OciJson.Default.OciManifest)!;
        OciDescriptor[] blobs = [.. parsed.Layers.Append(parsed.Config).DistinctBy(d => d.Digest)];

        using var client = new RegistryClient(target, options);
        long total = blobs.Sum(b => b.Size);
        long done = 0, sent = 0;
        foreach (OciDescriptor blob in blobs)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string sha256 = blob.Sha256!;
            if (!await client.HasBlobAsync(sha256, blob.Size, cancellationToken).ConfigureAwait(false))
            {
                long before = done;
                await new BlobUpload(client, sha256, contents[BundleFormat.BlobName(sha256)]).RunAsync(
                    uploaded => progress?.Report(new FeedProgress(target.Host, "Publishing", blob.Digest[..19], before + uploaded, total)), cancellationToken)
                    .ConfigureAwait(false);
                sent += blob.Size;
            }

            done += blob.Size;
            progress?.Report(new FeedProgress(target.Host, "Publishing", blob.Digest[..19], done, total));
        }

        foreach (string name in tags)
        {
            using HttpResponseMessage response = await client.SendAsync(
                HttpMethod.Put, client.Address("manifests/" + name), push: true, cancellationToken, () =>
                {
                    var content = new ByteArrayContent(manifest);
                    content.Headers.ContentType = new MediaTypeHeaderValue(BundleFormat.ManifestType);
                    return content;
                }).ConfigureAwait(false);
            if (response.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.Accepted))
            {
                throw RegistryErrors.Status(target, response.StatusCode, $"take the manifest as '{name}'");
            }
        }

        progress?.Report(new FeedProgress(target.Host, "Publishing", null, total, total, Completed: true));
        return new PublishedBundle(target with { Tag = tags[0], Digest = null }, "sha256:" + Sha256Digest.Of(manifest), tags, sent, total - sent);
    }
}
