namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>The tables of RFC 1951, 3.2.5 and 3.2.7.</summary>
internal static class DeflateCodes
{
    public const int MinMatch = 3;

    /// <summary>The symbol behind the literals; those of lengths follow it.</summary>
    public const int EndOfBlock = 256;

    /// <summary>Of each length code: the extra bits that follow it.</summary>
    public static ReadOnlySpan<byte> LengthExtra => [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

    /// <summary>Of each length code: its shortest match, less <see cref="MinMatch"/>.</summary>
    public static ReadOnlySpan<byte> LengthBase =>
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 255];

    /// <summary>Of each distance code: the extra bits that follow it.</summary>
    public static ReadOnlySpan<byte> DistanceExtra => [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];

    /// <summary>Of each distance code: its shortest distance, less one.</summary>
    public static ReadOnlySpan<ushort> DistanceBase =>
    [
        0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576,
    ];

    /// <summary>Of each code for code lengths: the extra bits that follow it.</summary>
    public static ReadOnlySpan<byte> CodeExtra => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7];

    /// <summary>The order in which the lengths of the codes for code lengths are sent.</summary>
    public static ReadOnlySpan<byte> CodeOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
}
