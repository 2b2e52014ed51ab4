namespace QuayAirGap.Core.Freshness;

/// <summary>Where a source's age comes from: each cause is somebody's to mend.</summary>
public enum FeedCause
{
    /// <summary>It is fresh, or nobody wants it.</summary>
    None,

    /// <summary>A clock is wrong: no age can be told.</summary>
    WrongClock,

    /// <summary>Nobody collected it outside.</summary>
    NotCollected,

    /// <summary>It was tried, and failed.</summary>
    CollectionFailed,

    /// <summary>It was brought in, and could not be published.</summary>
    PublicationFailed,

    /// <summary>Its bundle was long on the way.</summary>
    CourierLate,

    /// <summary>Nothing was brought in since the last import: either nobody collected, or nobody carried, or nobody imported.</summary>
    NothingImported,

    /// <summary>It is published here, and Clair has not picked it up.</summary>
    NotIngested,

    /// <summary>Clair does not tell what it has.</summary>
    ClairSilent,

    /// <summary>An older state was restored here.</summary>
    Restored,

    /// <summary>It was left out outside.</summary>
    Deselected,

    /// <summary>A program on the way cannot carry it.</summary>
    Unsupported,
}

/// <summary>The causes in words.</summary>
public static class FeedCauses
{
    /// <returns>What it is and whose it is to mend; empty where nothing is to be mended.</returns>
    public static string Text(FeedCause cause) => cause switch
    {
        FeedCause.WrongClock => "A clock is wrong (for whoever runs this machine or the collector's).",
        FeedCause.NotCollected => "Nobody collected it (for whoever runs Save-ClairFeed outside).",
        FeedCause.CollectionFailed => "Collecting it fails (for whoever runs Save-ClairFeed outside).",
        FeedCause.PublicationFailed => "It cannot be published here (for whoever runs Import-ClairFeed).",
        FeedCause.CourierLate => "Its bundle was long on the way (for whoever carries the bundles).",
        FeedCause.NothingImported => "Nothing was brought in since (for whoever carries the bundles and runs Import-ClairFeed).",
        FeedCause.NotIngested => "Clair has not picked it up (for whoever runs Clair).",
        FeedCause.ClairSilent => "Clair does not tell what it has (for whoever runs Clair, or its key in sources.yaml).",
        FeedCause.Restored => "An older state was restored (for whoever runs Restore-ClairFeed).",
        FeedCause.Deselected => "It was left out outside (for whoever decides what is collected).",
        FeedCause.Unsupported => "A program on the way is too old for it (for whoever installs QuayAirGap).",
        _ => "",
    };
}
