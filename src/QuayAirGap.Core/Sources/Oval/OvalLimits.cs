namespace QuayAirGap.Core.Sources.Oval;

/// <summary>What an honest OVAL document never reaches, so that a bomb costs time and no memory.</summary>
/// <param name="Unpacked">Bytes of one unpacked document. Ubuntu's largest are below 400 MB.</param>
/// <param name="Ratio">Unpacked against packed. OVAL reaches 20 to 60; gzip allows 1,032, bzip2 some 20,000.</param>
/// <param name="Free">Bytes up to which the ratio does not count.</param>
/// <param name="Node">Bytes of one tag, text or comment. Oracle's longest change logs are below 1 MB.</param>
/// <param name="Depth">Elements within each other. Criteria nest some ten levels deep.</param>
internal sealed record OvalLimits(long Unpacked, int Ratio, long Free, int Node, int Depth)
{
    public static OvalLimits Default { get; } = new(4L << 30, 500, 64L << 20, 16 << 20, 200);
}
