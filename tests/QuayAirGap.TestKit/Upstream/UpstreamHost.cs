namespace QuayAirGap.TestKit.Upstream;

/// <summary>The habits of one host: what its entity tags and listings look like.</summary>
/// <param name="ETags">How its entity tags are formed.</param>
/// <param name="Listing">What its directories without an index look like.</param>
public sealed record UpstreamHost(ETagStyle ETags = ETagStyle.QuotedHash, ListingStyle Listing = ListingStyle.Apache)
{
    private static readonly Dictionary<string, UpstreamHost> s_asSeen = new(StringComparer.Ordinal)
    {
        ["secdb.alpinelinux.org"] = new(ETagStyle.SizeMtime, ListingStyle.Nginx),
        ["ftp.debian.org"] = new(ETagStyle.SizeMtime),
        ["security-tracker.debian.org"] = new(ETagStyle.Weak),
    };

    internal static UpstreamHost Default(string host) => s_asSeen.TryGetValue(host, out var habits) ? habits : new UpstreamHost();
}
