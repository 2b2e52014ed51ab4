using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Publishing.Dropping;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>Import-ClairFeed.</summary>
[Cmdlet(VerbsData.Import, "ClairFeed", SupportsShouldProcess = true, DefaultParameterSetName = "Path")]
[OutputType(typeof(ClairFeedImportResult))]
public sealed class ImportClairFeedCommand : PathCmdlet
{
    /// <summary>What a wildcard found beside a newer bundle of the same stream.</summary>
    private HashSet<string> _superseded = [];

    /// <summary>Writes what was done to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Takes the bundle's sequence as it comes, lower or far higher than the last one; recorded in the ledger.</summary>
    [Parameter]
    public SwitchParameter ResetSequence { get; set; }

    /// <summary>The SHA-256 of the certificate that signed the bundle, whole, known by another way: a site that trusts nobody yet trusts it from then on.</summary>
    [Parameter(ParameterSetName = "Path")]
    [Parameter(ParameterSetName = "LiteralPath")]
    [ValidateNotNullOrEmpty]
    public string? TrustThumbprint { get; set; }

    /// <summary>Imports every bundle that lies in this folder and is all there, in the order of its sequence.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "DropFolder")]
    [ValidateNotNullOrEmpty]
    public string DropFolder { get; set; } = "";

    /// <summary>How long nothing about a file of the drop folder may change before it counts as finished.</summary>
    [Parameter(ParameterSetName = "DropFolder")]
    [DurationTransformation]
    public TimeSpan Settle { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Deletes bundles of the drop folder that were imported instead of keeping them.</summary>
    [Parameter(ParameterSetName = "DropFolder")]
    public SwitchParameter RemoveImported { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        if (ParameterSetName == "DropFolder")
        {
            Site site = OpenSite();
            var folder = new DropFolder(site, FilePath(DropFolder), TimeProvider.System);
            if (Settle < TimeSpan.Zero || Settle > TimeSpan.FromHours(1))
            {
                throw new FeedException(ErrorIds.DropFolderInvalid, "-Settle is at most an hour.", DropFolder, "Give a few seconds, or a minute for slow media.");
            }

            ImportDropped(site, folder);
        }
    }

    private void ImportDropped(Site site, DropFolder folder)
    {
        bool isWhatIf = MyInvocation.BoundParameters.TryGetValue("WhatIf", out object? whatIf) && (SwitchParameter)whatIf;
        using JobLock? running = isWhatIf ? null : JobLock.Take(site, "import", TimeProvider.System);
        if (!isWhatIf)
        {
            folder.ThrowIfReadOnly();
        }

        foreach (DropItem found in Await((_, token) => folder.LookAsync(Settle, token)))
        {
            DropItem item = folder.Judge(found);
            string action = item.Problem is null ? $"Import '{item.Path}', sequence {item.Snapshot!.Sequence}"
                : item.IsWaiting ? $"Leave '{item.Path}' for a later run: {item.Problem.Message}" : $"Refuse '{item.Path}': {item.Problem.Message}";
            if (item.IsWaiting || !ShouldProcess(site.Root, action))
            {
                if (item.IsWaiting && !isWhatIf)
                {
                    ReportWaiting(item);
                }

                continue;
            }

            Report(Await((progress, token) => folder.TakeAsync(item, RemoveImported, progress, token)));
        }
    }

    /// <summary>A file that is still being copied is nothing to worry about; what waits for something else is.</summary>
    private void ReportWaiting(DropItem item)
    {
        if (item.Problem!.ErrorId is ErrorIds.BundleTruncated or ErrorIds.BundleMissingContent or ErrorIds.BundleNotFound)
        {
            WriteVerbose(item.Problem.Message);
        }
        else if (item.Problem.ErrorId == ErrorIds.BundleVolumeMissing)
        {
            // Media come one after the other: no failure, and yet nothing that a log should keep quiet about.
            WriteWarning(item.Problem.Message);
        }
        else
        {
            WriteError(ErrorRecordFactory.Create(item.Problem));
        }
    }

    private void Report(DropOutcome outcome)
    {
        if (outcome.Error is { } error)
        {
            WriteVerbose($"'{outcome.Item.Path}' is refused and lies in '{outcome.MovedTo}' now.");
            WriteError(ErrorRecordFactory.Create(error));
            return;
        }

        ImportReport.Write(this, outcome.Result!);
        WriteVerbose($"'{outcome.Item.Path}' is imported{(outcome.MovedTo is null ? " and deleted" : $" and lies in '{outcome.MovedTo}' now")}.");
        if (PassThru)
        {
            WriteObject(OutputMapper.Import(outcome.Result!, outcome.MovedTo ?? outcome.Item.Path));
        }
    }

    /// <summary>The oldest first, whatever they are called: a delta needs what was before it.</summary>
    protected override IReadOnlyList<string> Arrange(IReadOnlyList<string> found)
    {
        (string Path, Snapshot? Snapshot)[] read = [.. found.Select(f => (f, ReadOrNull(f)))
            .OrderBy(b => b.Item2 is null).ThenBy(b => b.Item2?.Sequence).ThenBy(b => b.Item2?.Base is not null)];
        _superseded = [.. read.Where(b => read.Any(o => o.Snapshot?.Stream == b.Snapshot?.Stream && o.Snapshot?.Sequence > b.Snapshot?.Sequence)).Select(b => b.Path)];
        return [.. read.Select(b => b.Path)];
    }

    /// <summary>What a bundle says of itself; what cannot be read is told of when its turn comes.</summary>
    private static Snapshot? ReadOrNull(string path)
    {
        try
        {
            return Bundle.Open(path).Snapshot;
        }
        catch (FeedException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    protected override void ProcessFile(string path)
    {
        if (TrustThumbprint is not null && !TrustSigner(path, TrustThumbprint))
        {
            return;
        }

        Site site = OpenSite();
        var importer = new FeedImporter(site, SiteSettings.Load(site), TimeProvider.System);
        ImportPlan plan;
        try
        {
            plan = importer.Plan(path, ResetSequence);
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.BundleSequence && _superseded.Contains(path))
        {
            WriteWarning($"'{path}' is passed over: this site has already published a newer one of its stream.");
            return;
        }
        catch (FeedException e) when (FeedImporter.IsRefusal(e))
        {
            if (ShouldProcess(site.LedgerFile, $"Record that '{path}' is refused"))
            {
                importer.RecordRefusal(path, e);
            }

            throw;
        }

        string what = plan.MissingVolumes.Count == 0
            ? $"Import '{path}', sequence {plan.Snapshot.Sequence}"
            : $"Keep the parts at '{path}' of sequence {plan.Snapshot.Sequence} until the other {plan.MissingVolumes.Count} come";
        if (!ShouldProcess(site.Root, what))
        {
            return;
        }

        ImportResult result = Await((progress, token) => importer.ImportAsync(path, progress, token, ResetSequence));
        ImportReport.Write(this, result);
        if (PassThru)
        {
            WriteObject(OutputMapper.Import(result, path));
        }
    }

    /// <summary>Trusts the bundle's signer, if it is the one whose thumbprint was given; false where that was declined.</summary>
    private bool TrustSigner(string path, string thumbprint)
    {
        var bundle = Bundle.OpenOrPart(path);
        var signer = FirstSigner.Find(bundle.SnapshotBytes, bundle.Signatures, thumbprint);
        if (Site.Exists(ResolvedSitePath) && signer.IsTrusted(new TrustStore(OpenSite())))
        {
            return true;
        }

        if (!ShouldProcess(ResolvedSitePath, $"Trust '{signer.Subject}', SHA-256 {signer.Thumbprint}, who signed '{path}'"))
        {
            return false;
        }

        var site = Site.OpenOrCreate(ResolvedSitePath);
        using SiteLock held = site.Lock();
        if (signer.Trust(new TrustStore(site)))
        {
            LedgerLine.Append(
                site, LedgerEvents.TrustAdded, ("thumbprint", signer.Thumbprint), ("subject", signer.Subject), ("bundle", System.IO.Path.GetFileName(path)));
        }

        return true;
    }
}
