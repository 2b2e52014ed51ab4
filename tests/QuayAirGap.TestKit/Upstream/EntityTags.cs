namespace QuayAirGap.TestKit.Upstream;

/// <summary>Comparison of entity tags (RFC 9110, 8.8.3) and the forms they take for a compressed answer.</summary>
internal static class EntityTags
{
    private const string ApacheSuffix = "-gzip\"";

    /// <summary>The tag of the same content sent with gzip: Apache appends to it, nginx and the object stores make it weak.</summary>
    public static string? Encoded(string? tag, ETagStyle style) => (tag, style) switch
    {
        (null, _) => null,
        (_, ETagStyle.SizeMtime) => tag[..^1] + ApacheSuffix,
        _ when tag.StartsWith("W/", StringComparison.Ordinal) => tag,
        _ => "W/" + tag,
    };

    /// <summary>Whether If-None-Match names this tag: the weak comparison, in either form.</summary>
    public static bool AnyMatches(string ifNoneMatch, string? tag) =>
        ifNoneMatch.Trim() == "*"
        || (tag is not null && ifNoneMatch.Split(',', StringSplitOptions.TrimEntries).Any(t => Opaque(t) == Opaque(tag)));

    private static string Opaque(string tag)
    {
        var opaque = tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;
        return opaque.EndsWith(ApacheSuffix, StringComparison.Ordinal) ? opaque[..^ApacheSuffix.Length] + "\"" : opaque;
    }
}
