using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Sites;

/// <summary>What sources.yaml says of one source, defaults filled in.</summary>
public sealed record SourceSettings
{
    public required SourceDefinition Definition { get; init; }

    public string Name => Definition.Name;

    public bool Enabled { get; init; } = true;

    /// <summary>Where to fetch from instead of <see cref="SourceDefinition.Uri"/>; null for the default.</summary>
    public Uri? Uri { get; init; }

    /// <summary>Where to fetch from instead of <see cref="SourceDefinition.MirrorUri"/>; null for the default.</summary>
    public Uri? MirrorUri { get; init; }

    /// <summary>A cache that has https://host/path as root/host/path; null for none.</summary>
    public Uri? UpstreamRoot { get; init; }

    /// <summary>Which parts of the source are carried.</summary>
    public SourceSelection Selection
    {
        get => field ?? new SourceSelection(Definition.DefaultParts, []);
        init;
    }

    public TimeSpan WarnAfter { get; init; } = TimeSpan.FromDays(3);

    public TimeSpan CriticalAfter { get; init; } = TimeSpan.FromDays(5);

    public TimeSpan ExpireAfter { get; init; } = TimeSpan.FromDays(7);
}

/// <summary>The site's sources.yaml.</summary>
public sealed partial class SiteSettings
{
    /// <summary>Every source of the catalogue, in its order.</summary>
    public required IReadOnlyList<SourceSettings> Sources { get; init; }

    /// <summary>How many generations and snapshots are kept, the current one included. At least 2.</summary>
    public int KeepGenerations { get; init; } = 7;

    /// <summary>How long a bundle may be imported after it was made.</summary>
    public TimeSpan BundleValidity { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Whom to warn, and how.</summary>
    public WarningSettings Warnings { get; init; } = new();
}
