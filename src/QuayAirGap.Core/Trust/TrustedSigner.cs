namespace QuayAirGap.Core.Trust;

/// <summary>A certificate that the site trusts, or has revoked. Times are UTC.</summary>
/// <param name="Thumbprint">SHA-256 of the DER certificate, 64 lower-case hexadecimal digits.</param>
/// <param name="Subject">The certificate's distinguished name.</param>
/// <param name="NotBefore">From when it is valid.</param>
/// <param name="NotAfter">Until when it is valid.</param>
/// <param name="IsAuthority">True: it vouches for signers that it issued. False: it is a signer itself.</param>
/// <param name="IsRevoked">True: whatever it signed is refused.</param>
/// <param name="Path">The file in the site's trust folder.</param>
public sealed record TrustedSigner(
    string Thumbprint, string Subject, DateTimeOffset NotBefore, DateTimeOffset NotAfter, bool IsAuthority, bool IsRevoked, string Path);
