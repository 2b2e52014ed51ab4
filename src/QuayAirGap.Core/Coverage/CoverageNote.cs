namespace QuayAirGap.Core.Coverage;

/// <summary>Something that is worth knowing beside a verdict and does not change it.</summary>
/// <param name="Code">One of <see cref="CoverageCodes"/>.</param>
/// <param name="Source">The source's name in the catalogue; null where it concerns none.</param>
/// <param name="Part">As <see cref="CoverageNeed.Part"/>.</param>
/// <param name="Message">What it is, and what it means for the image.</param>
public sealed record CoverageNote(string Code, string? Source, string? Part, string Message)
{
    /// <summary>What it names, an id each: of advisories that are held back, all of them up to <see cref="MostItems"/>; else empty.</summary>
    public IReadOnlyList<string> Items { get; init; } = [];

    /// <summary>How many there are, named or not.</summary>
    public int ItemCount { get; init; }

    /// <summary>More would say nothing more, and stands in every image's report.</summary>
    public const int MostItems = 200;
}
