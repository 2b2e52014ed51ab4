using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Commands;

/// <summary>The sources that a -Name means.</summary>
internal static class SourceNames
{
    /// <summary>One source for a plain name, in any case; any number for a name with wildcards.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SourceUnknown"/>: a plain name that is none.</exception>
    public static IEnumerable<SourceDefinition> Matching(string name)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(name))
        {
            return [SourceCatalog.Get(name)];
        }

        var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);
        return SourceCatalog.All.Where(s => pattern.IsMatch(s.Name));
    }

    /// <summary>The same, but wildcards mean only the sources that this version collects: "*" must not fail because of the others.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SourceUnknown"/> or <see cref="ErrorIds.SourceUnsupported"/> for a plain name.</exception>
    public static IEnumerable<SourceDefinition> Collectable(string name)
    {
        if (WildcardPattern.ContainsWildcardCharacters(name))
        {
            return Matching(name).Where(s => s.IsCollected);
        }

        SourceDefinition source = SourceCatalog.Get(name);
        return source.IsCollected
            ? [source]
            : throw new FeedException(
                ErrorIds.SourceUnsupported, $"This version cannot collect '{source.Name}'.", source.Name,
                "Leave it out; Get-ClairFeedSource says which sources can be collected.");
    }
}
