using System.IO.Enumeration;

namespace QuayAirGap.Core.Sources;

/// <summary>
/// Which parts of a source are carried, where Clair can do without the rest. Names are compared without regard to case and may hold the
/// wildcards * and ?. What is excluded is never included.
/// </summary>
/// <param name="Include">Empty for all.</param>
/// <param name="Exclude">Goes before <paramref name="Include"/>.</param>
public sealed record SourceSelection(IReadOnlyList<string> Include, IReadOnlyList<string> Exclude)
{
    /// <summary>Everything that upstream has.</summary>
    public static SourceSelection All { get; } = new([], []);

    public bool Wants(string part) =>
        !Exclude.Any(p => FileSystemName.MatchesSimpleExpression(p, part)) && (Include.Count == 0 || Include.Any(p => FileSystemName.MatchesSimpleExpression(p, part)));
}
