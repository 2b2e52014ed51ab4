namespace QuayAirGap.Core.Coverage;

/// <summary>Whether a verdict knows what Clair itself has, or only what it could have.</summary>
public enum ClairAsked
{
    /// <summary>Judged by what the mirror serves; Clair's own state was not asked.</summary>
    NotAsked,

    /// <summary>The settings name a Clair that does not answer, or that nobody asked for a day.</summary>
    Silent,

    /// <summary>Clair was asked which updaters it ever ran, not how old what it has is.</summary>
    Updaters,

    /// <summary>Clair was asked what it has, and its fingerprints were held against what is served.</summary>
    Answered,
}
