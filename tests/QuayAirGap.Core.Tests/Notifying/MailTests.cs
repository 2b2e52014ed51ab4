using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using MimeKit;
using QuayAirGap.Core.Notifying;
using Xunit;

namespace QuayAirGap.Core.Tests.Notifying;

/// <summary>Mail through a real server that insists on STARTTLS and an account: exim4.</summary>
public sealed class MailTests
{
    private const string Exim = "/usr/sbin/exim4";

    private readonly FakeTimeProvider _clock = new(WarnedSite.Start);

    [Fact]
    public async Task An_incident_is_one_thread_of_text_and_HTML_and_nothing_goes_to_a_server_that_is_not_trusted()
    {
        Assert.SkipUnless(File.Exists(Exim) && Environment.IsPrivilegedProcess, "exim4 (exim4-daemon-light) is not installed, or this account cannot start it.");
        using var site = new WarnedSite("");
        await using var server = await MailServer.StartAsync(site["mail"]);
        File.WriteAllText(site["password"], "se cret\n");
        string Settings(string password, string ca) =>
            $"  mail:\n    host: localhost\n    port: {server.Port}\n    security: starttls\n    from: feeds@lab.example\n    to: ops@lab.example, sec@lab.example\n"
            + $"    userName: warner\n    passwordFile: {password}\n    caFile: {ca}";

        // Not its authority, and not its password: nothing arrives, and it is said.
        string other = site["other.pem"];
        using (X509Certificate2 stranger = MailServer.Certificate(out _))
        {
            File.WriteAllText(other, stranger.ExportCertificatePem());
        }

        site.Warnings = Settings(site["password"], other);
        site.Require("alpine");
        Assert.Equal(ErrorIds.WarningNotSent, (await site.SendAsync(_clock)).Single().Error?.ErrorId);
        File.WriteAllText(site["wrong"], "guess");
        site.Warnings = Settings(site["wrong"], server.CaFile);
        site.Require("alpine");
        Assert.Equal(ErrorIds.WarningRefused, (await site.SendAsync(_clock)).Single().Error?.ErrorId);
        site.Warnings = Settings(site["password"], server.CaFile);
        site.Require("alpine");
        Assert.Empty(server.Mails());

        foreach (int hours in new[] { 0, 1, 24 })
        {
            _clock.Advance(TimeSpan.FromHours(hours));
            Assert.Null((await site.SendAsync(_clock)).Single().Error);
        }

        site.Publish(_clock.GetUtcNow(), _clock.GetUtcNow(), WarnedSite.Alpine(_clock.GetUtcNow()));
        Assert.Null((await site.SendAsync(_clock)).Single().Error);
        Assert.Null((await site.SendAsync(_clock, new WarningRequest { Test = true })).Single().Error);

        MimeMessage[] mails = [.. (await server.WaitForAsync(4)).OrderBy(m => m.Date).ThenBy(m => m.Subject!.Contains("fresh again", StringComparison.Ordinal) ? 1 : m.Subject.Contains("test", StringComparison.Ordinal) ? 2 : 0)];
        Assert.Equal(4, mails.Length);
        Assert.All(mails, m => Assert.Equal(["ops@lab.example", "sec@lab.example"], m.To.Mailboxes.Select(a => a.Address)));
        Assert.All(mails, m => Assert.Contains("esmtpsa", m.Headers["Received"], StringComparison.Ordinal)); // S: encrypted, A: authenticated
        Assert.Contains("CRITICAL: vulnerability feed alpine is missing", mails[0].Subject, StringComparison.Ordinal);
        Assert.Empty(mails[0].References);
        Assert.All(mails[1..3], m => Assert.Equal([mails[0].MessageId!], m.References));
        Assert.Empty(mails[3].References);
        Assert.Equal(4, mails.Select(m => m.MessageId).Distinct().Count());
        Assert.Contains("fresh again", mails[2].Subject, StringComparison.Ordinal);
        foreach (string body in new[] { mails[0].TextBody!, mails[0].HtmlBody! })
        {
            Assert.Contains("Save-ClairFeed", body, StringComparison.Ordinal);
            Assert.Contains("warn 3d, critical 5d, expired 7d", body, StringComparison.Ordinal);
            Assert.Contains("missing since 2026-01-01 00:30 UTC", body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Settings_are_taken_from_Quay_and_a_password_never_goes_unencrypted_unless_said()
    {
        using var site = new WarnedSite("");
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        string? heard = null;
        Task session = Task.Run(async () =>
        {
            using TcpClient client = await server.AcceptTcpClientAsync();
            using var reader = new StreamReader(client.GetStream());
            using var writer = new StreamWriter(client.GetStream()) { NewLine = "\r\n", AutoFlush = true };
            await writer.WriteLineAsync("220 plain ESMTP");
            while (await reader.ReadLineAsync() is { } line)
            {
                heard += line + "\n";
                await writer.WriteLineAsync(line.StartsWith("EHLO", StringComparison.Ordinal) ? "250-plain\r\n250 AUTH PLAIN LOGIN" : "250 ok");
            }
        });
        File.WriteAllText(
            site["config.yaml"],
            $"MAIL_SERVER: 127.0.0.1\nMAIL_PORT: {((IPEndPoint)server.LocalEndpoint).Port}\nMAIL_USE_TLS: false\nMAIL_USERNAME: q\nMAIL_PASSWORD: pw\n"
            + "MAIL_DEFAULT_SENDER: quay@lab.example\nSUPER_USERS:\n  - admin\n");
        site.Warnings = $"  mail:\n    to: ops@lab.example\n    quayConfig: {site["config.yaml"]}";
        site.Require("alpine");

        Assert.Equal(ErrorIds.WarningUnencrypted, (await site.SendAsync(_clock)).Single().Error?.ErrorId);
        await session.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.StartsWith("EHLO", heard, StringComparison.Ordinal);
        Assert.DoesNotContain("AUTH", heard, StringComparison.Ordinal);
    }

    /// <summary>exim4 on a port of the loopback, with a certificate, a spool and mailboxes of its own.</summary>
    private sealed class MailServer : IAsyncDisposable
    {
        private readonly Process _process;
        private readonly string _folder;

        private MailServer(Process process, string folder, int port)
        {
            _process = process;
            _folder = folder;
            Port = port;
        }

        public int Port { get; }

        public string CaFile => Path.Combine(_folder, "cert.pem");

        public static async Task<MailServer> StartAsync(string folder)
        {
            foreach (string name in new[] { "spool", "log", "box" })
            {
                Directory.CreateDirectory(Path.Combine(folder, name));
            }

            using (X509Certificate2 certificate = Certificate(out RSA key))
            {
                File.WriteAllText(Path.Combine(folder, "cert.pem"), certificate.ExportCertificatePem());
                File.WriteAllText(Path.Combine(folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
                key.Dispose();
            }

            int port;
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                port = ((IPEndPoint)probe.LocalEndpoint).Port;
            }

            File.WriteAllText(Path.Combine(folder, "exim.conf"), """
                keep_environment =
                primary_hostname = localhost
                spool_directory = FOLDER/spool
                log_file_path = FOLDER/log/%slog
                pid_file_path = FOLDER/log/pid
                daemon_smtp_ports = PORT
                local_interfaces = 127.0.0.1
                tls_advertise_hosts = *
                tls_certificate = FOLDER/cert.pem
                tls_privatekey = FOLDER/key.pem
                auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
                acl_smtp_rcpt = rcpt
                host_lookup =
                rfc1413_query_timeout = 0s
                begin acl
                rcpt:
                  accept authenticated = *
                  deny message = who are you
                begin routers
                all:
                  driver = accept
                  transport = keep
                begin transports
                keep:
                  driver = appendfile
                  directory = FOLDER/box
                  maildir_format
                  batch_max = 100
                  user = Debian-exim
                begin authenticators
                plain:
                  driver = plaintext
                  public_name = PLAIN
                  server_prompts = :
                  server_condition = ${if and{{eq{$auth2}{warner}}{eq{$auth3}{se cret}}}}
                  server_set_id = $auth2

                """.Replace("FOLDER", folder, StringComparison.Ordinal).Replace("PORT", $"{port}", StringComparison.Ordinal));
            // It gives up root, and needs a way to its files.
            await RunAsync("chmod", "o+x", Path.GetDirectoryName(folder)!);
            await RunAsync("chown", "-R", "Debian-exim", Path.Combine(folder, "spool"), Path.Combine(folder, "log"), Path.Combine(folder, "box"), Path.Combine(folder, "key.pem"));
            var start = new ProcessStartInfo(Exim, ["-C", Path.Combine(folder, "exim.conf"), "-bdf"]) { RedirectStandardError = true, RedirectStandardOutput = true };
            var server = new MailServer(Process.Start(start)!, folder, port);
            for (int attempt = 0; ; attempt++)
            {
                try
                {
                    using var client = new TcpClient();
                    await client.ConnectAsync(IPAddress.Loopback, port);
                    return server;
                }
                catch (SocketException) when (attempt < 100 && !server._process.HasExited)
                {
                    await Task.Delay(100);
                }
            }
        }

        public static X509Certificate2 Certificate(out RSA key)
        {
            key = RSA.Create(2048);
            var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("localhost");
            request.CertificateExtensions.Add(names.Build());
            return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        }

        public MimeMessage[] Mails() => Directory.Exists(Path.Combine(_folder, "box", "new"))
            ? [.. Directory.GetFiles(Path.Combine(_folder, "box", "new")).Select(f => MimeMessage.Load(f))] : [];

        public async Task<MimeMessage[]> WaitForAsync(int count)
        {
            for (int attempt = 0; attempt < 200 && Mails().Length < count; attempt++)
            {
                await Task.Delay(100);
            }

            return Mails();
        }

        public async ValueTask DisposeAsync()
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        private static async Task RunAsync(string program, params string[] arguments)
        {
            using Process process = Process.Start(program, arguments);
            await process.WaitForExitAsync();
            Assert.Equal(0, process.ExitCode);
        }
    }
}
