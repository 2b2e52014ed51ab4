namespace QuayAirGap.Core.Sources.Osv.Zip;

/// <summary>What an honest archive of advisories never reaches; checked against the directory before anything is unpacked.</summary>
/// <param name="Members">Entries of the central directory.</param>
/// <param name="DirectorySize">Bytes of the central directory: it is held in memory.</param>
/// <param name="MemberSize">Bytes of one unpacked member: it is held in memory. The largest advisories are below 5 MB.</param>
/// <param name="Ratio">All members unpacked against the whole file. Advisories reach 2 to 8; deflate allows 1,032.</param>
/// <param name="FreeSize">Bytes that all members together may have whatever the ratio.</param>
internal sealed record ZipLimits(int Members, int DirectorySize, int MemberSize, int Ratio, long FreeSize)
{
    public static ZipLimits Default { get; } = new(500_000, 64 << 20, 32 << 20, 100, 64 << 20);
}
