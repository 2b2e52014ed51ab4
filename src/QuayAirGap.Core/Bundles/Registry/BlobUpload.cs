using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace QuayAirGap.Core.Bundles.Registry;

/// <summary>
/// One blob in chunks (distribution-spec 1.1, "Pushing a blob in chunks"). Where a connection breaks the registry is asked how far it has come, and
/// the rest is sent; it checks the digest at the end.
/// </summary>
internal sealed class BlobUpload(RegistryClient client, string sha256, ContentExtent extent)
{
    public async Task RunAsync(Action<long> uploaded, CancellationToken cancellationToken)
    {
        Uri? location = null;
        long offset = 0, furthest = 0;
        for (int attempt = 1; ;)
        {
            try
            {
                location ??= await BeginAsync(cancellationToken).ConfigureAwait(false);
                while (offset < extent.Size)
                {
                    (location, offset) = await SendChunkAsync(location, offset, cancellationToken).ConfigureAwait(false);
                    uploaded(offset);
                }

                await FinishAsync(location, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (FeedException e) when (e.ErrorId is ErrorIds.RegistryUnreachable or ErrorIds.RegistryStatus or ErrorIds.RegistryNotFound)
            {
                // One that gets on may break as often as it likes.
                attempt = offset > furthest ? 1 : attempt + 1;
                furthest = Math.Max(offset, furthest);
                if (attempt > client.Options.Attempts)
                {
                    throw;
                }

                await Task.Delay(client.Options.RetryDelay * Math.Pow(2, attempt - 1), cancellationToken).ConfigureAwait(false);
                (location, offset) = await WhereAsync(location, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<Uri> BeginAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await client.SendAsync(
            HttpMethod.Post, client.Address("blobs/uploads/"), push: true, cancellationToken, Nothing).ConfigureAwait(false);
        return response.StatusCode == HttpStatusCode.Accepted ? LocationOf(response) : throw Refused(response, "begin an upload");
    }

    private async Task<(Uri Location, long Offset)> SendChunkAsync(Uri location, long offset, CancellationToken cancellationToken)
    {
        int length = (int)Math.Min(client.Options.ChunkSize, extent.Size - offset);
        byte[] chunk = await ReadAsync(offset, length, cancellationToken).ConfigureAwait(false);
        using HttpResponseMessage response = await client.SendAsync(HttpMethod.Patch, location, push: true, cancellationToken, () =>
        {
            var content = new ByteArrayContent(chunk);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            content.Headers.TryAddWithoutValidation(
                "Content-Range", string.Create(CultureInfo.InvariantCulture, $"{offset}-{offset + length - 1}"));
            return content;
        }).ConfigureAwait(false);
        return response.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.NoContent
            ? (LocationOf(response), offset + length)
            : throw Refused(response, "take a part of a blob");
    }

    private async Task FinishAsync(Uri location, CancellationToken cancellationToken)
    {
        var address = new UriBuilder(location);
        string digest = $"digest={Uri.EscapeDataString("sha256:" + sha256)}";
        address.Query = address.Query.Length > 1 ? address.Query[1..] + "&" + digest : digest;
        using HttpResponseMessage response = await client.SendAsync(HttpMethod.Put, address.Uri, push: true, cancellationToken, Nothing).ConfigureAwait(false);
        if (response.StatusCode is HttpStatusCode.BadRequest)
        {
            // It has all of it, and the digest is another: the medium, and not the network.
            throw BundleErrors.Altered(extent.Bytes.Name, $"the content of '{BundleFormat.BlobName(sha256)}' has another SHA-256");
        }

        if (response.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.NoContent))
        {
            throw Refused(response, "finish a blob");
        }
    }

    /// <summary>How far the registry has come; an upload that it has forgotten begins anew.</summary>
    private async Task<(Uri? Location, long Offset)> WhereAsync(Uri? location, CancellationToken cancellationToken)
    {
        if (location is null)
        {
            return (null, 0);
        }

        try
        {
            using HttpResponseMessage response = await client.SendAsync(HttpMethod.Get, location, push: true, cancellationToken).ConfigureAwait(false);

            // "0-0" is what registries say of one that has nothing yet.
            string[]? range = response.StatusCode == HttpStatusCode.NoContent && response.Headers.TryGetValues("Range", out IEnumerable<string>? values)
                ? values.First().Replace("bytes=", "", StringComparison.Ordinal).Split('-')
                : null;
            return range is ["0", var last] && long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out long end) && end < extent.Size
                ? (LocationOf(response), end == 0 ? 0 : end + 1)
                : (null, 0);
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.RegistryUnreachable)
        {
            return (null, 0);
        }
    }

    private async Task<byte[]> ReadAsync(long offset, int length, CancellationToken cancellationToken)
    {
        using ArchiveBytes.Reader reader = extent.Open();
        byte[] chunk = new byte[length];
        for (int done = 0; done < length;)
        {
            int read = await reader.ReadAsync(chunk.AsMemory(done), extent.Offset + offset + done, cancellationToken).ConfigureAwait(false);
            done += read > 0 ? read : throw BundleErrors.Truncated(extent.Bytes.Name, "it became shorter while it was read");
        }

        return chunk;
    }

    private static ByteArrayContent Nothing() => new([]);

    private Uri LocationOf(HttpResponseMessage response) => response.Headers.Location is { } location
        ? new Uri(response.RequestMessage!.RequestUri!, location)
        : throw RegistryErrors.Status(client.Reference, response.StatusCode, "say where an upload goes on");

    private FeedException Refused(HttpResponseMessage response, string what) => RegistryErrors.Status(client.Reference, response.StatusCode, what);
}
