using System.Management.Automation;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Commands;

/// <summary>Get-ClairFeedNeed.</summary>
[Cmdlet(VerbsCommon.Get, "ClairFeedNeed", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedNeed))]
public sealed class GetClairFeedNeedCommand : ImageReportCmdlet
{
    private const string InputSet = "InputObject";
    private const string Met = "Met";
    private const string NotNeeded = "NotNeeded";

    private readonly FeedNeedCounter _counter = new();
    private readonly Dictionary<(string Source, string? Part), FeedState> _states = [];
    private string? _clairRelease;

    /// <summary>Images that Get-ClairImageCoverage has judged.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = InputSet)]
    [ValidateNotNullOrEmpty]
    public ClairImageCoverage[] InputObject { get; set; } = [];

    /// <summary>A file for Save-ClairFeed -Need and Set-ClairFeedSource -Need outside.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? OutFile { get; set; }

    /// <summary>Names the images, in the output and in the file.</summary>
    [Parameter]
    public SwitchParameter IncludeImageName { get; set; }

    /// <summary>Keeps the list in the site: what it names is required there, selected or not.</summary>
    [Parameter]
    public SwitchParameter Save { get; set; }

    private protected override void Take(string name, IReadOnlyList<string> tags, ImageCoverage image) => Add(
        name, image.Verdict != CoverageVerdict.Unindexed || image.PackageCount > 0, image.Needs.Select(n => (n.Source, n.Part, n.State)), image.ClairRelease);

    /// <inheritdoc/>
    protected override void ProcessOther()
    {
        if (ParameterSetName != InputSet)
        {
            base.ProcessOther();
            return;
        }

        foreach (ClairImageCoverage image in InputObject)
        {
            Add(
                image.Image, image.Verdict != nameof(CoverageVerdict.Unindexed) || image.PackageCount > 0,
                image.Needs.Select(n => (n.Source, n.Part, Enum.Parse<FeedState>(n.State))), image.ClairRelease);
        }
    }

    /// <inheritdoc/>
    protected override void End()
    {
        FeedNeedList list = _counter.List(TimeProvider.System.GetUtcNow(), _clairRelease ?? ClairRelease ?? Feeds.Release.Name, IncludeImageName);
        if (list.Images == 0)
        {
            WriteWarning("There was no image: nothing is needed for none, and that says nothing of those that there are.");
        }

        if (list.Unindexed > 0)
        {
            WriteWarning($"{list.Unindexed} of {list.Images} images have no report that anything could be told from: what they need is not in this list.");
        }

        foreach (ClairFeedNeed need in Rows(list))
        {
            WriteObject(need);
        }

        Keep(list);
    }

    private void Add(string image, bool isIndexed, IEnumerable<(string Source, string? Part, FeedState State)> needs, string clairRelease)
    {
        _clairRelease ??= clairRelease;
        List<(string Source, string? Part)> known = [];
        foreach ((string source, string? part, FeedState state) in needs.Where(n => SourceCatalog.Find(n.Source)?.Kind != SourceKind.Enrichment))
        {
            known.Add((source, part));

            // One site, one moment: a state that differs between images is that of another site, and the worse one counts.
            _states[(source, part)] = _states.TryGetValue((source, part), out FeedState before) && before > state ? before : state;
        }

        _counter.Add(image, isIndexed, known);
    }

    private IEnumerable<ClairFeedNeed> Rows(FeedNeedList list)
    {
        foreach (SourceSettings source in SiteSettings.Load(OpenSite()).Sources)
        {
            if (list.Of(source.Name) is not { } need)
            {
                // Scores and mappings are no image's own: whoever looks at an image wants them.
                if (source.Enabled && list.Images > 0 && source.Definition.Kind == SourceKind.UpdaterSet)
                {
                    yield return Row(source, null, NotNeeded, 0, null);
                }

                continue;
            }

            if (need.Parts.Count == 0)
            {
                yield return Row(source, null, StateOf(source.Name, null), need.Images, need.ImageNames);
                continue;
            }

            foreach (NeededPart part in need.Parts)
            {
                yield return Row(source, part.Name, StateOf(source.Name, part.Name), part.Images, part.ImageNames);
            }

            foreach (string part in source.Definition.PartKind is null ? [] : Feeds.PartsOf(source.Name).Except(need.Parts.Select(p => p.Name), StringComparer.OrdinalIgnoreCase))
            {
                yield return Row(source, part, NotNeeded, 0, null);
            }
        }
    }

    private string StateOf(string source, string? part) =>
        _states.GetValueOrDefault((source, part), FeedState.Missing) is var state && state == FeedState.Fresh ? Met : state.ToString();

    private static ClairFeedNeed Row(SourceSettings source, string? part, string state, int images, IReadOnlyList<string>? names) => new()
    {
        Source = source.Name,
        Part = part,
        State = state,
        ImageCount = images,
        Enabled = source.Enabled,
        Images = [.. names ?? []],
    };

    private void Keep(FeedNeedList list)
    {
        if (OutFile is not null)
        {
            string path = FilePath(OutFile);
            if (ShouldProcess(path, "Write what the images need"))
            {
                list.Save(path);
            }
        }

        if (Save && ShouldProcess(ResolvedSitePath, "Keep what the images need: it is required there from now on"))
        {
            Site site = OpenSite();
            using SiteLock held = site.Lock();
            list.SaveIn(site);
            LedgerLine.Append(
                site, LedgerEvents.NeedSaved, ("images", $"{list.Images}"), ("unindexed", $"{list.Unindexed}"),
                ("needs", string.Join(", ", list.Sources.Select(s => s.Parts.Count == 0 ? s.Name : $"{s.Name} ({string.Join(", ", s.Parts.Select(p => p.Name))})"))));
        }
    }
}
