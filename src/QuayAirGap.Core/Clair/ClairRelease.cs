using System.Text.RegularExpressions;

namespace QuayAirGap.Core.Clair;

/// <summary>What an updater, or the factory of a set, reads of its entry in updaters.config; anything else in it is ignored silently.</summary>
/// <param name="Names">The names of the entries: a set's name or updaters' names, matched as a whole.</param>
/// <param name="Set">The set that it belongs to.</param>
/// <param name="Keys">What is read. Upper and lower case are the same (Go's JSON).</param>
/// <param name="FolderKeys">Those of the keys that are addresses of folders and to which Clair adds no slash: without one, it asks beside them.</param>
internal sealed record UpdaterRule(Regex Names, string Set, IReadOnlyList<string> Keys, IReadOnlyList<string> FolderKeys);

/// <summary>What a release of Clair knows (claircore updater/defaults, matchers/defaults, and the Configure of each updater).</summary>
public sealed class ClairRelease
{
    public const string Default = "4.9.0";

    private static readonly string[] s_sets =
        ["alpine", "aws", "clair.cvss", "debian", "oracle", "osv", "photon", "rhel-vex", "suse", "ubuntu"];

    private static readonly string[] s_matchers =
    [
        "alpine-matcher", "aws-matcher", "debian-matcher", "gobin", "java-maven", "oracle", "photon", "python", "rhel",
        "rhel-container-matcher", "ruby-gem", "suse", "ubuntu-matcher",
    ];

    private ClairRelease(string name, string claircore, string photon, string[] photonUpdaters)
    {
        Name = name;
        PhotonUpdaters = photonUpdaters;
        Claircore = claircore;
        Rules =
        [
            Rule("alpine", "alpine", ["url"], []),
            Rule(@"alpine-(main|community)-(v[0-9]+\.[0-9]+|edge)-updater", "alpine", ["url"], []),
            Rule("debian", "debian", ["mirror_url", "json_url", "archive_url", "oval_url"], ["mirror_url"]),
            Rule("debian/updater", "debian", ["json_url", "url", "dists_url"], []),
            Rule("ubuntu", "ubuntu", ["url", "name", "force"], ["url"]),
            Rule("ubuntu/updater/[a-z]+", "ubuntu", ["url", "use_bzip2"], []),
            Rule("osv", "osv", ["url", "allowlist"], []),
            Rule("osv/.+", "osv", ["url"], []),
            Rule("rhel-vex", "rhel-vex", ["url", "compressed_file_timeout"], ["url"]),
            Rule("oracle-[0-9]{4}-updater", "oracle", ["url", "compression"], []),
            Rule(photon, "photon", ["url", "compression"], []),
            Rule("suse", "suse", ["url"], []),
            Rule(@"suse-updater-(suse\.linux\.enterprise\.server\.[1-9][1-9]|opensuse\.leap\.1[0-9]\.[0-9]+)", "suse", ["url", "compression"], []),
            Rule(@"clair\.cvss", "clair.cvss", ["feed_root"], ["feed_root"]),
        ];
    }

    /// <summary>Clair 4.9.0 (claircore v1.5.48), which Quay 3.17 and 3.18 ship.</summary>
    public static ClairRelease V490 { get; } = new("4.9.0", "v1.5.48", "photon-updater-photon[1-3]",
        ["photon-updater-photon1", "photon-updater-photon2", "photon-updater-photon3"]);

    /// <summary>Clair's main branch (claircore v1.5.52).</summary>
    public static ClairRelease Main { get; } = new("main", "v1.5.52", @"photon-updater-[1-5]\.0",
        ["photon-updater-1.0", "photon-updater-2.0", "photon-updater-3.0", "photon-updater-4.0", "photon-updater-5.0"]);

    public static IReadOnlyList<ClairRelease> All { get; } = [V490, Main];

    /// <summary>"4.9.0" or "main".</summary>
    public string Name { get; }

    /// <summary>The claircore that it is built with.</summary>
    public string Claircore { get; }

    /// <summary>The names that updaters.sets understands.</summary>
    public IReadOnlyList<string> Sets { get; } = s_sets;

    /// <summary>The names that matchers.names understands.</summary>
    public IReadOnlyList<string> Matchers { get; } = s_matchers;

    /// <summary>What it calls Photon's updaters.</summary>
    internal IReadOnlyList<string> PhotonUpdaters { get; }

    /// <summary>Whether one empty database for all of Clair's modes ends in failed migrations.</summary>
    public bool NeedsOneDatabaseForEachMode => this == Main;

    internal IReadOnlyList<UpdaterRule> Rules { get; }

    /// <param name="name">"4.9.0" or "main".</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.ClairModeIncomplete"/></exception>
    public static ClairRelease Get(string name) => All.FirstOrDefault(r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new FeedException(
            ErrorIds.ClairModeIncomplete, $"The release of Clair '{name}' is not known here.", name,
            $"Name the nearest of {string.Join(" and ", All.Select(r => r.Name))}.");

    private static UpdaterRule Rule(string pattern, string set, string[] keys, string[] folders) =>
        new(new Regex($@"\A(?:{pattern})\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking), set, keys, folders);
}
