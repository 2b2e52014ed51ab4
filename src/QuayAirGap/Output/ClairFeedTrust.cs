namespace QuayAirGap;

/// <summary>A certificate that the site trusts, or has revoked. Times are UTC.</summary>
public sealed class ClairFeedTrust
{
    /// <summary>SHA-256 of the DER certificate, 64 lower-case hexadecimal digits.</summary>
    public required string Thumbprint { get; init; }

    /// <summary>The certificate's distinguished name.</summary>
    public required string Subject { get; init; }

    /// <summary>"Signer": it signs bundles itself. "Authority": it vouches for the signers that it issued.</summary>
    public required string Kind { get; init; }

    /// <summary>"Trusted", "Revoked", "Expired" or "NotYetValid".</summary>
    public required string State { get; init; }

    public required DateTimeOffset NotBefore { get; init; }

    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>The file in the site's trust folder.</summary>
    public required string Path { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Subject;
}
