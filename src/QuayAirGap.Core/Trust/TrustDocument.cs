using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Trust;

/// <summary>
/// What an offline root says of signers: all whom it vouches for, and all whom it has ever revoked. It travels in signed bundles or alone, and
/// counts only where the root itself has signed it: whoever holds a signer's key can neither add nor revoke anybody. Times are UTC.
/// </summary>
public sealed record TrustDocument
{
    public const string FormatName = "quayairgap.trust";

    public const int CurrentVersion = 1;

    /// <summary>The most bytes of one document.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>The most documents in one bundle: one of each root.</summary>
    public const int MostOfBundle = 8;

    public string Format { get; init; } = FormatName;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>SHA-256 of the root's certificate, 64 lower-case hexadecimal digits.</summary>
    public required string Root { get; init; }

    /// <summary>Rises with each document of the root, so that an older one cannot take a revocation back.</summary>
    public required long Number { get; init; }

    public required DateTimeOffset Issued { get; init; }

    /// <summary>Certificates in DER: signers, or other roots.</summary>
    public required IReadOnlyList<byte[]> Signers { get; init; }

    /// <summary>Certificates in DER. Their keys are revoked, under any certificate.</summary>
    public required IReadOnlyList<byte[]> Revoked { get; init; }

    /// <exception cref="LaterFormatException">It is of a later version.</exception>
    /// <exception cref="FormatException">It is not exactly such a document.</exception>
    internal static TrustDocument Parse(byte[] bytes)
    {
        try
        {
            Demand(bytes.Length <= MaxBytes, $"it has more than {MaxBytes} bytes");
            TrustDocument document = JsonSerializer.Deserialize(bytes, TrustJson.Default.TrustDocument) ?? throw new FormatException("it is empty");
            Demand(document.Format == FormatName, "it is a document of another kind");
            ThrowIfLater(document.Version);
            Demand(document.Version == CurrentVersion, $"it has version {document.Version}");
            Demand(document.Root is not null && Store.Sha256Digest.IsValid(document.Root), "it names no root");
            Demand(document.Number is >= 1 and <= int.MaxValue, "its number is impossible");
            Demand(document.Signers is not null && document.Revoked is not null, "it lacks a list");
            foreach (byte[] der in document.Signers!.Concat(document.Revoked!))
            {
                CheckCertificate(der);
            }

            string[] revoked = [.. document.Revoked!.Select(r => Store.Sha256Digest.Of(r))];
            Demand(!revoked.Contains(document.Root), "it revokes the root that it is from");
            Demand(!document.Signers!.Any(s => revoked.Contains(Store.Sha256Digest.Of(s))), "it vouches for a signer that it revokes");
            foreach (byte[] der in document.Signers!)
            {
                using var certificate = new X509Certificate2(der);
                string? unfit = CertificateRules.WeaknessOfKey(certificate) ?? CertificateRules.WeaknessOfSignature(certificate)
                    ?? (CertificateRules.IsAuthority(certificate) ? CertificateRules.UnfitAsAuthority(certificate) : CertificateRules.UnfitAsSigner(certificate));
                Demand(unfit is null, $"it vouches for '{certificate.Subject}', and {unfit}");
            }

            return document;
        }
        catch (Exception e) when (e is JsonException or CryptographicException or InvalidOperationException)
        {
            // A later version may well say what this one does not know.
            ThrowIfLater(FormatVersion.InJson(bytes, "version"u8));
            throw new FormatException(e.Message, e);
        }
    }

    internal byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, TrustJson.Default.TrustDocument);

    private static void ThrowIfLater(long? version)
    {
        if (version > CurrentVersion)
        {
            throw new LaterFormatException($"it has version {version}; this QuayAirGap reads version {CurrentVersion}");
        }
    }

    private static void CheckCertificate(byte[]? der)
    {
        Demand(der is { Length: > 0 } && CertificateFile.KindOf(der) == CertificateFileKind.Der, "it holds something else than a certificate");
        using var certificate = new X509Certificate2(der!);
        Demand(certificate.RawDataMemory.Span.SequenceEqual(der), "it holds a certificate with something behind it");
    }

    private static void Demand(bool holds, string what)
    {
        if (!holds)
        {
            throw new FormatException(what);
        }
    }
}

/// <summary>A trust document as its root signed it.</summary>
/// <param name="Document">The document's bytes.</param>
/// <param name="Signature">The root's detached CMS signature of them, in DER.</param>
public sealed record SignedTrustDocument(byte[] Document, byte[] Signature)
{
    /// <summary>Of a file that carries one: base64 makes a third more.</summary>
    internal const int MaxFileBytes = 2 * (TrustDocument.MaxBytes + SignatureVerifier.MaxSignatureBytes);

    /// <exception cref="FeedException"><see cref="ErrorIds.TrustNotFound"/> or <see cref="ErrorIds.TrustDocumentInvalid"/></exception>
    public static SignedTrustDocument Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            return file.Length > MaxFileBytes
                ? throw new JsonException($"It has {file.Length} bytes.")
                : JsonSerializer.Deserialize(File.ReadAllBytes(path), TrustJson.Default.SignedTrustDocument) is { Document: not null, Signature: not null } signed
                ? signed
                : throw new JsonException("It is empty.");
        }
        catch (JsonException e)
        {
            throw new FeedException(
                ErrorIds.TrustDocumentInvalid, SnapshotRules.Printable($"'{path}' is no trust document: {e.Message}"), path,
                "Name the file that New-ClairFeedTrustDocument made; certificates are added with Add-ClairFeedTrust.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(ErrorIds.TrustNotFound, $"'{path}' cannot be read: {e.Message}", path, "Name the file that New-ClairFeedTrustDocument made.", e);
        }
    }

    /// <summary>Writes it to a file that is not there yet.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.DestinationInvalid"/> or <see cref="ErrorIds.DiskFull"/></exception>
    public void Write(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
            file.Write(ToBytes());
            file.Flush(flushToDisk: true);
        }
        catch (IOException e) when (Sites.Site.IsFull(e))
        {
            File.Delete(path);
            throw Sites.Site.DiskFull(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.DestinationInvalid, $"The trust document cannot be written to '{path}': {e.Message}", path,
                "Name a file that is not there yet, in a folder that this account may write to.", e);
        }
    }

    /// <summary>What it says; who signed it is not looked at.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.TrustDocumentInvalid"/> or <see cref="ErrorIds.TrustDocumentVersion"/></exception>
    public TrustDocument Parse()
    {
        try
        {
            return TrustDocument.Parse(Document);
        }
        catch (LaterFormatException e)
        {
            throw Later(e);
        }
        catch (FormatException e)
        {
            throw new FeedException(
                ErrorIds.TrustDocumentInvalid, SnapshotRules.Printable($"The trust document cannot be read: {e.Message}."), "trust",
                "Get it again from the holder of the root.", e);
        }
    }

    internal static FeedException Later(LaterFormatException cause) => new(
        ErrorIds.TrustDocumentVersion, $"The trust document is of a later QuayAirGap: {cause.Message}.", "trust",
        "Nothing was changed. Update QuayAirGap here, or have the document made with the version that runs here.", cause);

    internal byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, TrustJson.Default.SignedTrustDocument);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    MaxDepth = 4,
    Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(TrustDocument))]
[JsonSerializable(typeof(SignedTrustDocument))]
internal sealed partial class TrustJson : JsonSerializerContext;
