namespace QuayAirGap.Core.Sources;

/// <summary>Every source that Clair has, in one order.</summary>
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
        new Oracle.OracleFamily(),
        new Osv.OsvFamily(),
        new Photon.PhotonFamily(),
        new RedHatMappings.RedHatMappingsFamily(),
        new RhelVex.RhelVexFamily(),
        new Suse.SuseFamily(),
        new Ubuntu.UbuntuFamily(),
    ];

    /// <summary>All sources, in alphabetical order within updater sets, then the indexer's mappings.</summary>
    public static IReadOnlyList<SourceDefinition> All { get; } =
    [
        .. Families.SelectMany(f => f.Sources)
            .OrderBy(s => s.Kind == SourceKind.IndexerMapping).ThenBy(s => s.Name, StringComparer.Ordinal),
    ];

    public static SourceDefinition? Find(string name) =>
        All.FirstOrDefault(s => string.Equals(s.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The family of one of the catalogue's sources.</summary>
    public static IFeedFamily FamilyOf(SourceDefinition source) => Families.First(f => f.Sources.Contains(source));

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
}
