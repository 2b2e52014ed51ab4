using QuayAirGap.Core.Coverage;

namespace QuayAirGap.Commands;

/// <summary>Turns coverage into public objects.</summary>
internal static class CoverageMapper
{
    public static ClairImageCoverage Image(string name, IReadOnlyList<string> tags, ImageCoverage image, int? generation) => new()
    {
        Image = name,
        ManifestDigest = image.ManifestDigest,
        Tags = [.. tags],
        Verdict = image.Verdict.ToString(),
        Summary = image.Summary,
        PackageCount = image.PackageCount,
        PackagesSpokenFor = image.PackagesSpokenFor,
        Distributions = [.. image.Distributions],
        Gaps = [.. image.Gaps.Select(Gap)],
        Needs = [.. image.Needs.Select(Need)],
        Notes = [.. image.Notes.Select(n => $"{n.Code}: {n.Message}")],
        ClairRelease = image.ClairRelease,
        ClairAsked = image.ClairAsked.ToString(),
        ImageCreatedAt = image.ImageCreatedAt,
        Generation = generation,
        EvaluatedAt = image.EvaluatedAt,
    };

    private static ClairCoverageGap Gap(CoverageGap gap) => new()
    {
        Code = gap.Code,
        Verdict = gap.Verdict.ToString(),
        Source = gap.Source,
        Part = gap.Part,
        Subject = gap.Subject,
        Message = gap.Message,
        Remedy = gap.Remedy,
        Since = gap.Since,
        Age = gap.Age,
        PackageCount = gap.PackageCount,
    };

    private static ClairCoverageNeed Need(CoverageNeed need) => new()
    {
        Source = need.Source,
        Part = need.Part,
        Subject = need.Subject,
        Updaters = [.. need.Updaters],
        State = need.State.ToString(),
        Level = need.Level.ToString(),
        CapturedAt = need.CapturedAt,
        PackageCount = need.PackageCount,
        Decides = need.Decides,
    };
}
