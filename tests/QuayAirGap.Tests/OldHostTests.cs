using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text;

namespace QuayAirGap.Tests;

/// <summary>
/// MimeKit was compiled against a newer System.Security.Cryptography.Pkcs than PowerShell 7.4 has. It needs it for S/MIME alone, which we do not use: whether that stays
/// so is seen here, with the older one in the process and no other to be had.
/// </summary>
public sealed class OldHostTests
{
    [Fact]
    public async Task Mail_goes_out_of_a_host_with_the_oldest_supported_libraries()
    {
        AssemblyName wanted = AssemblyNamesOf("MimeKit.dll").Single(n => n.Name == "System.Security.Cryptography.Pkcs");
        Assert.True(wanted.Version!.Major > 8, "MimeKit asks for no newer one any more: the test, and the exception in Directory.Packages.props, can go.");

        using var folder = new Folder();
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        Task<string> received = ReceiveAsync(server);
        Directory.CreateDirectory(folder["site"]);
        int port = ((IPEndPoint)server.LocalEndpoint).Port;
        await File.WriteAllTextAsync(Path.Combine(folder["site"], "sources.yaml"), string.Create(CultureInfo.InvariantCulture, $"""
            version: 1
            warnings:
              name: östlich
              mail:
                host: 127.0.0.1
                port: {port}
                security: none
                from: feeds@example.org
                to: ops@example.org

            """), TestContext.Current.CancellationToken);

        string host = Path.Combine(Built.Root, "tests", "QuayAirGap.OldHost", "bin", Built.Configuration, "net8.0", "QuayAirGap.OldHost.dll");
        using Process process = Process.Start(new ProcessStartInfo("dotnet", [host, Path.Combine(Built.Module, "bin"), folder["site"]])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken) + await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output);
        Assert.Contains("Pkcs 8", output, StringComparison.Ordinal);
        Assert.Contains("sent True", output, StringComparison.Ordinal);
        Assert.Contains("From: feeds@example.org", await received, StringComparison.Ordinal);
    }

    private static AssemblyName[] AssemblyNamesOf(string file)
    {
        using var pe = new System.Reflection.PortableExecutable.PEReader(File.OpenRead(Path.Combine(Built.Module, "bin", file)));
        System.Reflection.Metadata.MetadataReader reader = System.Reflection.Metadata.PEReaderExtensions.GetMetadataReader(pe);
        return [.. reader.AssemblyReferences.Select(h => reader.GetAssemblyReference(h).GetAssemblyName())];
    }

    /// <summary>One message over SMTP (RFC 5321), from a client that is taken at its word.</summary>
    private static async Task<string> ReceiveAsync(TcpListener server)
    {
        using TcpClient client = await server.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        await using var writer = new StreamWriter(client.GetStream(), new UTF8Encoding(false)) { NewLine = "\r\n", AutoFlush = true };
        await writer.WriteLineAsync("220 sink ESMTP");
        var message = new StringBuilder();
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            switch (line.Split(' ')[0].ToUpperInvariant())
            {
                case "EHLO":
                    await writer.WriteLineAsync("250-sink\r\n250 8BITMIME");
                    break;
                case "DATA":
                    await writer.WriteLineAsync("354 go on");
                    while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } text && text != ".")
                    {
                        message.AppendLine(text);
                    }

                    await writer.WriteLineAsync("250 taken");
                    break;
                case "QUIT":
                    await writer.WriteLineAsync("221 bye");
                    return message.ToString();
                default:
                    await writer.WriteLineAsync("250 ok");
                    break;
            }
        }

        return message.ToString();
    }
}
