using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Store;
using QuayAirGap.TestKit.Samples;

namespace QuayAirGap.Core.Tests.Coverage;

/// <summary>
/// A site behind the gap that publishes every source of the catalogue, whole and an hour old, written as the publisher writes it. The
/// names of updaters and releases are those that the families give.
/// </summary>
internal sealed class CoverageSite : IDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 11, 25, 12, 0, 0, TimeSpan.Zero);

    private static readonly string[] s_alpine = [.. Enumerable.Range(3, 22).Select(n => FormattableString.Invariant($"v3.{n}")), "edge"];
    private static readonly string[] s_ubuntu =
    [
        "precise", "trusty", "xenial", "bionic", "cosmic", "disco", "eoan", "focal", "groovy", "hirsute", "impish", "jammy", "kinetic", "lunar", "mantic",
        "noble", "oracular", "plucky", "questing", "resolute",
    ];

    private static readonly string[] s_suse =
    [
        "suse.linux.enterprise.server.11", "suse.linux.enterprise.server.12", "suse.linux.enterprise.server.15", "suse.linux.enterprise.server.16",
        "opensuse.leap.15.5", "opensuse.leap.15.6", "opensuse.leap.16.0",
    ];

    private static readonly string[] s_years = [.. Enumerable.Range(2007, 20).Select(y => FormattableString.Invariant($"{y}"))];
    private static readonly string[] s_ecosystems = ["go", "maven", "pypi", "rubygems"];

    private int _generation;

    public CoverageSite(Func<SourceSnapshot, SourceSnapshot?>? change = null, IReadOnlyList<HeldBackItem>? heldBack = null, bool publish = true)
    {
        Site = Site.OpenOrCreate(Path.Combine(Folder, "site"));
        if (publish)
        {
            Publish(change, heldBack);
        }
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("coverage").FullName;

    public Site Site { get; }

    public FakeTimeProvider Clock { get; } = new(Now);

    public SiteFeeds Feeds => SiteFeeds.Load(Site, Clock);

    public CoverageEvaluator Evaluator(ClairRelease? release = null) => new(Feeds, release ?? ClairRelease.Main);

    public static IndexReport Fixture(string name)
    {
        using FileStream file = File.OpenRead(FixturePath(name));
        return IndexReport.Read(file);
    }

    public static string FixturePath(string name) => Path.Combine(RepositoryFolders.Root, "tests", "fixtures", "index-reports", name + ".json");

    /// <param name="change">What to make of a source's snapshot; null takes the source out.</param>
    /// <param name="heldBack">What is not published.</param>
    public void Publish(Func<SourceSnapshot, SourceSnapshot?>? change = null, IReadOnlyList<HeldBackItem>? heldBack = null)
    {
        SourceSnapshot[] sources = [.. SourceCatalog.All.Select(Fresh).Select(s => change is null ? s : change(s)).OfType<SourceSnapshot>()];
        _generation++;
        new Generation
        {
            Number = _generation,
            PublishedAt = Now.AddMinutes(-30),
            Stream = Guid.Empty,
            Sequence = _generation,
            HighestSequence = _generation,
            NewestSnapshot = Now.AddMinutes(-50),
            SnapshotSha256 = new string('0', 64),
            Sources = sources,
            Entries = [.. sources.Where(s => s.CapturedAt is not null).Select(Entry).OrderBy(e => e.Path, StringComparer.Ordinal)],
            HeldBack = heldBack ?? [],
        }.Save(new GenerationStore(Site).FolderOf(_generation));
        Durable.ReplaceFile(Site.CurrentFile, System.Text.Encoding.ASCII.GetBytes($"{_generation}\n"));
    }

    /// <summary>The settings name a Clair, which is known to have everything that is served but for what is changed; as Test-ClairFeedFreshness keeps it.</summary>
    /// <param name="change">By source, what is known of it.</param>
    /// <param name="answeredAt">When Clair last answered; an hour ago where that is not said.</param>
    public void Clair(Func<string, SourceProof, SourceProof>? change = null, DateTimeOffset? answeredAt = null)
    {
        File.WriteAllText(Site.SettingsFile, "version: 1\nsources: {}\nclair:\n  url: http://clair.example:6060\n");
        new ClairRecord
        {
            Url = "http://clair.example:6060/",
            AskedAt = answeredAt ?? Now.AddHours(-1),
            AnsweredAt = answeredAt ?? Now.AddHours(-1),
            Generation = _generation,
            Sources = SourceCatalog.All.Where(s => ClairWatch.CanTell(s.Name)).Select(Fresh).ToDictionary(s => s.Name, s =>
            {
                var proof = new SourceProof
                {
                    State = IngestionState.Current,
                    Generation = _generation,
                    CapturedAt = s.CapturedAt,
                    ProvedAt = Now.AddMinutes(-20),
                    Updaters = s.Updaters.ToDictionary(u => u, _ => new UpdaterProof("x", _generation, s.CapturedAt)),
                };
                return change is null ? proof : change(s.Name, proof);
            }),
        }.Save(Site);
    }

    public void Settings(string sources) => File.WriteAllText(Site.SettingsFile, $"version: 1\nsources:\n{sources}");

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>One source, captured an hour ago with everything that its upstream has.</summary>
    public static SourceSnapshot Fresh(SourceDefinition source)
    {
        string[] releases = source.Name switch
        {
            "alpine" => s_alpine,
            "aws" => ["AL1", "AL2", "AL2023"],
            "clair.cvss" => ["2002", .. s_years],
            "debian" => ["bookworm", "bullseye", "buster", "jessie", "stretch", "trixie", "wheezy"],
            "oracle" => s_years,
            "osv" => s_ecosystems,
            "photon" => ["1.0", "2.0", "3.0", "4.0", "5.0"],
            "suse" => s_suse,
            "ubuntu" => s_ubuntu,
            _ => [],
        };
        string[] updaters = source.Name switch
        {
            "alpine" => [.. releases.SelectMany(r => new[] { $"alpine-main-{r}-updater", $"alpine-community-{r}-updater" })],
            "aws" => [.. releases.Select(r => $"aws-{r}-updater")],
            "clair.cvss" => ["clair.cvss"],
            "debian" => ["debian/updater"],
            "oracle" => [.. releases.Select(r => $"oracle-{r}-updater")],
            "osv" => [.. releases.Select(r => "osv/" + r)],
            "photon" => [.. releases.Select(r => "photon-updater-" + r), "photon-updater-photon1", "photon-updater-photon2", "photon-updater-photon3"],
            "rhel-vex" => ["rhel-vex"],
            "suse" => [.. releases.Select(r => "suse-updater-" + r)],
            "ubuntu" => [.. releases.Select(r => "ubuntu/updater/" + r)],
            _ => [],
        };
        return new SourceSnapshot
        {
            Name = source.Name,
            State = source.EnabledByDefault ? CaptureState.Captured : CaptureState.Deselected,
            CapturedAt = source.EnabledByDefault ? Now.AddHours(-1) : null,
            UpstreamModified = source.EnabledByDefault ? Now.AddHours(-5) : null,
            Updaters = [.. updaters.Order(StringComparer.Ordinal)],
            Releases = [.. releases.Order(StringComparer.Ordinal)],
            AdvisoryCount = 1000,
        };
    }

    private static GenerationEntry Entry(SourceSnapshot source) => new()
    {
        Path = "/" + source.Name,
        Source = source.Name,
        Sha256 = new string('1', 64),
        Size = 1,
        ContentType = "text/plain",
    };
}
