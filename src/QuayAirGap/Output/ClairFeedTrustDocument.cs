namespace QuayAirGap;

/// <summary>A trust document: what an offline root says of signers. Times are UTC.</summary>
public sealed class ClairFeedTrustDocument
{
    public required string Path { get; init; }

    /// <summary>SHA-256 of the root's certificate, 64 lower-case hexadecimal digits.</summary>
    public required string Root { get; init; }

    /// <summary>Rises with each document of the root.</summary>
    public required long Number { get; init; }

    public required DateTimeOffset Issued { get; init; }

    /// <summary>SHA-256 of every certificate that it vouches for.</summary>
    public required string[] Signers { get; init; }

    /// <summary>SHA-256 of every certificate that it revokes.</summary>
    public required string[] Revoked { get; init; }

    /// <summary>SHA-256 of the certificates that the site trusts now and did not before; empty where a document was made.</summary>
    public string[] Added { get; init; } = [];

    /// <summary>SHA-256 of the certificates that the site has revoked now and had not before; empty where a document was made.</summary>
    public string[] NewlyRevoked { get; init; } = [];

    /// <inheritdoc/>
    public override string ToString() => Path;
}
