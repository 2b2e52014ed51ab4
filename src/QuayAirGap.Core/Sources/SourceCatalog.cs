namespace QuayAirGap.Core.Sources;

/// <summary>Every source that Clair has, in one order; the ones without a family are listed and said to be uncollected.</summary>
public static class SourceCatalog
{
    /// <summary>The families, one for each folder under Sources.</summary>
    public static IReadOnlyList<IFeedFamily> Families { get; } =
    [
        new Alpine.AlpineFamily(),
        new Debian.DebianFamily(),
        new Oracle.OracleFamily(),
        new Osv.OsvFamily(),
        new Photon.PhotonFamily(),
        new RedHatMappings.RedHatMappingsFamily(),
        new RhelVex.RhelVexFamily(),
        new Suse.SuseFamily(),
        new Ubuntu.UbuntuFamily(),
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

        yield return Of("aws", SourceKind.UpdaterSet, "Amazon Linux 1, 2 and 2023", "https://cdn.amazonlinux.com/");
        yield return Of("clair.cvss", SourceKind.Enrichment, "CVSS scores from the NVD", "https://nvd.nist.gov/feeds/json/cve/2.0/");
    }
}
