using System.Management.Automation;
using System.Security;
using QuayAirGap.Core;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Quay;
using QuayAirGap.Core.Quay.Api;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>A command that judges images: by reports in files, by digests that Clair is asked for, or all images of a Quay.</summary>
public abstract class ImageReportCmdlet : PathCmdlet
{
    protected const string DigestSet = "Digest";
    protected const string OrganizationSet = "Organization";
    protected const string RepositorySet = "Repository";
    protected const string AllSet = "All";

    /// <summary>How many images are asked for before the pipeline gets them.</summary>
    private const int Batch = 64;

    private SiteFeeds? _feeds;
    private CoverageEvaluator? _evaluator;
    private ClairClient? _clair;

    /// <summary>The manifests' digests, as Quay shows them.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = DigestSet)]
    [ValidateNotNullOrEmpty]
    public string[] ManifestDigest { get; set; } = [];

    /// <summary>Clair's API, as Quay has it.</summary>
    [Parameter(Mandatory = true, ParameterSetName = DigestSet)]
    [Parameter(Mandatory = true, ParameterSetName = OrganizationSet)]
    [Parameter(Mandatory = true, ParameterSetName = RepositorySet)]
    [Parameter(Mandatory = true, ParameterSetName = AllSet)]
    [ValidateNotNull]
    public Uri? ClairUri { get; set; }

    /// <summary>auth.psk.key of Clair's configuration, base64.</summary>
    [Parameter(ParameterSetName = DigestSet)]
    [Parameter(ParameterSetName = OrganizationSet)]
    [Parameter(ParameterSetName = RepositorySet)]
    [Parameter(ParameterSetName = AllSet)]
    [ValidateNotNull]
    public SecureString? Psk { get; set; }

    /// <summary>A file with that key.</summary>
    [Parameter(ParameterSetName = DigestSet)]
    [Parameter(ParameterSetName = OrganizationSet)]
    [Parameter(ParameterSetName = RepositorySet)]
    [Parameter(ParameterSetName = AllSet)]
    [ValidateNotNullOrEmpty]
    public string? PskPath { get; set; }

    /// <summary>One of auth.psk.iss of Clair's configuration.</summary>
    [Parameter(ParameterSetName = DigestSet)]
    [Parameter(ParameterSetName = OrganizationSet)]
    [Parameter(ParameterSetName = RepositorySet)]
    [Parameter(ParameterSetName = AllSet)]
    [ValidateNotNullOrEmpty]
    public string Issuer { get; set; } = "quay";

    /// <summary>Quay's own address.</summary>
    [Parameter(Mandatory = true, ParameterSetName = OrganizationSet)]
    [Parameter(Mandatory = true, ParameterSetName = RepositorySet)]
    [Parameter(Mandatory = true, ParameterSetName = AllSet)]
    [ValidateNotNull]
    public Uri? QuayUri { get; set; }

    /// <summary>The organisations, or users, whose images are judged.</summary>
    [Parameter(Mandatory = true, ParameterSetName = OrganizationSet)]
    [ValidateNotNullOrEmpty]
    public string[] Organization { get; set; } = [];

    /// <summary>The repositories, with their namespaces.</summary>
    [Parameter(Mandatory = true, ParameterSetName = RepositorySet)]
    [ValidateNotNullOrEmpty]
    public string[] Repository { get; set; } = [];

    /// <summary>Every image that the token may see.</summary>
    [Parameter(Mandatory = true, ParameterSetName = AllSet)]
    public SwitchParameter All { get; set; }

    /// <summary>An OAuth token of Quay.</summary>
    [Parameter(ParameterSetName = OrganizationSet)]
    [Parameter(ParameterSetName = RepositorySet)]
    [Parameter(ParameterSetName = AllSet)]
    [ValidateNotNull]
    public SecureString? QuayToken { get; set; }

    /// <summary>A file with that token.</summary>
    [Parameter(ParameterSetName = OrganizationSet)]
    [Parameter(ParameterSetName = RepositorySet)]
    [Parameter(ParameterSetName = AllSet)]
    [ValidateNotNullOrEmpty]
    public string? QuayTokenPath { get; set; }

    /// <summary>Authorities, PEM, that Quay's certificate may be of besides the system's.</summary>
    [Parameter(ParameterSetName = OrganizationSet)]
    [Parameter(ParameterSetName = RepositorySet)]
    [Parameter(ParameterSetName = AllSet)]
    [ValidateNotNullOrEmpty]
    public string? CaCertificate { get; set; }

    /// <summary>The release of Clair that judges the images.</summary>
    [Parameter]
    [ValidateSet("4.9.0", "main")]
    public string? ClairRelease { get; set; }

    /// <summary>When the images were made, where Quay is not there to say so.</summary>
    [Parameter(ParameterSetName = DigestSet, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = "Path")]
    [Parameter(ParameterSetName = "LiteralPath", ValueFromPipelineByPropertyName = true)]
    public DateTimeOffset? ImageCreatedAt { get; set; }

    /// <summary>What this site serves.</summary>
    private protected SiteFeeds Feeds => _feeds ??= SiteFeeds.Load(OpenSite(), TimeProvider.System);

    /// <inheritdoc/>
    protected override string NotFoundId => ErrorIds.IndexReportNotFound;

    private protected CoverageEvaluator Evaluator => _evaluator ??= new CoverageEvaluator(Feeds, ClairRelease is { } named ? Core.Clair.ClairRelease.Get(named) : Feeds.Release)
    {
        IngestedUpdaters = ClairUri is null ? null : Ingested(),
    };

    /// <summary>Takes a judged image. A command that needs more than the index overrides what reads and asks instead.</summary>
    private protected virtual void Take(string name, IReadOnlyList<string> tags, ImageCoverage image)
    {
    }

    /// <inheritdoc/>
    protected override void Begin()
    {
        _ = Feeds; // a site that is not there is said once, before any image
        if (ParameterSetName is OrganizationSet or RepositorySet or AllSet)
        {
            Fleet();
        }
    }

    /// <inheritdoc/>
    protected override void ProcessFile(string path)
    {
        FileStream file;
        try
        {
            file = File.OpenRead(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new FeedException(ErrorIds.IndexReportNotFound, $"'{path}' cannot be read: {e.Message}", path, "Check the name.", e);
        }

        using (file)
        {
            try
            {
                Take(path, [], Evaluator.Evaluate(IndexReport.Read(file), ImageCreatedAt?.ToUniversalTime()));
            }
            catch (FeedException e) when (e.ErrorId == ErrorIds.IndexReportInvalid)
            {
                throw new FeedException(e.ErrorId, $"'{path}': {e.Message}", path, e.Remedy, e);
            }
        }
    }

    /// <inheritdoc/>
    protected override void ProcessOther()
    {
        if (ParameterSetName == DigestSet)
        {
            Ask([.. ManifestDigest.Select(d => new ImageReference(d, d, []) { CreatedAt = ImageCreatedAt?.ToUniversalTime() })]);
        }
    }

    private void Fleet()
    {
        if (QuayToken is not null && QuayTokenPath is not null)
        {
            throw new FeedException(ErrorIds.QuayDenied, "-QuayToken and -QuayTokenPath name two tokens.", QuayTokenPath, "Give one of the two.");
        }

        string? token = QuayTokenPath is null ? SecretText.Of(QuayToken) : ReadSecret(QuayTokenPath);
        using var quay = new QuayClient(QuayUri!, token, CaCertificate is null ? null : FilePath(CaCertificate));
        DateTimeOffset? mappings = Feeds.MappingsCapturedAt;
        IReadOnlyList<ImageReference> images = Await(async (progress, stop) =>
        {
            IReadOnlyList<string> organizations = All ? [.. (await quay.GetNamespacesAsync(stop)).Select(n => n.Name)] : Organization;
            return await ImageFleet.ListAsync(quay, organizations, Repository, mappings, progress, stop);
        });
        WriteVerbose($"{images.Count} images, {images.Select(i => i.ManifestDigest).Distinct().Count()} different ones.");
        foreach (ImageReference[] batch in images.Chunk(Batch))
        {
            Ask(batch);
        }
    }

    /// <summary>Asks Clair for images, and takes them.</summary>
    private protected virtual void Ask(IReadOnlyList<ImageReference> images)
    {
        var fleet = new ImageFleet(Clair(), Evaluator);
        IReadOnlyList<AskedImage> asked = Await(async (progress, stop) =>
        {
            List<AskedImage> found = [];
            await foreach (AskedImage image in fleet.AskAsync(images, progress, stop))
            {
                found.Add(image);
            }

            return found;
        });
        foreach (AskedImage image in asked)
        {
            if (image.Coverage is { } coverage)
            {
                Take(image.Reference.Name, image.Reference.Tags, coverage);
            }
            else
            {
                FeedException e = image.Error!;
                WriteError(ErrorRecordFactory.Create(new FeedException(e.ErrorId, $"{image.Reference.Name}: {e.Message}", image.Reference.ManifestDigest, e.Remedy, e)));
            }
        }
    }

    /// <summary>What Clair has, as far as it says so; it says so by an interface that it calls internal.</summary>
    private HashSet<string>? Ingested()
    {
        ClairClient clair = Clair();
        try
        {
            return [.. Await((_, stop) => clair.LatestAsync(stop)).Select(o => o.Updater)];
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.ClairAnswer)
        {
            WriteWarning($"Clair does not say what it has ingested: the verdicts are those of what is served here. {e.Message}");
            return null;
        }
    }

    private protected ClairClient Clair()
    {
        if (Psk is not null && PskPath is not null)
        {
            throw new FeedException(ErrorIds.ClairUnauthorized, "-Psk and -PskPath name two keys.", PskPath, "Give one of the two.");
        }

        return _clair ??= new ClairClient(ClairUri!, PskPath is null ? SecretText.Of(Psk) : ReadSecret(PskPath), Issuer, TimeProvider.System);
    }

    private string ReadSecret(string path)
    {
        string file = FilePath(path);
        return ConfigFile.ReadIfThere(file)?.Trim() ?? throw new FeedException(ErrorIds.ClairConfigNotFound, $"There is no file '{file}'.", file, "Check the name.");
    }
}
