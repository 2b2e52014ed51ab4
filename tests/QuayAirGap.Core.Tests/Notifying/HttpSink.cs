using System.Net;
using System.Net.Sockets;
using System.Text;

namespace QuayAirGap.Core.Tests.Notifying;

/// <summary>A server on the loopback that answers each request by a function and keeps what it was sent.</summary>
internal sealed class HttpSink : IDisposable
{
    private readonly HttpListener _listener = new();

    public HttpSink(Func<HttpListenerRequest, string, (int Status, string Body)> answer)
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Url = new Uri($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/");
        }

        _listener.Prefixes.Add(Url.AbsoluteUri);
        _listener.Start();
        _ = Task.Run(async () =>
        {
            while (true)
            {
                HttpListenerContext context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
                string body = await reader.ReadToEndAsync();
                (int status, string text) = answer(context.Request, body);
                context.Response.StatusCode = status;
                if (text.Length > 0)
                {
                    context.Response.ContentType = "application/json";
                    await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text));
                }

                context.Response.Close();
            }
        });
    }

    public Uri Url { get; }

    public void Dispose() => _listener.Close();
}
