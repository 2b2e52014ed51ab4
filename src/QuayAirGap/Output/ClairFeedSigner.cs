namespace QuayAirGap;

/// <summary>A signer that was made. Times are UTC.</summary>
public sealed class ClairFeedSigner
{
    /// <summary>The private half: stays on the collecting side, and is what Save-ClairFeed signs with.</summary>
    public required string Path { get; init; }

    /// <summary>The public half: goes to every site that imports.</summary>
    public required string CertificatePath { get; init; }

    public required string Subject { get; init; }

    /// <summary>SHA-256 of the DER certificate, 64 lower-case hexadecimal digits: read it out to whoever adds the trust.</summary>
    public required string Thumbprint { get; init; }

    public required DateTimeOffset NotBefore { get; init; }

    public required DateTimeOffset NotAfter { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Path;
}
