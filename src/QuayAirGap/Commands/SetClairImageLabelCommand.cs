using System.Management.Automation;
using System.Security;
using QuayAirGap.Core;
using QuayAirGap.Core.Quay;
using QuayAirGap.Core.Quay.Api;

namespace QuayAirGap.Commands;

/// <summary>Set-ClairImageLabel.</summary>
[Cmdlet(VerbsCommon.Set, "ClairImageLabel", SupportsShouldProcess = true)]
[OutputType(typeof(ClairImageLabel))]
public sealed class SetClairImageLabelCommand : ClairFeedCmdlet
{
    private readonly HashSet<string> _done = new(StringComparer.Ordinal);
    private QuayClient? _quay;
    private CoverageLabels? _labels;

    /// <summary>Images of this Quay with their verdicts.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNull]
    public ClairImageCoverage[] InputObject { get; set; } = [];

    /// <summary>Quay's own address.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNull]
    public Uri QuayUri { get; set; } = new("http://localhost/");

    /// <summary>An OAuth token of Quay.</summary>
    [Parameter]
    [ValidateNotNull]
    public SecureString? QuayToken { get; set; }

    /// <summary>A file with that token.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? QuayTokenPath { get; set; }

    /// <summary>Authorities, PEM, that Quay's certificate may be of besides the system's.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CaCertificate { get; set; }

    /// <summary>The label's key.</summary>
    [Parameter]
    [ValidatePattern(@"\Aairgap\.[a-z0-9]+([-.][a-z0-9]+)*\z")]
    public string Key { get; set; } = CoverageLabels.DefaultKey;

    /// <summary>Takes the label away, whatever the verdict.</summary>
    [Parameter]
    public SwitchParameter Remove { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        if (QuayToken is not null == QuayTokenPath is not null)
        {
            throw new FeedException(
                ErrorIds.QuayDenied, QuayToken is null ? "Nobody changes labels without a token." : "-QuayToken and -QuayTokenPath name two tokens.", QuayUri.AbsoluteUri,
                "Give one of -QuayToken and -QuayTokenPath: an OAuth access token with the scopes repo:read and repo:write.");
        }

        string token = QuayTokenPath is { } path
            ? ConfigFile.ReadIfThere(FilePath(path))?.Trim() ?? throw new FeedException(ErrorIds.ClairConfigNotFound, $"There is no file '{FilePath(path)}'.", FilePath(path), "Check the name.")
            : SecretText.Of(QuayToken)!;
        _quay = new QuayClient(QuayUri, token, CaCertificate is null ? null : FilePath(CaCertificate));
        _labels = new CoverageLabels(_quay, Key);
    }

    /// <inheritdoc/>
    protected override void Process()
    {
        foreach (ClairImageCoverage image in InputObject)
        {
            ForOne(() => One(image));
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _quay?.Dispose();
        }

        base.Dispose(disposing);
    }

    private void One(ClairImageCoverage image)
    {
        (string space, string repository) = RepositoryOf(image);
        string digest = image.ManifestDigest;
        if (!_done.Add($"{space}/{repository}@{digest}"))
        {
            return; // one manifest, under another name
        }

        string? value = Remove || image.Verdict == "Covered"
            ? null
            : CoverageLabels.ValueOf(image.Verdict, image.Gaps.Select(g => (g.Code, g.Source is null ? g.Subject : g.Part is null ? g.Source : $"{g.Source} {g.Part}", g.Since)));
        CoverageLabelPlan plan = Await((_, stop) => _labels!.PlanAsync(space, repository, digest, value, stop));
        bool applies = plan.Action != CoverageLabelAction.None && ShouldProcess($"{space}/{repository}@{digest}", value is null ? $"{plan.Action} the label {Key}" : $"{plan.Action} the label {Key}: {value}");
        if (applies)
        {
            Await(async (_, stop) =>
            {
                await _labels!.ApplyAsync(space, repository, digest, plan, stop);
                return true;
            });
        }

        WriteObject(new ClairImageLabel
        {
            Image = image.Image,
            Repository = $"{space}/{repository}",
            ManifestDigest = digest,
            Action = plan.Action.ToString(),
            Applied = applies,
            Key = Key,
            Value = value,
        });
    }

    /// <summary>Of "quay.example.com/namespace/repository:tag (platform)"; a repository's name may have slashes.</summary>
    private (string Namespace, string Repository) RepositoryOf(ClairImageCoverage image)
    {
        string host = _quay!.Host + "/";
        string name = image.Image.Split(' ')[0];
        string path = name.StartsWith(host, StringComparison.OrdinalIgnoreCase) ? name[host.Length..].Split(':')[0].Split('@')[0] : "";
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash < path.Length - 1
            ? (path[..slash], path[(slash + 1)..])
            : throw new FeedException(
                ErrorIds.QuayNotFound, $"'{image.Image}' does not name an image of {_quay.Host}.", image.ManifestDigest,
                "Take the images from Get-ClairImageCoverage with -QuayUri and one of -Organization, -Repository and -All.");
    }
}
