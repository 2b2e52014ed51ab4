using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Reflection;
using Polly;
using Polly.Retry;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Collecting;

/// <summary>
/// The one HTTP client of a collecting run: a bounded number of requests for each host, retries with backoff for what is worth it, and
/// no request or body that may hang for ever. System proxies are honoured.
/// </summary>
internal sealed class UpstreamClient : IDisposable
{
    private static readonly HashSet<HttpStatusCode> s_worthRetrying =
    [
        HttpStatusCode.RequestTimeout, HttpStatusCode.TooManyRequests, HttpStatusCode.InternalServerError,
        HttpStatusCode.BadGateway, HttpStatusCode.ServiceUnavailable, HttpStatusCode.GatewayTimeout,
    ];

    private readonly UpstreamOptions _options;
    private readonly HttpClient _http;
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private readonly ResiliencePipeline _retry;
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<TlsPeer, bool>> _peers = new(StringComparer.OrdinalIgnoreCase);
    private long _bytesReceived;

    /// <param name="options">Limits and pauses.</param>
    /// <param name="proxy">For every request; null for what the system says.</param>
    /// <param name="identity">Whom to trust besides the system's authorities, and what to show; not disposed.</param>
    public UpstreamClient(UpstreamOptions options, Uri? proxy = null, NetworkIdentity? identity = null)
    {
        _options = options;
        NetworkIdentity self = identity ?? NetworkIdentity.None;
        var tls = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => self.Accepts(certificate, chain, errors),
        };
        if (self.Client is { } client)
        {
            tls.ClientCertificates = [client];
            tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => client;
        }

        _http = new HttpClient(
            new SocketsHttpHandler
            {
                SslOptions = tls,
                UseProxy = true,
                Proxy = proxy is null ? null : new WebProxy(proxy),
                PlaintextStreamFilter = (context, _) =>
                {
                    Remember(context);
                    return ValueTask.FromResult(context.PlaintextStream);
                },

                // Verbatim means verbatim: content codings are undone by hand, and only where we asked for them.
                AutomaticDecompression = DecompressionMethods.None,
                ConnectTimeout = TimeSpan.FromSeconds(20),
                MaxConnectionsPerServer = options.RequestsPerHost,
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
                UseCookies = false,
            },
            disposeHandler: true)
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("QuayAirGap", ProductVersion));
        _retry = new ResiliencePipelineBuilder()
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<TransientUpstreamException>(static e => !e.MayHaveBeenDone),
                MaxRetryAttempts = Math.Max(1, options.Attempts - 1),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.RetryDelay,
                DelayGenerator = static args => ValueTask.FromResult((args.Outcome.Exception as TransientUpstreamException)?.RetryAfter),
            })
            .Build();
    }

    public static string ProductVersion { get; } =
        typeof(UpstreamClient).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    /// <summary>Body bytes received so far, as they came over the wire.</summary>
    public long BytesReceived => Interlocked.Read(ref _bytesReceived);

    /// <summary>Who answered for some hosts, as far as they were spoken to by TLS.</summary>
    public IEnumerable<TlsPeer> PeersOf(IEnumerable<string> hosts) =>
        hosts.Where(_peers.ContainsKey).SelectMany(h => _peers[h].Keys).OrderBy(p => p.Host, StringComparer.Ordinal).ThenBy(p => p.Sha256, StringComparer.Ordinal);

    /// <summary>
    /// Sends a request, retrying from its beginning where that is worth it, and hands the response to <paramref name="handle"/>, which
    /// reads the body through <see cref="OpenBodyAsync"/>.
    /// </summary>
    /// <param name="makeRequest">Makes the request anew for each try.</param>
    /// <param name="handle">Called with a response whose status is final; may throw <see cref="TransientUpstreamException"/>.</param>
    /// <param name="failed">Told of each try that failed, with its status or 0, and the id; may be null.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    /// <param name="changes">
    /// Whether the request changes something that must not be changed twice: then only one that was certainly refused unread (429) is sent
    /// again, and every other status is handed on.
    /// </param>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.UpstreamUnreachable"/>, <see cref="ErrorIds.UpstreamStalled"/>, <see cref="ErrorIds.UpstreamIncomplete"/> or
    /// <see cref="ErrorIds.UpstreamStatus"/>, when the last try failed too.
    /// </exception>
    public async Task<T> SendAsync<T>(
        Func<HttpRequestMessage> makeRequest, Func<HttpResponseMessage, CancellationToken, Task<T>> handle, Action<HttpMethod, Uri, int, string>? failed,
        CancellationToken cancellationToken, bool changes = false)
    {
        try
        {
            return await _retry.ExecuteAsync(async token => await TryOnceAsync(makeRequest, handle, failed, changes, token).ConfigureAwait(false), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (TransientUpstreamException e)
        {
            throw new FeedException(e.ErrorId, e.Message, e.Url, "Check that the upstream is up and can be reached from here, then run the command again.", e.InnerException);
        }
    }

    /// <summary>The body, counted, and cut short by an exception when it stalls or ends early.</summary>
    public async Task<Stream> OpenBodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        return new UpstreamBody(
            body, response.RequestMessage!.RequestUri!.AbsoluteUri, response.Content.Headers.ContentLength, _options.StallTimeout,
            n => Interlocked.Add(ref _bytesReceived, n));
    }

    public void Dispose()
    {
        _http.Dispose();
        foreach (SemaphoreSlim host in _hosts.Values)
        {
            host.Dispose();
        }
    }

    private async Task<T> TryOnceAsync<T>(
        Func<HttpRequestMessage> makeRequest, Func<HttpResponseMessage, CancellationToken, Task<T>> handle, Action<HttpMethod, Uri, int, string>? failed,
        bool changes, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = makeRequest();
        (HttpMethod method, Uri address) = (request.Method, request.RequestUri!);
        string url = address.AbsoluteUri;
        int status = 0;
        SemaphoreSlim host = _hosts.GetOrAdd(address.Authority, _ => new SemaphoreSlim(_options.RequestsPerHost));
        await host.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using HttpResponseMessage response = await SendHeadersAsync(request, url, cancellationToken).ConfigureAwait(false);
            status = (int)response.StatusCode;
            if (changes ? response.StatusCode == HttpStatusCode.TooManyRequests : s_worthRetrying.Contains(response.StatusCode))
            {
                throw new TransientUpstreamException(ErrorIds.UpstreamStatus, url, $"{url} answered {(int)response.StatusCode} ({response.ReasonPhrase}).")
                {
                    RetryAfter = RetryAfter(response),
                };
            }

            return await handle(response, cancellationToken).ConfigureAwait(false);
        }
        catch (TransientUpstreamException e)
        {
            failed?.Invoke(method, address, status, e.ErrorId);
            e.MayHaveBeenDone = changes && status != (int)HttpStatusCode.TooManyRequests;
            throw;
        }
        finally
        {
            host.Release();
        }
    }

    private async Task<HttpResponseMessage> SendHeadersAsync(HttpRequestMessage request, string url, CancellationToken cancellationToken)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stall.CancelAfter(_options.StallTimeout);
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TransientUpstreamException(
                ErrorIds.UpstreamStalled, url, $"{url} did not answer within {_options.StallTimeout.TotalSeconds:0} seconds.");
        }
        catch (HttpRequestException e)
        {
            throw new TransientUpstreamException(ErrorIds.UpstreamUnreachable, url, $"{url} cannot be reached: {Innermost(e)}", e);
        }
    }

    private void Remember(SocketsHttpPlaintextStreamFilterContext context)
    {
        if (context.PlaintextStream is SslStream { RemoteCertificate: { } certificate } tls)
        {
            string host = context.InitialRequestMessage.RequestUri!.Host;
            string sha256 = Sha256Digest.Of(certificate.GetRawCertData());
            var peer = new TlsPeer(
                host, SnapshotRules.Printable(Named(certificate.Subject)), SnapshotRules.Printable(Named(certificate.Issuer)), sha256, tls.SslProtocol.ToString());
            _peers.GetOrAdd(host, _ => new ConcurrentDictionary<TlsPeer, bool>())[peer] = true;
        }

        static string Named(string name) => name.Length > 0 ? name : "(no name)";
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        RetryConditionHeaderValue? header = response.Headers.RetryAfter;
        TimeSpan? wait = header?.Delta ?? (header?.Date is { } date && response.Headers.Date is { } now ? date - now : null);
        return wait is { } w && w >= TimeSpan.Zero && w <= _options.LongestRetryAfter ? w : null;
    }

    private static string Innermost(Exception e)
    {
        while (e.InnerException is { } inner)
        {
            e = inner;
        }

        return e.Message;
    }
}

/// <summary>A failure that another try may mend.</summary>
internal sealed class TransientUpstreamException(string errorId, string url, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public string ErrorId { get; } = errorId;

    public string Url { get; } = url;

    /// <summary>How long the upstream asks to wait; null for the ordinary backoff.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether another try could do a second time what must be done once.</summary>
    public bool MayHaveBeenDone { get; set; }
}
