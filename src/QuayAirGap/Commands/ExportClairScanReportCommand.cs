using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Pages;
using QuayAirGap.Core.Scanning;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Export-ClairScanReport.</summary>
[Cmdlet(VerbsData.Export, "ClairScanReport", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportClairScanReportCommand : ImageReportCmdlet
{
    /// <summary>Clair limits itself as well; more would only wait there.</summary>
    private const int AtOnce = 4;

    private readonly List<ScannedImage> _images = [];
    private readonly HashSet<string> _published = new(StringComparer.Ordinal);
    private StoredReports? _stored;
    private bool _failed;

    /// <summary>The file to write.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? Destination { get; set; }

    /// <summary>The form of that file.</summary>
    [Parameter]
    public ScanReportFormat Format { get; set; } = ScanReportFormat.Html;

    /// <summary>Keeps the reports in the site, where the mirror shows them at /images.</summary>
    [Parameter]
    public SwitchParameter Publish { get; set; }

    /// <summary>Forgets the site's reports of all other images.</summary>
    [Parameter]
    public SwitchParameter Prune { get; set; }

    /// <summary>When Clair gave the reports in the files.</summary>
    [Parameter(ParameterSetName = "Path")]
    [Parameter(ParameterSetName = "LiteralPath")]
    public DateTimeOffset? TakenAt { get; set; }

    /// <summary>Replaces a file that is there.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Returns the file.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        if (Destination is null && !Publish)
        {
            throw new FeedException(
                ErrorIds.ScanReportNowhere, "The report would go nowhere.", null, "Name a file with -Destination, or keep the reports in the site with -Publish.");
        }

        if (Destination is not null)
        {
            PageFile.ThrowIfForeign(FilePath(Destination), Force);
        }

        base.Begin();
    }

    /// <inheritdoc/>
    protected override void ProcessFile(string path)
    {
        VulnerabilityReport report;
        DateTimeOffset taken;
        try
        {
            using FileStream file = File.OpenRead(path);
            report = VulnerabilityReport.Read(file);
            taken = (TakenAt ?? File.GetLastWriteTimeUtc(path)).ToUniversalTime();
        }
        catch (Exception e) when (e is FeedException or IOException or UnauthorizedAccessException)
        {
            FeedException told = e is FeedException f
                ? new FeedException(f.ErrorId, $"'{path}': {f.Message}", path, f.Remedy, f)
                : new FeedException(ErrorIds.IndexReportNotFound, $"'{path}' cannot be read: {e.Message}", path, "Check the name.", e);
            Fail(path, "", told);
            return;
        }

        Keep(new StoredReport { Name = path, ManifestDigest = report.Index.ManifestDigest, TakenAt = taken, Index = report.Index, ImageCreatedAt = ImageCreatedAt?.ToUniversalTime(), Findings = report.Findings });
    }

    /// <inheritdoc/>
    private protected override void Ask(IReadOnlyList<ImageReference> images)
    {
        ClairClient clair = Clair();
        var answers = Await(async (progress, stop) =>
        {
            var found = new (StoredReport? Report, FeedException? Error)[images.Count];
            int done = 0;
            await Parallel.ForAsync(0, images.Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop }, async (i, token) =>
            {
                found[i] = await AskAsync(clair, images[i], token).ConfigureAwait(false);
                progress.Report(new FeedProgress(null, "Asking Clair", images[i].Name, Interlocked.Increment(ref done), null));
            }).ConfigureAwait(false);
            return found;
        });
        for (int i = 0; i < answers.Length; i++)
        {
            if (answers[i].Report is { } report)
            {
                Keep(report);
            }
            else
            {
                Fail(images[i].Name, images[i].ManifestDigest, answers[i].Error!);
            }
        }
    }

    /// <inheritdoc/>
    protected override void End()
    {
        if (_images.Count == 0)
        {
            throw new FeedException(
                ErrorIds.ScanReportEmpty, "There is no image to report on, and no report is written: one without images would look like a clean one.", null,
                "Name reports, digests or repositories that have images.");
        }

        if (Destination is not null)
        {
            string path = FilePath(Destination);
            if (ShouldProcess(path, $"Write the scan report of {_images.Count} images"))
            {
                PageFile.Write(path, ScanReportFile.Render(ScanReport.Of(SiteName(), Feeds, Evaluator, _images), Format), Force);
                if (PassThru)
                {
                    WriteObject(new FileInfo(path));
                }
            }
        }

        if (Publish && Prune && _failed)
        {
            WriteWarning("Nothing is forgotten: some reports could not be had, and theirs may be among the others.");
        }
        else if (Publish && Prune && ShouldProcess(Stored.Folder, "Forget the reports of all other images"))
        {
            WriteVerbose($"{Stored.RemoveOthers(_published)} reports of other images are forgotten.");
        }
    }

    private StoredReports Stored => _stored ??= new StoredReports(OpenSite());

    private static async Task<(StoredReport? Report, FeedException? Error)> AskAsync(ClairClient clair, ImageReference image, CancellationToken stop)
    {
        try
        {
            Stream? answer = await clair.GetVulnerabilityReportAsync(image.ManifestDigest, stop).ConfigureAwait(false);
            if (answer is null)
            {
                return (new StoredReport { Name = image.Name, ManifestDigest = image.ManifestDigest }, null);
            }

            await using (answer.ConfigureAwait(false))
            {
                VulnerabilityReport report = await VulnerabilityReport.ReadAsync(answer, stop).ConfigureAwait(false);
                return (
                    new StoredReport
                    {
                        Name = image.Name,
                        ManifestDigest = report.Index.ManifestDigest,
                        TakenAt = TimeProvider.System.GetUtcNow(),
                        Index = report.Index,
                        ImageCreatedAt = image.CreatedAt,
                        Findings = report.Findings,
                    }, null);
            }
        }
        catch (FeedException e) when (e.ErrorId is ErrorIds.ScanReportInvalid or ErrorIds.ManifestDigestInvalid or ErrorIds.UpstreamTooLarge)
        {
            return (null, e);
        }
    }

    private string SiteName() => SiteSettings.Load(OpenSite()).Warnings.Name ?? Environment.MachineName;

    private void Keep(StoredReport report)
    {
        _images.Add(report.Judge(Evaluator, Feeds));
        if (Publish && ShouldProcess(report.Name, "Keep its report in the site"))
        {
            Stored.Save(report);
            _published.Add(StoredReports.IdOf(report.Name, report.ManifestDigest));
        }
    }

    /// <summary>It is said at once, and the image stays in the report as one of which nothing is known.</summary>
    private void Fail(string name, string digest, FeedException error)
    {
        _failed = true;
        _images.Add(ScannedImage.Unreadable(name, digest, error, Feeds.Now));
        WriteError(ErrorRecordFactory.Create(error));
    }
}
