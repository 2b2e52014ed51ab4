using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace QuayAirGap.Core.Tests.Registry;

/// <summary>The token service beside a registry, as distribution's docs/spec/auth/jwt.md has it: it asks for a password and signs what it grants.</summary>
internal sealed class TokenService : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly X509Certificate2 _certificate;

    public TokenService(X509Certificate2 certificate, int port)
    {
        _certificate = certificate;
        Realm = $"http://127.0.0.1:{port}/token";
        _listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        _listener.Start();
        _ = ServeAsync();
    }

    public string Realm { get; }

    /// <summary>The scopes that were asked for, in order.</summary>
    public List<string> Scopes { get; } = [];

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                HttpListenerContext context = await _listener.GetContextAsync();
                string expected = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("courier:correct horse"));
                bool known = context.Request.Headers["Authorization"] == expected;
                string scope = context.Request.QueryString["scope"] ?? "";
                Scopes.Add(scope);
                byte[] body = known ? JsonSerializer.SerializeToUtf8Bytes(new { token = Token(scope.Split(':')) }) : [];
                context.Response.StatusCode = known ? 200 : 401;
                await context.Response.OutputStream.WriteAsync(body);
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
        }
    }

    private string Token(string[] scope)
    {
        long now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        string head = Base64Url(JsonSerializer.SerializeToUtf8Bytes(new { typ = "JWT", alg = "ES256", x5c = new[] { Convert.ToBase64String(_certificate.RawData) } }));
        string claims = Base64Url(JsonSerializer.SerializeToUtf8Bytes(new
        {
            iss = "tests",
            sub = "courier",
            aud = "feeds",
            exp = now + 300,
            nbf = now - 60,
            iat = now,
            jti = Guid.NewGuid().ToString(),
            access = new[] { new { type = scope[0], name = scope[1], actions = scope[2].Split(',') } },
        }));
        byte[] signature = _certificate.GetECDsaPrivateKey()!.SignData(Encoding.ASCII.GetBytes($"{head}.{claims}"), HashAlgorithmName.SHA256);
        return $"{head}.{claims}.{Base64Url(signature)}";
    }

    private static string Base64Url(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
