using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Coverage;

/// <summary>Something that images need and that is not, or would not be, there.</summary>
/// <param name="Source">The source's name.</param>
/// <param name="Part">The part; null for the whole source.</param>
/// <param name="Images">How many images need it.</param>
/// <param name="Reason">Why it is not there, the rest of a sentence: "is disabled".</param>
/// <param name="Remedy">What to do.</param>
public sealed record UnmetNeed(string Source, string? Part, int Images, string Reason, string Remedy)
{
    /// <summary>One sentence for people.</summary>
    public string Message => $"{(Part is null ? $"'{Source}'" : $"'{Part}' of '{Source}'")}, which {Images} image{(Images == 1 ? " needs" : "s need")}, {Reason}.";
}

/// <summary>Holds a list of what is needed against what a site collects.</summary>
public static class NeedSelection
{
    /// <summary>What the settings leave out although it is needed.</summary>
    public static IReadOnlyList<UnmetNeed> LeftOut(FeedNeedList needs, SiteSettings settings)
    {
        List<UnmetNeed> unmet = [];
        foreach (NeededSource need in needs.Sources)
        {
            if (settings.Sources.FirstOrDefault(s => s.Name == need.Name) is not { } source)
            {
                unmet.Add(new UnmetNeed(need.Name, null, need.Images, "is not known to this version of QuayAirGap", "Install a newer one."));
            }
            else if (!source.Enabled)
            {
                unmet.Add(new UnmetNeed(
                    need.Name, null, need.Images, "is disabled", $"Set-ClairFeedSource -Need enables it, or Set-ClairFeedSource {need.Name} -Enabled $true."));
            }
            else if (source.Definition.PartKind is { } kind)
            {
                unmet.AddRange(need.Parts.Where(p => !Wants(source, p.Name)).Select(p => new UnmetNeed(
                    need.Name, p.Name, p.Images, "is left out by -Include or -Exclude", $"Set-ClairFeedSource -Need includes the {kind}.")));
            }
        }

        return unmet;
    }

    /// <summary>What a capture does not hold although it is needed and selected.</summary>
    public static IReadOnlyList<UnmetNeed> NotCaptured(FeedNeedList needs, IReadOnlyList<SourceSnapshot> captured)
    {
        List<UnmetNeed> unmet = [];
        foreach (NeededSource need in needs.Sources)
        {
            SourceSnapshot? source = captured.FirstOrDefault(s => s.Name == need.Name);
            if (source is { State: CaptureState.Deselected or CaptureState.Failed or CaptureState.Missing })
            {
                continue; // said already, as what it is
            }

            unmet.AddRange(need.Parts
                .Where(p => source is not null && !source.Releases.Contains(p.Name, StringComparer.OrdinalIgnoreCase) && !source.Deselected.Contains(p.Name, StringComparer.OrdinalIgnoreCase))
                .Select(p => new UnmetNeed(
                    need.Name, p.Name, p.Images, "is not what its upstream has",
                    "A release that has ended may be gone for good: build these images on another one. Otherwise see whether the upstream, or the cache in between, is complete.")));
        }

        return unmet;
    }

    /// <summary>The change that makes a source what is needed; null for none.</summary>
    /// <param name="source">As it is set.</param>
    /// <param name="needs">The list.</param>
    /// <param name="narrow">Whether what nobody needs is left out from now on.</param>
    /// <param name="knownParts">The parts that upstream had at the last capture; empty where that is not known.</param>
    public static SourceSettingsChange? ChangeFor(SourceSettings source, FeedNeedList needs, bool narrow, IReadOnlyList<string> knownParts)
    {
        if (needs.Of(source.Name) is not { } need)
        {
            // Scores and mappings are no image's own: whoever looks at an image needs them.
            return narrow && source.Enabled && source.Definition.Kind == SourceKind.UpdaterSet ? new SourceSettingsChange { Enabled = false } : null;
        }

        var change = new SourceSettingsChange { Enabled = source.Enabled ? null : true };
        if (source.Definition.PartKind is not null && need.Parts.Count > 0)
        {
            string[] parts = [.. need.Parts.Select(p => p.Name).Where(p => knownParts.Count == 0 || knownParts.Contains(p, StringComparer.OrdinalIgnoreCase))];
            string[] exclude = [.. source.Exclude.Where(pattern => !parts.Any(p => IsExcludedBy(pattern, source.Name, p)))];
            string[] missing = [.. parts.Where(p => !Wants(source with { Exclude = exclude }, p))];
            string[] include = narrow && parts.Length > 0 ? parts
                : missing.Length == 0 ? [.. source.Include]
                : [.. source.Selection.Include, .. missing];
            change = change with
            {
                Include = Same(include, source.Include) ? null : include,
                Exclude = Same(exclude, source.Exclude) ? null : exclude,
            };
        }

        return change == new SourceSettingsChange() ? null : change;
    }

    /// <summary>Ubuntu's releases can be chosen by version as well.</summary>
    private static bool Wants(SourceSettings source, string part)
    {
        SourceSelection selection = source.Selection;
        return VersionOf(source.Name, part) is { } version
            ? !selection.Exclude.Any(e => IsExcludedBy(e, source.Name, part)) && (selection.Include.Count == 0 || selection.Wants(part) || selection.Wants(version))
            : selection.Wants(part);
    }

    private static bool IsExcludedBy(string pattern, string source, string part)
    {
        var selection = new SourceSelection([], [pattern]);
        return !selection.Wants(part) || (VersionOf(source, part) is { } version && !selection.Wants(version));
    }

    private static string? VersionOf(string source, string part) =>
        source == "ubuntu" ? DistributionReleases.Ubuntu.FirstOrDefault(r => r.Release == part)?.Indexed.VersionId : null;

    private static bool Same(IReadOnlyList<string> one, IReadOnlyList<string> other) => new HashSet<string>(one, StringComparer.OrdinalIgnoreCase).SetEquals(other);
}
