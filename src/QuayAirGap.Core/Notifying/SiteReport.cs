using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Notifying;

/// <summary>What a site's sources mean together.</summary>
/// <param name="Level">The worst of what is required; never Ok where nothing is.</param>
/// <param name="Facts">What is required and not fresh, the worst first.</param>
/// <param name="Notes">What else is wrong, a sentence each.</param>
internal sealed record SiteReport(FreshnessLevel Level, IReadOnlyList<WarningFact> Facts, IReadOnlyList<string> Notes)
{
    /// <param name="sources">Every source of the catalogue.</param>
    /// <param name="badSince">Since when a source is known not to be fresh.</param>
    /// <param name="now">Where that is not known.</param>
    public static SiteReport Of(IReadOnlyList<SourceFreshness> sources, IReadOnlyDictionary<string, DateTimeOffset> badSince, DateTimeOffset now)
    {
        WarningFact[] facts =
        [
            .. sources.Where(s => s.Required && s.Level != FreshnessLevel.Ok).OrderByDescending(s => s.Level)
                .Select(s => new WarningFact(s, s.StaleSince ?? (badSince.TryGetValue(s.Name, out DateTimeOffset since) ? since : now))),
        ];
        List<string> notes =
        [
            .. sources.Where(s => s is { Required: true, SilentSince: not null }).Select(s =>
                $"{s.Name}: its upstream has published nothing new since {WarningText.Time(s.SilentSince!.Value)}, longer than it usually does. " +
                "See whether the upstream has moved or stopped."),
        ];
        FreshnessLevel level = facts.Length > 0 ? facts[0].Source.Level : notes.Count > 0 ? FreshnessLevel.Warning : FreshnessLevel.Ok;
        if (!sources.Any(s => s.Required))
        {
            level = FreshnessLevel.Critical;
            notes.Add("No source is required at this site: nothing has been found good. Enable what the images here need with Set-ClairFeedSource.");
        }

        return new SiteReport(level, facts, notes);
    }
}
