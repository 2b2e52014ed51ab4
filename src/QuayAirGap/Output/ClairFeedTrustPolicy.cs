namespace QuayAirGap;

/// <summary>How a site decides whether to believe a bundle.</summary>
public sealed class ClairFeedTrustPolicy
{
    /// <summary>How many different trusted signers must have signed a bundle.</summary>
    public required int RequiredSigners { get; init; }

    /// <summary>How many signers and authorities the site trusts, whether or not they are still valid.</summary>
    public required int TrustedCertificates { get; init; }

    /// <summary>The one stream that the site takes bundles of; null before the first import.</summary>
    public Guid? Stream { get; init; }

    /// <inheritdoc/>
    public override string ToString() => RequiredSigners.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
