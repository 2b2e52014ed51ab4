using System.Net;
using System.Text;
using QuayAirGap.Core.Collecting;

namespace QuayAirGap.Core.Clair;

/// <summary>Asks a mirror, or a Clair, small questions: little patience, few tries, no body of any size.</summary>
internal sealed class MirrorClient : IDisposable
{
    private const int LargestText = 64 << 20;

    private readonly UpstreamClient _client = new(new UpstreamOptions
    {
        Attempts = 2,
        RetryDelay = TimeSpan.FromMilliseconds(200),
        LongestRetryAfter = TimeSpan.FromSeconds(2),
        StallTimeout = TimeSpan.FromSeconds(20),
    });

    /// <summary>The status of a HEAD request.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamUnreachable"/> or <see cref="ErrorIds.UpstreamStalled"/></exception>
    public async Task<HttpStatusCode> HeadAsync(Uri uri, CancellationToken cancellationToken) =>
        (await HeadersAsync(uri, cancellationToken).ConfigureAwait(false)).Status;

    /// <summary>Status and Last-Modified of a HEAD request.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamUnreachable"/> or <see cref="ErrorIds.UpstreamStalled"/></exception>
    public async Task<(HttpStatusCode Status, DateTimeOffset? LastModified)> HeadersAsync(Uri uri, CancellationToken cancellationToken)
    {
        try
        {
            return await _client.SendAsync(
                () => new HttpRequestMessage(HttpMethod.Head, uri),
                static (response, _) => Task.FromResult((response.StatusCode, response.Content.Headers.LastModified)), failed: null, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.UpstreamStatus)
        {
            return (HttpStatusCode.InternalServerError, null); // one of those that were worth another try
        }
    }

    /// <summary>Status, ETag and text of a GET; the text is empty unless the status is 200.</summary>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.UpstreamUnreachable"/>, <see cref="ErrorIds.UpstreamStalled"/>, <see cref="ErrorIds.UpstreamIncomplete"/> or <see cref="ErrorIds.UpstreamTooLarge"/>
    /// </exception>
    public async Task<MirrorAnswer> GetAsync(Uri uri, string? authorization, CancellationToken cancellationToken)
    {
        (HttpStatusCode status, string? etag, MemoryStream? body) = await GetBodyAsync(uri, authorization, cancellationToken).ConfigureAwait(false);
        return new MirrorAnswer(status, etag, body is null ? "" : Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length));
    }

    /// <summary>As <see cref="GetAsync"/>, the body in bytes; null unless the status is 200.</summary>
    /// <exception cref="FeedException">As of <see cref="GetAsync"/>.</exception>
    public async Task<(HttpStatusCode Status, string? ETag, MemoryStream? Body)> GetBodyAsync(Uri uri, string? authorization, CancellationToken cancellationToken)
    {
        try
        {
            return await _client.SendAsync(
                () =>
                {
                    var request = new HttpRequestMessage(HttpMethod.Get, uri);
                    _ = authorization is null || request.Headers.TryAddWithoutValidation("Authorization", authorization);
                    return request;
                },
                ReadAsync, failed: null, cancellationToken).ConfigureAwait(false);
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.UpstreamStatus)
        {
            return (HttpStatusCode.InternalServerError, null, null);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<(HttpStatusCode Status, string? ETag, MemoryStream? Body)> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return (response.StatusCode, null, null);
        }

        var content = new MemoryStream();
        Stream body = await _client.OpenBodyAsync(response, cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            byte[] buffer = new byte[81920];
            for (int read; (read = await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
            {
                await content.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                if (content.Length > LargestText)
                {
                    string url = response.RequestMessage!.RequestUri!.AbsoluteUri;
                    throw new FeedException(
                        ErrorIds.UpstreamTooLarge, $"{url} answers with more than {LargestText >> 20} MiB.", url, "See what answers at this address.");
                }
            }
        }

        content.Position = 0;
        return (response.StatusCode, response.Headers.ETag?.ToString(), content);
    }
}

/// <param name="Status">The answer's status.</param>
/// <param name="ETag">With its quotes, or null.</param>
/// <param name="Text">The body; empty unless the status is 200.</param>
internal sealed record MirrorAnswer(HttpStatusCode Status, string? ETag, string Text);
