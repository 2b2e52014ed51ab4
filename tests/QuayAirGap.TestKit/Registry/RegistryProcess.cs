using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace QuayAirGap.TestKit.Registry;

/// <summary>CNCF distribution, the real one, on a free loopback port with a folder of its own.</summary>
public sealed class RegistryProcess : IAsyncDisposable
{
    /// <summary>bcrypt of "correct horse".</summary>
    private const string UserLine = "courier:$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n";

    private readonly Process _process;
    private readonly string _folder;

    private RegistryProcess(Process process, string folder, int port)
    {
        _process = process;
        _folder = folder;
        Port = port;
    }

    public int Port { get; }

    public string Host => $"127.0.0.1:{Port}";

    public static NetworkCredential Courier => new("courier", "correct horse");

    public static bool IsInstalled => Find("docker-registry") is not null;

    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(p => Path.Combine(p, program)).FirstOrDefault(File.Exists);

    /// <param name="certificate">For TLS, with its key; null for plain HTTP.</param>
    /// <param name="password">Whether it asks for the courier's password.</param>
    /// <param name="token">The "token" section of its authorization; null for none.</param>
    public static async Task<RegistryProcess> StartAsync(X509Certificate2? certificate = null, bool password = false, string? token = null)
    {
        for (int attempt = 1; ; attempt++)
        {
            string folder = Directory.CreateTempSubdirectory("quayairgap-registry-").FullName;
            int port = FreePort();
            string config = $$"""
                version: 0.1
                log: {level: error}
                storage:
                  filesystem: {rootdirectory: '{{folder}}/data'}
                http:
                  addr: 127.0.0.1:{{port}}

                """;
            if (certificate is not null)
            {
                File.WriteAllText(Path.Combine(folder, "tls.crt"), certificate.ExportCertificatePem());
                File.WriteAllText(Path.Combine(folder, "tls.key"), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
                config += $"  tls: {{certificate: '{folder}/tls.crt', key: '{folder}/tls.key'}}\n";
            }

            if (password)
            {
                File.WriteAllText(Path.Combine(folder, "users"), UserLine);
                config += $"auth:\n  htpasswd: {{realm: feeds, path: '{folder}/users'}}\n";
            }
            else if (token is not null)
            {
                config += $"auth:\n  token: {token}\n";
            }

            File.WriteAllText(Path.Combine(folder, "config.yml"), config);
            Process process = Process.Start(new ProcessStartInfo(Find("docker-registry")!, ["serve", Path.Combine(folder, "config.yml")])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            Task<string> said = process.StandardError.ReadToEndAsync();
            _ = process.StandardOutput.ReadToEndAsync();
            var registry = new RegistryProcess(process, folder, port);
            if (await registry.ListensAsync())
            {
                return registry;
            }

            await registry.DisposeAsync();
            if (attempt == 3)
            {
                throw new InvalidOperationException("The registry does not start: " + await said);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A port that nobody listens on at this moment.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<bool> ListensAsync()
    {
        for (int i = 0; i < 300 && !_process.HasExited; i++)
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, Port);
                return true;
            }
            catch (SocketException)
            {
                await Task.Delay(50);
            }
        }

        return false;
    }
}
