namespace QuayAirGap.Core.Sources;

/// <summary>Every source that Clair has, in one order; the ones without a family are listed and said to be uncollected.</summary>
public static class SourceCatalog
{
    /// <summary>The families, one for each folder under Sources.</summary>
    public static IReadOnlyList<IFeedFamily> Families { get; } =
    [
        new Alpine.AlpineFamily(),
        new Aws.AwsFamily(),
        new Debian.DebianFamily(),
        new Epss.EpssFamily(),
        new Kev.KevFamily(),
        new Nvd.NvdFamily(),
        new Osv.OsvFamily(),
        new RedHatMappings.RedHatMappingsFamily(),
        new RhelVex.RhelVexFamily(),
    ];

    /// <summary>All sources, collected or not, in alphabetical order within updater sets, then the indexer's mappings.</summary>
    public static IReadOnlyList<SourceDefinition> All { get; } =
    [
        .. Families.SelectMany(f => f.Sources).Concat(Uncollected())
            .OrderBy(s => s.Kind == SourceKind.IndexerMapping).ThenBy(s => s.Name, StringComparer.Ordinal),
    ];

    public static SourceDefinition? Find(string name) =>
        All.FirstOrDefault(s => string.Equals(s.Name, name, StringComparison.OrdinalIgnoreCase));

    public static IFeedFamily? FamilyOf(SourceDefinition source) => Families.FirstOrDefault(f => f.Sources.Contains(source));

    /// <summary>The source of that name, or an error that names the nearest one.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SourceUnknown"/></exception>
    public static SourceDefinition Get(string name)
    {
        if (Find(name) is { } found)
        {
            return found;
        }

        throw new FeedException(
            ErrorIds.SourceUnknown, $"There is no source '{name}'.", name,
            $"Did you mean '{Nearest.To(name, All.Select(s => s.Name))}'? Get-ClairFeedSource lists all {All.Count}.");
    }

    private static IEnumerable<SourceDefinition> Uncollected()
    {
        static SourceDefinition Of(string name, SourceKind kind, string covers, string uri) => new()
        {
            Name = name,
            Kind = kind,
            Covers = covers,
            Uri = new Uri(uri),
            IsCollected = false,
        };

        yield return Of("oracle", SourceKind.UpdaterSet, "Oracle Linux 5 to 9", "https://linux.oracle.com/security/oval/");
        yield return Of("photon", SourceKind.UpdaterSet, "VMware Photon OS", "https://packages.vmware.com/photon/photon_oval_definitions/");
        yield return Of("suse", SourceKind.UpdaterSet, "SUSE Linux Enterprise Server and openSUSE Leap", "https://ftp.suse.com/pub/projects/security/oval/");
        yield return Of("ubuntu", SourceKind.UpdaterSet, "Ubuntu", "https://security-metadata.canonical.com/oval/");
    }
}
