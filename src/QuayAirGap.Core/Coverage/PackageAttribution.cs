using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Coverage;

/// <summary>Something that packages are judged from.</summary>
internal sealed class NeededTarget(CoverageTarget target)
{
    public CoverageTarget Target { get; } = target;

    public SortedSet<string> Subjects { get; } = new(StringComparer.Ordinal);

    public int PackageCount { get; set; }
}

/// <summary>Why packages are judged from nothing.</summary>
/// <param name="Verdict">What that makes of the image.</param>
/// <param name="Code">One of <see cref="CoverageCodes"/>.</param>
/// <param name="Subject">What they are, for people.</param>
/// <param name="Message">Why, a sentence.</param>
/// <param name="Remedy">What to do about it.</param>
internal sealed record Lack(CoverageVerdict Verdict, string Code, string Subject, string Message, string Remedy);

/// <summary>A distribution of the image.</summary>
internal sealed class DistributionUse
{
    /// <summary>Null where no matcher of Clair takes it.</summary>
    public required DistributionRule? Rule { get; init; }

    public required string Release { get; init; }

    public required string Title { get; init; }

    /// <summary>What its packages are judged from; null where that is nothing, or decided by the repository.</summary>
    public required CoverageTarget? Target { get; init; }

    /// <summary>Null where nothing is known of its end.</summary>
    public required DistributionRelease? Known { get; init; }

    public int PackageCount { get; set; }
}

/// <summary>
/// Says of each package of an image what Clair judges it from, or why it judges it from nothing. There is no third: what no rule speaks for
/// is a lack.
/// </summary>
internal sealed class PackageAttribution
{
    private const string Elsewhere = "Have these packages judged by another scanner, or build the image on a distribution that Clair knows.";

    private readonly IndexReport _report;
    private readonly Dictionary<(string Source, string? Part), NeededTarget> _needed = [];
    private readonly Dictionary<Lack, int> _lacks = [];
    private readonly Dictionary<string, RepositoryRule?> _repositories;
    private readonly Dictionary<string, DistributionUse> _distributions;
    private readonly List<(NeededTarget[] Targets, bool Lacks)> _packages = [];

    // Of the package at hand.
    private readonly List<NeededTarget> _targets = [];
    private readonly List<Lack> _reasons = [];
    private readonly List<DistributionUse> _uses = [];
    private bool _isOfPackage;

    /// <summary>Of the package before: most of an image's packages are in the same environment.</summary>
    private Attributed _last = new([], [], [], [], IsRedHat: false, IsOfPackage: true);

    public PackageAttribution(IndexReport report, ClairRelease clair, DateTimeOffset now)
    {
        _report = report;
        _repositories = report.Repositories.ToDictionary(r => r.Key, r => CoverageRules.RuleOf(r.Value), StringComparer.Ordinal);
        _distributions = report.Distributions.ToDictionary(d => d.Key, d => Use(d.Value, clair, now), StringComparer.Ordinal);
        foreach ((string id, IndexPackage package) in report.Packages)
        {
            Attribute(id, package);
        }
    }

    public IEnumerable<NeededTarget> Needed => _needed.Values;

    /// <summary>With how many packages each concerns.</summary>
    public IReadOnlyDictionary<Lack, int> Lacks => _lacks;

    public IReadOnlyCollection<DistributionUse> Distributions => _distributions.Values;

    public bool IsRedHat => _distributions.Values.Any(d => d.Rule?.ByRepository == true) || _repositories.Values.Any(r => r?.IsRedHat == true);

    /// <summary>The packages that a Red Hat distribution or repository stands for.</summary>
    public int RedHatPackages { get; private set; }

    /// <summary>How many packages are judged from content that is there, all that they need of it.</summary>
    public int CountSpokenFor(Func<CoverageTarget, bool> hasContent)
    {
        Dictionary<NeededTarget, bool> there = _needed.Values.ToDictionary(n => n, n => hasContent(n.Target));
        return _packages.Count(p => !p.Lacks && p.Targets.All(t => there[t]));
    }

    /// <summary>What a distribution needs of which not one package was found.</summary>
    public void NeedAllDistributions()
    {
        foreach (DistributionUse use in _distributions.Values)
        {
            if (use.Target is { } target)
            {
                Needing(target).Subjects.Add(use.Title);
            }
            else if (use.Rule?.ByRepository != true)
            {
                _lacks.TryAdd(NotJudged(use), 0);
            }
        }
    }

    private static DistributionUse Use(IndexDistribution distribution, ClairRelease clair, DateTimeOffset now)
    {
        DistributionRule? rule = CoverageRules.RuleOf(distribution);
        string release = rule is null ? "" : SnapshotRules.Printable(rule.ReleaseOf(distribution), 64);
        DistributionRelease? known = rule is null ? null : DistributionReleases.Find(rule, release);
        string named = rule?.Key != "photon" && distribution.PrettyName.Length > 0 ? distribution.PrettyName : $"{distribution.Name} {distribution.Version}".Trim();
        return new DistributionUse
        {
            Rule = rule,
            Release = release,
            Known = known,
            Title = known?.Title ?? SnapshotRules.Printable(named.Length > 0 ? named : distribution.Did.Length > 0 ? distribution.Did : "a distribution without a name", 100),
            Target = release.Length == 0 ? null : rule?.TargetOf(release, clair, now),
        };
    }

    private static Lack NotJudged(DistributionUse use) => new(
        CoverageVerdict.Unsupported, CoverageCodes.Unsupported, use.Title,
        use.Rule is null ? $"No matcher of Clair takes packages of {use.Title}"
            : use.Release.Length == 0 ? $"The index report does not say which release of {use.Rule.Title} this is"
            : $"This release of Clair has no updater for {use.Title}",
        use.Rule?.Key == "photon" ? "Clair after 4.9.0 knows Photon OS up to 5.0; until then have these packages judged by another scanner." : Elsewhere);

    private void Attribute(string id, IndexPackage package)
    {
        IReadOnlyList<IndexEnvironment> environments = _report.Environments.GetValueOrDefault(id, []);
        if (!ReferenceEquals(environments, _last.Environments) || _last.IsOfPackage)
        {
            _last = AttributeAnew(environments, package);
        }

        RedHatPackages += _last.IsRedHat ? 1 : 0;
        foreach (NeededTarget target in _last.Targets)
        {
            target.PackageCount++;
        }

        foreach (Lack reason in _last.Reasons)
        {
            _lacks[reason] = _lacks.GetValueOrDefault(reason) + 1;
        }

        foreach (DistributionUse use in _last.Uses)
        {
            use.PackageCount++;
        }

        _packages.Add((_last.Targets, _last.Reasons.Length > 0));
    }

    private Attributed AttributeAnew(IReadOnlyList<IndexEnvironment> environments, IndexPackage package)
    {
        _targets.Clear();
        _reasons.Clear();
        _uses.Clear();
        _isOfPackage = false;
        bool isRedHat = false;
        if (environments.Count == 0)
        {
            _reasons.Add(new Lack(
                CoverageVerdict.Unsupported, CoverageCodes.Unsupported, "packages without a place",
                "The report does not say where in the image these packages are: Clair's matchers pass over them", "Have Clair index the image again."));
        }
        else
        {
            foreach (IndexEnvironment environment in environments.Where(e => Speaks(e) || !environments.Any(o => o.PackageDb == e.PackageDb && Speaks(o))))
            {
                isRedHat |= Attribute(environment, package);
            }
        }

        return new Attributed(environments, [.. _targets.Distinct()], [.. _reasons.Distinct()], [.. _uses.Distinct()], isRedHat, _isOfPackage);
    }

    /// <summary>
    /// Whether an environment says whose the package is. Clair reads every rpm database twice, for Red Hat and for the other distributions, and
    /// keeps an environment of each (claircore rhel/ecosystem.go, rpm/ecosystem.go): the one that found nothing of its own is empty, and its matchers
    /// go by the other.
    /// </summary>
    private bool Speaks(IndexEnvironment environment) =>
        _distributions.ContainsKey(environment.DistributionId) || environment.RepositoryIds.Any(i => _repositories.GetValueOrDefault(i) is not null);

    /// <returns>Whether it is Red Hat's to speak for the package.</returns>
    private bool Attribute(IndexEnvironment environment, IndexPackage package)
    {
        var kind = PackageKind.Of(environment.PackageDb);
        int before = _targets.Count + _reasons.Count;
        bool isRedHat = false;
        foreach (RepositoryRule rule in environment.RepositoryIds.Select(i => _repositories.GetValueOrDefault(i)).OfType<RepositoryRule>().Distinct())
        {
            isRedHat |= rule.IsRedHat;
            _isOfPackage |= rule.FaultOf is not null;
            if (rule.FaultOf?.Invoke(package) is { } fault)
            {
                _reasons.Add(new Lack(
                    CoverageVerdict.Unsupported, CoverageCodes.Unsupported, "some " + rule.Title, fault, "Have these packages judged by another scanner."));
            }
            else
            {
                NeededTarget needed = Needing(rule.Target);
                needed.Subjects.Add(rule.Title);
                _targets.Add(needed);
            }
        }

        if (!kind.IsLanguage && _distributions.TryGetValue(environment.DistributionId, out DistributionUse? use))
        {
            _uses.Add(use);
            if (use.Rule?.ByRepository == true)
            {
                if (!isRedHat)
                {
                    _reasons.Add(WithoutRepository(use));
                }

                return true;
            }

            if (use.Target is { } target)
            {
                NeededTarget needed = Needing(target);
                needed.Subjects.Add(use.Title);
                _targets.Add(needed);
            }
            else if (!isRedHat)
            {
                _reasons.Add(NotJudged(use));
            }
        }
        else if (_targets.Count + _reasons.Count == before)
        {
            _reasons.Add(new Lack(
                CoverageVerdict.Unsupported, CoverageCodes.Unsupported, kind.Title, $"Clair does not judge {kind.Title}: {kind.Orphan}", Elsewhere));
        }

        return isRedHat;
    }

    private static Lack WithoutRepository(DistributionUse use) => new(
        CoverageVerdict.Incomplete, CoverageCodes.RhelNoRepository, use.Title,
        "Clair found no Red Hat repository for these packages, and judges Red Hat's packages by nothing else: the image has no content sets, "
        + "the packages are not Red Hat's, or the mapping of repositories was missing or older than they are when the image was indexed",
        "See that Clair's indexer has a current repository-to-cpe mapping, delete the image's index report and have it indexed again; if it stays so, build on a base image with content sets.");

    private NeededTarget Needing(CoverageTarget target)
    {
        (string, string?) key = (target.Source, target.Part);
        if (!_needed.TryGetValue(key, out NeededTarget? needed))
        {
            _needed[key] = needed = new NeededTarget(target);
        }

        return needed;
    }

    /// <summary>What packages in the same environments are judged from.</summary>
    /// <param name="Environments">Where they were found.</param>
    /// <param name="Targets">Each once.</param>
    /// <param name="Reasons">Why they are judged from nothing, each once.</param>
    /// <param name="Uses">The distributions they belong to, each once.</param>
    /// <param name="IsRedHat">Whether they are Red Hat's to speak for.</param>
    /// <param name="IsOfPackage">Whether the package itself had a part in it, so that it holds of no other.</param>
    private sealed record Attributed(
        IReadOnlyList<IndexEnvironment> Environments, NeededTarget[] Targets, Lack[] Reasons, DistributionUse[] Uses, bool IsRedHat, bool IsOfPackage);
}
