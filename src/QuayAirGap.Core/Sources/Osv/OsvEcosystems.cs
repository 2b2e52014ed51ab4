using System.Globalization;

namespace QuayAirGap.Core.Sources.Osv;

/// <summary>One line of ecosystems.txt that Clair makes an updater of.</summary>
/// <param name="Key">Lower case, without what follows a colon: "pypi". Clair's updater is "osv/" + key.</param>
/// <param name="Line">The line as it is, which is the folder of its all.zip: "PyPI".</param>
internal sealed record OsvEcosystem(string Key, string Line)
{
    public string Updater => "osv/" + Key;

    /// <summary>Where its archive is, below the source's base URL; null where the line cannot be a folder's name.</summary>
    public Uri? ArchiveUnder(Uri baseUri) =>
        Line is "" or "." or ".." || Line.AsSpan().ContainsAny('/', '\\') || Line.Any(char.IsControl)
            ? null
            : new Uri(baseUri, "./" + Uri.EscapeDataString(Line) + "/all.zip");
}

/// <summary>The list of ecosystems, read as Clair reads it (claircore: updater/osv/osv.go, Factory.UpdaterSet).</summary>
internal static class OsvEcosystems
{
    /// <summary>Bytes; the list has a few hundred.</summary>
    public const int LargestList = 1 << 20;

    /// <summary>The ones that have a matcher in Clair: without a matcher, an ecosystem's advisories are stored and never used.</summary>
    public static IReadOnlyList<string> Matched { get; } = ["go", "maven", "pypi", "rubygems"];

    /// <summary>The ones that Clair does not ask for, mostly because it has an updater of its own for them.</summary>
    private static readonly HashSet<string> s_ignored = new(StringComparer.Ordinal)
    {
        "almalinux", "alpine", "android", "chainguard", "debian", "github actions", "linux", "opensuse", "oss-fuzz", "red hat", "rocky linux",
        "suse", "ubuntu", "wolfi",
    };

    /// <summary>The first line of each ecosystem, in the list's order, without those that Clair ignores.</summary>
    public static IReadOnlyList<OsvEcosystem> Parse(TextReader list)
    {
        var ecosystems = new List<OsvEcosystem>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (list.ReadLine() is { } line)
        {
            string key = line.ToLower(CultureInfo.InvariantCulture);
            int colon = key.IndexOf(':', StringComparison.Ordinal);
            key = colon < 0 ? key : key[..colon];
            if (seen.Add(key) && key.Length > 0 && !s_ignored.Contains(key))
            {
                ecosystems.Add(new OsvEcosystem(key, line));
            }
        }

        return ecosystems;
    }
}
