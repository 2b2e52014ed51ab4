namespace QuayAirGap.Core.Sites;

public sealed partial class SiteSettings
{
    /// <summary>Reads sources.yaml: what it does not say has its default, what it says wrong is refused with the line.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SettingsInvalid"/></exception>
    public static SiteSettings Load(Site site) => SettingsReader.Read(SettingsDocument.Load(site.SettingsFile));

    /// <summary>The settings of a site, or every default where there is none yet.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SettingsInvalid"/></exception>
    public static SiteSettings LoadOrDefault(Site? site) => site is null ? SettingsReader.Defaults() : Load(site);
}
