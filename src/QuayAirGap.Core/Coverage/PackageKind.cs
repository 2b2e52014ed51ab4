namespace QuayAirGap.Core.Coverage;

/// <summary>What put a package where the indexer found it, by the database that the indexer names.</summary>
/// <param name="Title">For people.</param>
/// <param name="IsLanguage">A language's own: no distribution speaks for it.</param>
/// <param name="Orphan">What it means where Clair knows neither distribution nor repository of it.</param>
internal sealed record PackageKind(string Title, bool IsLanguage, string Orphan)
{
    private const string NoRepository = "Clair gave them no repository, and its matchers look for nothing else";

    private static readonly PackageKind s_rpm = new(
        "rpm packages of an unknown distribution", false,
        "its indexer knows Red Hat, Oracle (5 to 9), SUSE, Amazon and Photon; it never judges CentOS, Rocky, AlmaLinux, Fedora and others");
    private static readonly PackageKind s_apk = new(
        "apk packages of an unknown distribution", false, "its indexer knows Alpine; it never judges Wolfi, Chainguard and others");
    private static readonly PackageKind s_dpkg = new(
        "dpkg packages of an unknown distribution", false,
        "its indexer knows released Debian and Ubuntu; it never judges testing, sid, and derivatives");
    private static readonly PackageKind s_container = new("container images without Red Hat's repository", true, NoRepository);
    private static readonly PackageKind s_other = new("packages of a kind that is not known here", false, "no matcher of Clair is known to take them");

    private static readonly (string Prefix, PackageKind Kind)[] s_languages =
    [
        ("go:", new("Go modules without a repository", true, NoRepository)),
        ("python:", new("Python packages without a repository", true, NoRepository)),
        ("maven:", new("Java archives without a repository", true, NoRepository)),
        ("jar:", new("Java archives without a repository", true, NoRepository)),
        ("file:", new("Java archives without a repository", true, NoRepository)),
        ("ruby:", new("Ruby gems without a repository", true, NoRepository)),
        ("nodejs:", new("npm packages", true, "Clair has no matcher for them")),
    ];

    private static readonly string[] s_rpmMarks = ["var/lib/rpm", "sysimage/rpm", "rpmdb", "Packages.db"];

    public static PackageKind Of(string database)
    {
        if (Array.Find(s_languages, l => database.StartsWith(l.Prefix, StringComparison.Ordinal)).Kind is { } language)
        {
            return language;
        }

        return database.Contains("dpkg/", StringComparison.Ordinal) ? s_dpkg
            : database.EndsWith("apk/db/installed", StringComparison.Ordinal) ? s_apk
            : database.StartsWith("root/buildinfo/", StringComparison.Ordinal) || database.EndsWith("labels.json", StringComparison.Ordinal) ? s_container
            : Array.Exists(s_rpmMarks, m => database.Contains(m, StringComparison.Ordinal)) ? s_rpm
            : s_other;
    }
}
