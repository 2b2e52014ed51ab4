using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using QuayAirGap.Core;

namespace QuayAirGap.Server.Listening;

/// <summary>Where a server certificate comes from.</summary>
/// <param name="CertificateFile">PEM (the certificate first, then those that vouch for it) or PFX. An absolute path.</param>
/// <param name="KeyFile">PEM with the private key; null where it is in the first file.</param>
/// <param name="Password">Of the private key, or null.</param>
public sealed record ServerCertificateFiles(string CertificateFile, string? KeyFile = null, string? Password = null);

/// <summary>
/// A server certificate that is exchanged while it is in use: the files are looked at every few seconds when somebody connects, by their
/// content, as names that point elsewhere (a mounted secret) keep no times. What cannot be used is said once, and the one before stays.
/// </summary>
internal sealed class ServerCertificate
{
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(10);

    private readonly ServerCertificateFiles _files;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private volatile Loaded _loaded;
    private long _nextLook;
    private int _looking;
    private string? _lastTrouble;

    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorCertificateInvalid"/></exception>
    public ServerCertificate(ServerCertificateFiles files, TimeProvider time, ILogger log)
    {
        _files = files;
        _time = time;
        _log = log;
        _loaded = Load(ReadFiles());
        _nextLook = After(s_lookEvery);
        if (_loaded.NotAfter < time.GetUtcNow())
        {
            _log.LogWarning("The certificate in '{File}' has expired at {NotAfter:yyyy-MM-dd'T'HH:mm:ss'Z'}.", files.CertificateFile, _loaded.NotAfter.UtcDateTime);
        }
    }

    public string File => _files.CertificateFile;

    /// <summary>UTC.</summary>
    public DateTimeOffset NotAfter => _loaded.NotAfter;

    /// <summary>What to use for a new connection.</summary>
    public SslStreamCertificateContext Context
    {
        get
        {
            if (_time.GetTimestamp() >= Volatile.Read(ref _nextLook) && Interlocked.Exchange(ref _looking, 1) == 0)
            {
                Look();
            }

            return _loaded.Context;
        }
    }

    private void Look()
    {
        try
        {
            byte[] content = ReadFiles();
            if (!content.AsSpan().SequenceEqual(_loaded.Content))
            {
                // The one before is not disposed: connections that are being made still use it.
                _loaded = Load(content);
                _log.LogInformation(
                    "The certificate in '{File}' was exchanged; the new one is valid until {NotAfter:yyyy-MM-dd'T'HH:mm:ss'Z'}.",
                    _files.CertificateFile, _loaded.NotAfter.UtcDateTime);
            }

            _lastTrouble = null;
        }
        catch (FeedException e)
        {
            if (_lastTrouble != e.Message)
            {
                _lastTrouble = e.Message;
                _log.LogError("{Trouble} {Remedy} The certificate before it stays in use.", e.Message, e.Remedy);
            }
        }
        finally
        {
            Volatile.Write(ref _nextLook, After(s_lookEvery));
            Volatile.Write(ref _looking, 0);
        }
    }

    /// <summary>Both files, one after the other.</summary>
    private byte[] ReadFiles()
    {
        try
        {
            byte[] certificate = System.IO.File.ReadAllBytes(_files.CertificateFile);
            return _files.KeyFile is null ? certificate : [.. certificate, (byte)'\n', .. System.IO.File.ReadAllBytes(_files.KeyFile)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(e.Message, e);
        }
    }

    private Loaded Load(byte[] content)
    {
        try
        {
            var others = new X509Certificate2Collection();
            X509Certificate2 certificate = content.AsSpan().IndexOf("-----BEGIN "u8) >= 0 ? LoadPem(content, others) : LoadPfx(content, others);
            if (!certificate.HasPrivateKey)
            {
                throw Invalid("it has no private key", null);
            }

            // Offline: the platform would go and look for missing authorities on the internet.
            return new Loaded(content, SslStreamCertificateContext.Create(certificate, others, offline: true), certificate.NotAfter.ToUniversalTime());
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Invalid(e.Message, e);
        }
    }

    private X509Certificate2 LoadPem(byte[] content, X509Certificate2Collection others)
    {
        string pem = System.Text.Encoding.UTF8.GetString(content);
        X509Certificate2 loaded = _files.Password is null
            ? X509Certificate2.CreateFromPem(pem, pem)
            : X509Certificate2.CreateFromEncryptedPem(pem, pem, _files.Password);
        var all = new X509Certificate2Collection();
        all.ImportFromPem(pem);
        others.AddRange(all.Where(c => !c.RawDataMemory.Span.SequenceEqual(loaded.RawDataMemory.Span)).ToArray());

        if (!OperatingSystem.IsWindows())
        {
            return loaded;
        }

        // Windows' TLS cannot use a key that lives in memory alone.
        using (loaded)
        {
            return X509CertificateLoader.LoadPkcs12(loaded.Export(X509ContentType.Pfx), null);
        }
    }

    private X509Certificate2 LoadPfx(byte[] content, X509Certificate2Collection others)
    {
        X509Certificate2Collection all = X509CertificateLoader.LoadPkcs12Collection(
            content, _files.Password, OperatingSystem.IsWindows() ? X509KeyStorageFlags.DefaultKeySet : X509KeyStorageFlags.EphemeralKeySet);
        X509Certificate2 certificate = all.FirstOrDefault(c => c.HasPrivateKey) ?? throw Invalid("it has no private key", null);
        others.AddRange(all.Where(c => c != certificate).ToArray());
        return certificate;
    }

    private FeedException Invalid(string why, Exception? cause) => new(
        ErrorIds.MirrorCertificateInvalid, $"The certificate in '{_files.CertificateFile}' cannot be used: {why.TrimEnd('.')}.", _files.CertificateFile,
        "Give a PEM file with certificate and key (or the key with --tls-key), or a PFX file; this account must be able to read it.", cause);

    private long After(TimeSpan span) => _time.GetTimestamp() + (long)(span.TotalSeconds * _time.TimestampFrequency);

    private sealed record Loaded(byte[] Content, SslStreamCertificateContext Context, DateTimeOffset NotAfter);
}
