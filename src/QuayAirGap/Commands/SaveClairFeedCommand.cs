using System.Management.Automation;
using System.Security;
using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>Save-ClairFeed.</summary>
[Cmdlet(VerbsData.Save, "ClairFeed", SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedBundle), typeof(ClairFeedPlan))]
public sealed class SaveClairFeedCommand : ClairFeedCmdlet
{
    /// <summary>The bundle: a .tar file, or a folder in which it gets a name of its own.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>The signers' PFX or PEM files.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string[] Signer { get; set; } = [];

    /// <summary>The password of the signers' files.</summary>
    [Parameter]
    public SecureString? SignerPassword { get; set; }

    /// <summary>A file with that password in its first line, for jobs that nobody watches.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? SignerPasswordPath { get; set; }

    /// <summary>Certificates with their keys, from the platform's store, a card or an HSM.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public X509Certificate2[] SignerCertificate { get; set; } = [];

    /// <summary>The sources to collect; the others are carried as they were; all enabled ones where none is named.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(SourceNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>A cache that has https://host/path as root/host/path, for all sources of this run.</summary>
    [Parameter]
    [ValidateNotNull]
    public Uri? UpstreamRoot { get; set; }

    /// <summary>The sources whose content is taken although it lost advisories, an updater or a release against the last good capture.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(SourceNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] AcceptRegression { get; set; } = [];

    /// <summary>The list of what images need, of Get-ClairFeedNeed: what of it is not collected is told.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Need { get; set; }

    /// <summary>Writes a delta on this: an earlier bundle, a snapshot's SHA-256, or its sequence.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Since { get; set; }

    /// <summary>Writes a delta on the last bundle that this site wrote.</summary>
    [Parameter]
    public SwitchParameter SinceLast { get; set; }

    /// <summary>Writes the bundle in parts for media of this size: 4.7GB, 25GB, 2GB, or a number of bytes that no file exceeds.</summary>
    [Parameter]
    [VolumeSizeTransformation]
    public VolumeSize? VolumeSize { get; set; }

    /// <summary>Replaces a bundle of that name.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Writes the bundle to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        if (Since is not null && SinceLast)
        {
            throw new FeedException(ErrorIds.BaseInvalid, "-Since and -SinceLast name two bases.", Since, "Give one of the two.");
        }

        string destination = FilePath(Destination);
        string[] names = [.. Name.SelectMany(SourceNames.Matching).Select(s => s.Name).Distinct()];
        SignerParameters.ThrowIfNone(Signer, SignerCertificate);
        FeedNeedList? needs = Need is null ? null : FeedNeedList.Load(FilePath(Need));
        if (needs is not null)
        {
            // Nothing is collected that nobody selected, and what is needed all the same is said before anything is fetched.
            Tell(NeedSelection.LeftOut(needs, SiteSettings.LoadOrDefault(Site.Exists(ResolvedSitePath) ? Site.Open(ResolvedSitePath) : null)));
        }

        using var signers = new SignerSet(
            Signer.Select(FilePath), SecretText.Of(SignerPassword) ?? SecretText.OfFile(SignerPasswordPath is null ? null : FilePath(SignerPasswordPath)), SignerCertificate);
        Save(destination, signers.All, names, needs);
    }

    private void Tell(IEnumerable<UnmetNeed> unmet)
    {
        foreach (UnmetNeed need in unmet)
        {
            WriteError(ErrorRecordFactory.Create(new FeedException(
                ErrorIds.NeedNotMet, need.Message + " Those images come out clean-looking but unchecked.", need.Source, need.Remedy)));
        }
    }

    private string Parts => VolumeSize is { } size ? $" in parts of up to {ByteText.Of(size.PartSize)}" : "";

    /// <summary>What would be collected, also where there is no site yet.</summary>
    private IEnumerable<string> Plan(IReadOnlyList<string> names)
    {
        Site? site = Site.Exists(ResolvedSitePath) ? Site.Open(ResolvedSitePath) : null;
        var settings = SiteSettings.LoadOrDefault(site);
        return names.Count > 0 ? names : settings.Sources.Where(s => s.Enabled).Select(s => s.Name);
    }

    /// <summary>A digest or a number; anything else is a path.</summary>
    private static bool IsSnapshotName(string since) => Sha256Digest.IsValid(since) || since.All(char.IsAsciiDigit);

    /// <summary>With -WhatIf: what would be fetched of each source, from metadata alone. Nothing where somebody only said no.</summary>
    private void ShowPlan(IReadOnlyList<string> names)
    {
        bool isWhatIf = MyInvocation.BoundParameters.TryGetValue("WhatIf", out object? given)
            ? ((SwitchParameter)given!).ToBool()
            : LanguagePrimitives.IsTrue(SessionState.PSVariable.GetValue("WhatIfPreference"));
        if (!isWhatIf)
        {
            return;
        }

        Site? site = Site.Exists(ResolvedSitePath) ? Site.Open(ResolvedSitePath) : null;
        var planner = new FeedPlanner(site, SiteSettings.LoadOrDefault(site), TimeProvider.System);
        foreach (SourcePlan plan in Await((_, token) => planner.PlanAsync(names, UpstreamRoot, token)))
        {
            ShouldProcess(plan.Name, OutputMapper.PlanText(plan));
            if (PassThru)
            {
                WriteObject(OutputMapper.Plan(plan));
            }
        }
    }

    private void Save(string destination, IReadOnlyList<BundleSigner> signers, IReadOnlyList<string> names, FeedNeedList? needs)
    {
        if (!ShouldProcess(destination, $"Collect {string.Join(", ", Plan(names))} and write a signed {(Since is not null || SinceLast ? "delta" : "bundle")}{Parts}"))
        {
            ShowPlan(names);
            return;
        }

        var site = Site.OpenOrCreate(ResolvedSitePath);
        var collector = new FeedCollector(site, SiteSettings.Load(site), TimeProvider.System);
        var request = new SaveRequest
        {
            Destination = destination,
            Signers = signers,
            Names = names,
            AcceptRegression = [.. AcceptRegression.SelectMany(SourceNames.Matching).Select(s => s.Name)],
            UpstreamRoot = UpstreamRoot,
            Overwrite = Force,
            Since = Since is null || IsSnapshotName(Since) ? Since : FilePath(Since),
            SinceLast = SinceLast,
            PartSize = VolumeSize?.PartSize,
        };
        SaveResult result = Await((progress, token) => collector.SaveAsync(request, progress, token));
        foreach (SourceSnapshot source in result.Incomplete)
        {
            WriteError(ErrorRecordFactory.Create(new FeedException(
                ErrorIds.SourceFailed, OutputMapper.IncompleteText(source), source.Name,
                "The bundle is written without it, or with its last good state and true age. Put the cause right, then save again.")));
        }

        if (needs is not null)
        {
            Tell(NeedSelection.NotCaptured(needs, result.Snapshot.Sources));
        }

        foreach (SourceSnapshot source in result.Snapshot.Sources.Where(s => s.AcceptedRegression is not null && request.AcceptRegression.Contains(s.Name)))
        {
            WriteWarning($"{source.Name}: taken although it regressed: {source.AcceptedRegression}.");
        }

        foreach (SourceSnapshot source in result.Snapshot.Sources.Where(s => s.Note is not null))
        {
            WriteWarning($"{source.Name}: {source.Note}.");
        }

        if (SinceLast && result.Snapshot.Base is null)
        {
            WriteWarning($"'{result.Path}' is a full bundle: this site had written none before.");
        }

        if (result.Volumes is { } volumes)
        {
            WriteVerbose($"In {volumes.Count} part{(volumes.Count == 1 ? "" : "s")} of up to {ByteText.Of(volumes.Parts.Max(p => p.FileSize))}: carry all of them.");
        }

        WriteVerbose($"'{result.Path}': sequence {result.Snapshot.Sequence}, {ByteText.Of(result.Size)}, {ByteText.Of(result.BytesReceived)} received.");
        if (PassThru)
        {
            WriteObject(OutputMapper.Bundle(
                result.Path, result.Size, result.Snapshot, result.SnapshotSha256, signers.Select(s => s.Subject), OutputMapper.NotChecked, result.Volumes));
        }
    }
}
