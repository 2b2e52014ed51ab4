using System.Globalization;
using System.Text;

namespace QuayAirGap.Core.Sources.Osv;

/// <summary>
/// What makes a released Clair fail a whole ecosystem, or die, because of one advisory. What Clair merely ignores or misreads is not its
/// business. The versions read: claircore v1.5.48 (Clair 4.9.0), v1.5.52 (Clair's main branch) and v1.5.54-33 (next); updater/osv/osv.go,
/// datastore/postgres/updatevulnerabilities.go and the migrations beside it.
/// </summary>
internal static class OsvHazards
{
    /// <summary>Rises with every change to what is held back: results of an older count are not reused.</summary>
    public const int Version = 1;

    /// <summary>
    /// PostgreSQL refuses an index entry above 2,704 bytes, and with it the whole update. Package names and aliases are index keys;
    /// the columns beside them need room too.
    /// </summary>
    private const int LongestKey = 2000;

    /// <summary>A withdrawal is sure to lie in the past of a Clair whose clock is slow.</summary>
    private static readonly TimeSpan s_clockDifference = TimeSpan.FromDays(1);

    /// <returns>Why the advisory must not reach Clair, or null.</returns>
    public static string? Find(OsvAdvisory advisory, DateTimeOffset publishedAt)
    {
        if (IsPassedOver(advisory, publishedAt))
        {
            return null;
        }

        if (!advisory.Id.Contains('-', StringComparison.Ordinal))
        {
            return "its id has no hyphen: Clair fails the ecosystem (claircore from v1.5.53)";
        }

        foreach ((string type, string score) in advisory.Severities)
        {
            if (CvssVector.CrashesClair(type, score))
            {
                return $"its {type} vector lacks base metrics: Clair's process dies (claircore up to v1.5.48)";
            }
        }

        foreach (OsvAffected affected in advisory.Affected)
        {
            foreach (OsvRange range in affected.Ranges.Where(r => r.Events.Count > 0))
            {
                if (range.Type == "ECOSYSTEM" && affected.Ecosystem is "Go" or "npm")
                {
                    return $"it has a range of type ECOSYSTEM for {affected.Ecosystem}: Clair fails the ecosystem (claircore up to v1.5.52)";
                }

                if (range.Type == "SEMVER" && SemverBounds.AreReversed(range))
                {
                    return "a version is beyond 2,147,483,647, and the range ends before it begins: the database refuses the update";
                }
            }
        }

        return FindInTexts(advisory);
    }

    /// <summary>Clair takes nothing from it. Withdrawn is looked at first, then whether all ranges are of a source repository.</summary>
    private static bool IsPassedOver(OsvAdvisory advisory, DateTimeOffset publishedAt) =>
        (advisory.Withdrawn is { Ticks: > 0 } withdrawn && withdrawn < publishedAt.UtcDateTime - s_clockDifference)
        || advisory.Affected.SelectMany(a => a.Ranges).All(r => r.Type == "GIT");

    private static string? FindInTexts(OsvAdvisory advisory)
    {
        bool scored = advisory.Severities.Any(s => s.Type is "CVSS_V2" or "CVSS_V3" or "CVSS_V4");
        IEnumerable<string> texts =
        [
            advisory.Id, advisory.Summary, scored ? "" : advisory.DatabaseSeverity, .. advisory.Severities.Select(s => s.Score),
            .. advisory.References, .. advisory.Aliases, .. advisory.Affected.SelectMany(a => new[] { a.Ecosystem, a.Name, a.Purl }),
        ];
        if (texts.Any(t => t.Contains('\0', StringComparison.Ordinal)))
        {
            return "a text holds a NUL character: the database refuses the update";
        }

        IEnumerable<string> keys = [advisory.Id, .. advisory.Aliases, .. advisory.Affected.SelectMany(a => new[] { a.Name, a.Purl })];
        return keys.Any(k => Encoding.UTF8.GetByteCount(k) > LongestKey)
            ? $"an identifier or package name has more than {LongestKey.ToString(CultureInfo.InvariantCulture)} bytes: the database refuses the update"
            : null;
    }
}
