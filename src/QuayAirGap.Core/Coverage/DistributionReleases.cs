namespace QuayAirGap.Core.Coverage;

/// <summary>A release of a distribution that Clair knows, and until when its upstream publishes advisories for everybody.</summary>
/// <param name="Rule">The <see cref="DistributionRule.Key"/>.</param>
/// <param name="Release">As <see cref="DistributionRule.ReleaseOf"/> gives it.</param>
/// <param name="Title">For people.</param>
/// <param name="EndOfLife">The last day, UTC; null where none is announced.</param>
/// <param name="Basis">What ends on that day, for people; a vendor has several ends.</param>
/// <param name="Page">Where the upstream says so.</param>
/// <param name="Indexed">As Clair's indexer writes it.</param>
/// <param name="Caveat">What the date does not say; null for nothing.</param>
internal sealed record DistributionRelease(
    string Rule, string Release, string Title, DateOnly? EndOfLife, string Basis, string Page, IndexDistribution Indexed, string? Caveat = null);

/// <summary>
/// The releases, with their ends as their upstreams announced them, checked against endoflife.date (state of 2026-08-22). Of a vendor's several
/// ends the one is taken after which the feed that Clair reads no longer speaks for everybody's packages. Of a month its last day is taken;
/// where announcements differ, the earlier day, for a release must not look maintained that is not. A release that is not here, a newer one
/// above all, has no end that this program knows of; an end that lies ahead is none yet.
/// </summary>
internal static class DistributionReleases
{
    private const string AlpinePage = "https://alpinelinux.org/releases/";
    private const string DebianPage = "https://wiki.debian.org/LTS";
    private const string UbuntuPage = "https://wiki.ubuntu.com/Releases";
    private const string OraclePage = "https://www.oracle.com/a/ocom/docs/elsp-lifetime-069338.pdf";
    private const string SusePage = "https://www.suse.com/lifecycle";
    private const string LeapPage = "https://en.opensuse.org/Lifetime";
    private const string RedHatPage = "https://access.redhat.com/support/policy/updates/errata";

    private const string AlpineCaveat = "Only packages of main are maintained until then; those of community only until the next release.";
    private const string DebianCaveat =
        "Some packages are left out of LTS. After it Debian's tracker drops the release; extended support (ELTS) has a tracker of its own, which Clair does not read.";
    private const string UbuntuCaveat =
        "After it Ubuntu's OVAL goes on and calls what is not fixed 'end of standard support', which Clair does not report; fixes are for subscribers of Ubuntu Pro (ESM).";
    private const string InterimCaveat = "After it Launchpad no longer lists the series as active, and Clair no longer asks for it.";
    private const string OracleCaveat = "Errata of Extended Support are for its customers, and for selected packages.";
    private const string SuseCaveat =
        "Older service packs ended before. SUSE's OVAL and Clair's indexer know only the major version: an older service pack is judged by what the newest "
        + "one fixes, and its own fixes (LTSS) are for subscribers.";
    private const string Suse16Caveat = "Each minor release has general support for two years (16.0 until 2027-11-30); no end of the major version is announced.";
    private const string RedHatCaveat =
        "An older minor release ends with the next one; EUS and ELS have ends of their own, and their fixes are for subscribers.";
    private const string PhotonCaveat = "Told by its makers, in line with vSphere; an earlier plan named an earlier day (3.0: March 2024, 4.0: March 2026).";
    private const string AmazonCaveat = "Only core packages are maintained until then; others end earlier.";

    public static IReadOnlyList<DistributionRelease> Alpine { get; } =
    [
        OfAlpine(3, 2017, 11, 1), OfAlpine(4, 2018, 5, 1), OfAlpine(5, 2018, 11, 1), OfAlpine(6, 2019, 5, 1), OfAlpine(7, 2019, 11, 1),
        OfAlpine(8, 2020, 5, 1), OfAlpine(9, 2020, 11, 1), OfAlpine(10, 2021, 5, 1), OfAlpine(11, 2021, 11, 1), OfAlpine(12, 2022, 5, 1),
        OfAlpine(13, 2022, 11, 1), OfAlpine(14, 2023, 5, 1), OfAlpine(15, 2023, 11, 1), OfAlpine(16, 2024, 5, 23), OfAlpine(17, 2024, 11, 22),
        OfAlpine(18, 2025, 5, 9), OfAlpine(19, 2025, 11, 1), OfAlpine(20, 2026, 4, 1), OfAlpine(21, 2026, 11, 1), OfAlpine(22, 2027, 5, 1),
        OfAlpine(23, 2027, 11, 1), OfAlpine(24, 2028, 6, 1),
        new("alpine", "edge", "Alpine Linux edge", null, "", AlpinePage, new() { Did = "alpine", Name = "Alpine Linux", Version = "edge", PrettyName = "Alpine Linux edge" }),
    ];

    public static IReadOnlyList<DistributionRelease> Amazon { get; } =
    [
        OfAmazon("2018.03", "Amazon Linux AMI", new DateOnly(2023, 12, 31), "maintenance support", "https://aws.amazon.com/amazon-linux-ami/faqs/", null),
        OfAmazon("2", "Amazon Linux", new DateOnly(2026, 6, 30), "support", "https://aws.amazon.com/amazon-linux-2/faqs/", AmazonCaveat),
        OfAmazon("2023", "Amazon Linux", new DateOnly(2029, 6, 30), "maintenance", "https://docs.aws.amazon.com/linux/al2023/ug/release-cadence.html", AmazonCaveat),
    ];

    public static IReadOnlyList<DistributionRelease> Debian { get; } =
    [
        OfDebian(7, "wheezy", new DateOnly(2018, 5, 31)), OfDebian(8, "jessie", new DateOnly(2020, 6, 30)),
        OfDebian(9, "stretch", new DateOnly(2022, 6, 30)), OfDebian(10, "buster", new DateOnly(2024, 6, 30)),
        OfDebian(11, "bullseye", new DateOnly(2026, 8, 31)), OfDebian(12, "bookworm", new DateOnly(2028, 6, 30)),
        OfDebian(13, "trixie", new DateOnly(2030, 6, 30)),
    ];

    public static IReadOnlyList<DistributionRelease> Ubuntu { get; } =
    [
        OfUbuntu("12.04", "Precise", new DateOnly(2017, 4, 28)), OfUbuntu("14.04", "Trusty", new DateOnly(2019, 4, 25)),
        OfUbuntu("16.04", "Xenial", new DateOnly(2021, 4, 30)), OfUbuntu("18.04", "Bionic", new DateOnly(2023, 5, 31)),
        OfInterim("18.10", "Cosmic", new DateOnly(2019, 7, 18)), OfInterim("19.04", "Disco", new DateOnly(2020, 1, 23)),
        OfInterim("19.10", "Eoan", new DateOnly(2020, 7, 17)), OfUbuntu("20.04", "Focal", new DateOnly(2025, 5, 31)),
        OfInterim("20.10", "Groovy", new DateOnly(2021, 7, 22)), OfInterim("21.04", "Hirsute", new DateOnly(2022, 1, 20)),
        OfInterim("21.10", "Impish", new DateOnly(2022, 7, 14)), OfUbuntu("22.04", "Jammy", new DateOnly(2027, 4, 30)),
        OfInterim("22.10", "Kinetic", new DateOnly(2023, 7, 20)), OfInterim("23.04", "Lunar", new DateOnly(2024, 1, 25)),
        OfInterim("23.10", "Mantic", new DateOnly(2024, 7, 11)), OfUbuntu("24.04", "Noble", new DateOnly(2029, 4, 30)),
        OfInterim("24.10", "Oracular", new DateOnly(2025, 7, 10)), OfInterim("25.04", "Plucky", new DateOnly(2026, 1, 15)),
        OfInterim("25.10", "Questing", new DateOnly(2026, 7, 31)), OfUbuntu("26.04", "Resolute", new DateOnly(2031, 4, 30)),
    ];

    public static IReadOnlyList<DistributionRelease> Oracle { get; } =
    [
        OfOracle("5", new DateOnly(2017, 6, 30)), OfOracle("6", new DateOnly(2021, 3, 31)), OfOracle("7", new DateOnly(2024, 12, 31)),
        OfOracle("8", new DateOnly(2029, 7, 31)), OfOracle("9", new DateOnly(2032, 6, 30)),
    ];

    public static IReadOnlyList<DistributionRelease> Photon { get; } =
    [
        OfPhoton("1.0", new DateOnly(2022, 2, 28), "https://blogs.vmware.com/vsphere/2022/01/photon-1-x-end-of-support-announcement.html"),
        OfPhoton("2.0", new DateOnly(2022, 12, 31), "https://blogs.vmware.com/vsphere/2022/01/photon-1-x-end-of-support-announcement.html"),
        OfPhoton("3.0", new DateOnly(2025, 10, 2), "https://github.com/endoflife-date/endoflife.date/pull/9025", PhotonCaveat),
        OfPhoton("4.0", new DateOnly(2027, 10, 11), "https://github.com/endoflife-date/endoflife.date/pull/9025", PhotonCaveat),
        OfPhoton("5.0", null, "https://blogs.vmware.com/vsphere/2023/05/announcing-photon-os-5-0-general-availability.html"),
    ];

    public static IReadOnlyList<DistributionRelease> Suse { get; } =
    [
        OfSles("11", new DateOnly(2019, 3, 31)), OfSles("12", new DateOnly(2024, 10, 31)), OfSles("15", new DateOnly(2031, 7, 31)), OfSles("16", null, Suse16Caveat),
        OfLeap("15.5", new DateOnly(2024, 12, 31)), OfLeap("15.6", new DateOnly(2026, 4, 30)), OfLeap("16.0", new DateOnly(2027, 10, 31)),
    ];

    public static IReadOnlyList<DistributionRelease> RedHat { get; } =
    [
        OfRedHat("6", new DateOnly(2020, 11, 30)), OfRedHat("7", new DateOnly(2024, 6, 30)), OfRedHat("8", new DateOnly(2029, 5, 31)),
        OfRedHat("9", new DateOnly(2032, 5, 31)), OfRedHat("10", new DateOnly(2035, 5, 31)),
    ];

    public static IReadOnlyList<DistributionRelease> All { get; } = [.. Alpine, .. Amazon, .. Debian, .. Ubuntu, .. Oracle, .. Photon, .. Suse, .. RedHat];

    public static DistributionRelease? Find(DistributionRule rule, string release)
    {
        string key = rule.Key == "opensuse" ? "opensuse-leap" : rule.Key;
        return All.FirstOrDefault(r => r.Rule == key && r.Release == release);
    }

    /// <summary>Whether its last day is over.</summary>
    public static bool HasEnded(this DistributionRelease release, DateTimeOffset now) =>
        release.EndOfLife is { } last && DateOnly.FromDateTime(now.UtcDateTime) > last;

    private static DistributionRelease OfAlpine(int minor, int year, int month, int day)
    {
        string version = FormattableString.Invariant($"3.{minor}");
        return new(
            "alpine", "v" + version, "Alpine Linux " + version, new DateOnly(year, month, day), "support of the branch (main)", AlpinePage,
            new() { Did = "alpine", Name = "Alpine Linux", Version = version, PrettyName = "Alpine Linux v" + version }, AlpineCaveat);
    }

    private static DistributionRelease OfAmazon(string version, string name, DateOnly end, string basis, string page, string? caveat) => new(
        "amzn", version, $"{name} {version}", end, basis, page,
        new() { Did = "amzn", Name = name, Version = version, VersionId = version, PrettyName = $"{name} {version}" }, caveat);

    private static DistributionRelease OfDebian(int version, string codename, DateOnly end)
    {
        string number = FormattableString.Invariant($"{version}");
        string title = $"Debian GNU/Linux {number} ({codename})";
        return new(
            "debian", codename, title, end, "long-term support (LTS)", DebianPage,
            new()
            {
                Did = "debian",
                Name = "Debian GNU/Linux",
                Version = $"{number} ({codename})",
                VersionCodeName = codename,
                VersionId = number,
                PrettyName = title,
            },
            DebianCaveat);
    }

    private static DistributionRelease OfUbuntu(string version, string name, DateOnly end) => OfUbuntu(version, name, end, "standard support", UbuntuCaveat);

    private static DistributionRelease OfInterim(string version, string name, DateOnly end) => OfUbuntu(version, name, end, "support of the interim release", InterimCaveat);

    private static DistributionRelease OfUbuntu(string version, string name, DateOnly end, string basis, string caveat)
    {
        string codename = name.ToLowerInvariant();
        return new(
            "ubuntu", codename, $"Ubuntu {version} ({name})", end, basis, UbuntuPage,
            new()
            {
                Did = "ubuntu",
                Name = "Ubuntu",
                Version = $"{version} ({name})",
                VersionCodeName = codename,
                VersionId = version,
                PrettyName = "Ubuntu " + version,
            },
            caveat);
    }

    private static DistributionRelease OfOracle(string version, DateOnly end) => new(
        "ol", version, "Oracle Linux " + version, end, "Premier Support", OraclePage,
        new()
        {
            Did = "ol",
            Name = "Oracle Linux Server",
            Version = version,
            VersionCodeName = "Oracle Linux " + version,
            VersionId = version,
            PrettyName = "Oracle Linux Server " + version,
        },
        OracleCaveat);

    private static DistributionRelease OfPhoton(string version, DateOnly? end, string page, string? caveat = null) => new(
        "photon", version, "VMware Photon OS " + version, end, end is null ? "" : "support", page,
        new() { Did = "photon", Name = "VMware Photon OS", Version = version, VersionId = version, PrettyName = "VMware Photon OS/Linux" }, caveat);

    private static DistributionRelease OfSles(string version, DateOnly? end, string caveat = SuseCaveat) => new(
        "sles", version, "SUSE Linux Enterprise Server " + version, end, end is null ? "" : "general support of the last service pack", SusePage,
        new() { Did = "sles", Name = "SLES", Version = version, VersionId = version, PrettyName = "SUSE Linux Enterprise Server " + version }, caveat);

    private static DistributionRelease OfLeap(string version, DateOnly end) => new(
        "opensuse-leap", version, "openSUSE Leap " + version, end, "maintenance", LeapPage,
        new() { Did = "opensuse-leap", Name = "openSUSE Leap", Version = version, VersionId = version, PrettyName = "openSUSE Leap " + version });

    private static DistributionRelease OfRedHat(string version, DateOnly end) => new(
        "rhel", version, "Red Hat Enterprise Linux " + version, end, version is "6" or "7" ? "Maintenance Support 2" : "Maintenance Support", RedHatPage,
        new()
        {
            Did = "rhel",
            Name = "Red Hat Enterprise Linux Server",
            Version = version,
            VersionId = version,
            PrettyName = "Red Hat Enterprise Linux Server " + version,
        },
        RedHatCaveat);
}
