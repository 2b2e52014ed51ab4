using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Coverage;

/// <summary>Who last decided at this site which content of a source is wanted.</summary>
/// <param name="Actor">"user@host".</param>
/// <param name="Time">UTC.</param>
internal sealed record SettingsDecision(string Actor, DateTimeOffset Time)
{
    /// <summary>As they are written, and as ledgers have them from before.</summary>
    private static readonly string[] s_choices = ["enabled", "include", "exclude", "Enabled", "Include", "Exclude"];

    /// <summary>By source, of the ledger; nothing where it says nothing, or cannot be read: who it was decides on no verdict.</summary>
    public static IReadOnlyDictionary<string, SettingsDecision> NewestOf(Site site)
    {
        var newest = new Dictionary<string, SettingsDecision>(StringComparer.OrdinalIgnoreCase);
        try
        {
            foreach (LedgerEntry entry in new Ledger(site, TimeProvider.System).Read().Where(e => e.Event == LedgerEvents.SettingsChanged))
            {
                if (entry.Details["source"]?.ToString() is { } source && s_choices.Any(entry.Details.ContainsKey))
                {
                    newest[source] = new SettingsDecision(entry.Actor, entry.Time);
                }
            }
        }
        catch (Exception e) when (e is FeedException or IOException or UnauthorizedAccessException)
        {
            return newest;
        }

        return newest;
    }
}
