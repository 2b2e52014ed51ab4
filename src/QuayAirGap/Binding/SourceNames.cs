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
}
