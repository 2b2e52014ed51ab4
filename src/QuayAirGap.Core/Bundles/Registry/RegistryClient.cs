using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace QuayAirGap.Core.Bundles.Registry;

/// <summary>
/// The part of the OCI distribution protocol (distribution-spec 1.1) that carries bundles, against one repository: blobs, manifests, and the two kinds of
/// authorization that registries ask for. Credentials go to the registry and to the token service that it names, over TLS, and nowhere else.
/// </summary>
internal sealed class RegistryClient : IDisposable
{
    private readonly HttpMessageInvoker _http;
    private readonly RegistryAuthorization _authorization;
    private readonly Uri _root;

    public RegistryClient(RegistryReference reference, RegistryOptions options)
    {
        Reference = reference;
        Options = options;
        bool plain = options.PlainHttp || (reference.IsLoopback && options.Authorities.Count == 0);
        _root = new Uri($"{(plain ? "http" : "https")}://{reference.Host}/v2/{reference.Repository}/");
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (options.Authorities.Count > 0)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            foreach (X509Certificate2 authority in options.Authorities)
            {
                (IsSelfIssued(authority) ? policy.CustomTrustStore : policy.ExtraStore).Add(authority);
            }
        }

        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            // A storage behind the registry may be elsewhere; the handler leaves the authorization behind when it goes there.
            AllowAutoRedirect = true,
            MaxAutomaticRedirections = 5,
            UseCookies = false,
            UseProxy = !reference.IsLoopback,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(20),
            MaxResponseHeadersLength = 64,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
        });
        _authorization = new RegistryAuthorization(_http, reference, options, plain);
    }

    public RegistryReference Reference { get; }

    public RegistryOptions Options { get; }

    /// <summary>Relative to the repository; an absolute address, which the registry gave, is left as it is.</summary>
    public Uri Address(string path) => new(_root, path);

    /// <summary>Sends one request, and once more with what the registry asks for. The body is made anew for each.</summary>
    /// <param name="push">Whether the right to write is needed.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.RegistryUnreachable"/> or <see cref="ErrorIds.RegistryDenied"/></exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Uri address, bool push, CancellationToken cancellationToken, Func<HttpContent>? content = null, Action<HttpRequestHeaders>? headers = null)
    {
        for (bool asked = false; ; asked = true)
        {
            using var request = new HttpRequestMessage(method, address) { Content = content?.Invoke() };
            request.Headers.UserAgent.Add(new ProductInfoHeaderValue("QuayAirGap", null));
            headers?.Invoke(request.Headers);

            // An address that the registry gave may lead elsewhere, to a storage that has its own secret in the address.
            if (address.Authority == _root.Authority && address.Scheme == _root.Scheme)
            {
                request.Headers.Authorization = _authorization.Current;
            }

            HttpResponseMessage response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
            if (asked || response.StatusCode != HttpStatusCode.Unauthorized || !await _authorization.AnswerAsync(response, push, cancellationToken).ConfigureAwait(false))
            {
                return response;
            }

            response.Dispose();
        }
    }

    /// <summary>Whether a blob is there, with this size.</summary>
    public async Task<bool> HasBlobAsync(string sha256, long size, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Head, Address($"blobs/sha256:{sha256}"), push: true, cancellationToken).ConfigureAwait(false);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => response.Content.Headers.ContentLength is null || response.Content.Headers.ContentLength == size,
            HttpStatusCode.NotFound => false,
            var status => throw RegistryErrors.Status(Reference, status, "look for a blob"),
        };
    }

    /// <summary>One blob from a byte on.</summary>
    public Task<HttpResponseMessage> GetBlobAsync(string sha256, long from, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Get, Address($"blobs/sha256:{sha256}"), push: false, cancellationToken,
        headers: h => h.Range = from > 0 ? new RangeHeaderValue(from, null) : null);

    public void Dispose()
    {
        _authorization.Dispose();
        _http.Dispose();
    }

    internal static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static bool IsSelfIssued(X509Certificate2 certificate) => certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    /// <summary>Headers within the stall's limit; a body has limits of its own.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Options.StallTimeout);
        try
        {
            return await _http.SendAsync(request, limit.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw RegistryErrors.Unreachable(Reference.Host, (e.InnerException ?? e).Message, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw RegistryErrors.Unreachable(Reference.Host, $"it said nothing for {Options.StallTimeout.TotalSeconds:0} seconds.", e);
        }
    }
}
