using System.Net.Http.Headers;
using System.Net.Security;
using QuayAirGap.Core.Collecting;

namespace QuayAirGap.Core.Notifying.Channels;

/// <summary>HTTP inside the gap: no redirects, since what is sent is a secret or meant for one address, and no request that hangs.</summary>
internal static class WarningHttp
{
    private const int LargestAnswer = 4 << 20;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    public static HttpClient Client(WarningChannel channel, string? caFile)
    {
        RemoteCertificateValidationCallback? trust = caFile is null ? null : ServerTrust.Of(channel, caFile);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(15) };
        handler.SslOptions.RemoteCertificateValidationCallback = trust;
        var client = new HttpClient(handler, disposeHandler: true) { Timeout = s_timeout, MaxResponseContentBufferSize = LargestAnswer };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("QuayAirGap", UpstreamClient.ProductVersion));
        return client;
    }

    /// <exception cref="FeedException"><see cref="ErrorIds.WarningNotSent"/> or <see cref="ErrorIds.WarningRefused"/></exception>
    public static async Task<string> SendAsync(IWarningChannel channel, HttpClient client, HttpRequestMessage request, CancellationToken token)
    {
        string what = $"{request.Method} {request.RequestUri!.AbsolutePath}";
        try
        {
            using HttpResponseMessage response = await client.SendAsync(request, token);
            int status = (int)response.StatusCode;
            return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync(token)
                : status is 401 or 403 ? throw WarningErrors.Refused(channel, $"{what} was answered with {status}")
                : throw WarningErrors.NotSent(channel, $"{what} was answered with {status}");
        }
        catch (HttpRequestException e)
        {
            throw WarningErrors.NotSent(channel, $"{what}: {(e.InnerException ?? e).Message}", e);
        }
        catch (OperationCanceledException e) when (!token.IsCancellationRequested)
        {
            throw WarningErrors.NotSent(channel, $"{what} was not answered within {s_timeout.TotalSeconds:0} seconds", e);
        }
    }
}
