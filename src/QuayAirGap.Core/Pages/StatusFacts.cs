using System.Text.Json.Nodes;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Pages;

/// <summary>Everything that a site's status page says, found out at one moment. Times are UTC.</summary>
public sealed record StatusFacts
{
    /// <summary>How many of the ledger's entries are told.</summary>
    private const int KeptEvents = 12;

    /// <summary>The site's name, as its warnings have it.</summary>
    public required string Site { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>The worst of what is required; never Ok where nothing is.</summary>
    public required FreshnessLevel Level { get; init; }

    /// <summary>What else is wrong with the whole, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Every source of the catalogue, in its order.</summary>
    public required IReadOnlyList<SourceFreshness> Sources { get; init; }

    /// <summary>When the site first had nothing of a source that is missing; null where it has everything, or never had anything.</summary>
    public DateTimeOffset? WithoutSince { get; init; }

    /// <summary>The generation that is served; null for a site that publishes nothing.</summary>
    public Generation? Generation { get; init; }

    /// <summary>What of the upstreams the generation does not publish.</summary>
    public int HeldBack { get; init; }

    /// <summary>What was done to the site last, the newest first: captures, imports, refusals, reverts.</summary>
    public IReadOnlyList<LedgerEntry> Events { get; init; } = [];

    /// <summary>Why the ledger could not be read; null where it could.</summary>
    public string? LedgerTrouble { get; init; }

    public AgeHistory History { get; init; } = AgeHistory.None;

    /// <summary>Looks at a site.</summary>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.SettingsInvalid"/>, <see cref="ErrorIds.GenerationDamaged"/> or <see cref="ErrorIds.SiteDamaged"/>: it cannot be judged
    /// </exception>
    public static StatusFacts Of(Site site, TimeProvider clock)
    {
        DateTimeOffset now = clock.GetUtcNow().ToUniversalTime();
        var settings = SiteSettings.Load(site);
        WarningState kept = WarningState.Load(site, out _);
        var generations = new GenerationStore(site);
        Generation? generation = generations.CurrentNumber is { } number ? Generation.LoadIndex(generations.FolderOf(number)) : null;
        SiteLook look = SiteFreshness.Look(
            site, settings, generation, kept, SiteFreshness.KnownClair(site, settings), now, MachineUptime.Beside(clock));
        IReadOnlyList<SourceFreshness> sources = look.Sources;
        var report = SiteReport.Of(sources, kept.BadSince, now);

        List<LedgerEntry> entries = [];
        string? trouble = null;
        try
        {
            foreach (LedgerEntry entry in new Ledger(site, clock).Read().Where(e => Tells(e.Event)))
            {
                // The files that captures and imports name are not told: only what the page shows is kept in memory.
                entries.Add(entry with { Details = Slim(entry.Details) });
            }
        }
        catch (FeedException e)
        {
            trouble = $"{e.Message} {e.Remedy}";
        }

        return new StatusFacts
        {
            Site = settings.Warnings.Name ?? Environment.MachineName,
            MadeAt = now,
            Level = report.Level,
            Notes = report.Notes,
            Sources = sources,
            WithoutSince = generation?.PublishedAt ?? look.Clock.Signed,
            Generation = generation is null ? null : generation with { Entries = [], HeldBack = [] },
            HeldBack = generation?.HeldBack.Count ?? 0,
            Events = [.. entries.AsEnumerable().Reverse().Take(KeptEvents)],
            LedgerTrouble = trouble,
            History = AgeHistory.Of(site, entries, sources, now),
        };
    }

    private static bool Tells(string @event) =>
        @event is LedgerEvents.FeedSaved or LedgerEvents.FeedImported or LedgerEvents.FeedRestored or LedgerEvents.BundleRefused;

    private static JsonObject Slim(JsonObject details)
    {
        var slim = new JsonObject();
        foreach (string name in new[] { "generation", "sequence", "bundle", "failed", "restored", "error", "reason", "captured", "heldBack" })
        {
            if (details[name] is { } value)
            {
                slim[name] = value.DeepClone();
            }
        }

        return slim;
    }
}
