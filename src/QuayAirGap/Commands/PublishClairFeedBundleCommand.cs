using System.Globalization;
using System.Management.Automation;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Registry;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Publish-ClairFeedBundle.</summary>
[Cmdlet(VerbsData.Publish, "ClairFeedBundle", SupportsShouldProcess = true, DefaultParameterSetName = "Path")]
[OutputType(typeof(ClairFeedRegistryBundle))]
public sealed class PublishClairFeedBundleCommand : PathCmdlet
{
    /// <summary>HOST[:PORT]/REPOSITORY[:TAG].</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>The registry's account; else what the auth files have.</summary>
    [Parameter]
    [Credential]
    public PSCredential? Credential { get; set; }

    /// <summary>Certificates of the authorities that vouch for the registry.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] CaCertificate { get; set; } = [];

    /// <summary>HTTP without TLS.</summary>
    [Parameter]
    public SwitchParameter PlainHttp { get; set; }

    /// <summary>Writes where the bundle is now to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessFile(string path)
    {
        var target = RegistryReference.Parse(Destination);
        var bundle = Bundle.Open(path);
        RegistryOptions options = RegistryParameters.Options(Credential, [.. CaCertificate.Select(FilePath)], PlainHttp);
        if (!ShouldProcess(target.ToString(), $"Publish '{path}', sequence {bundle.Snapshot.Sequence}"))
        {
            return;
        }

        RegistryParameters.Warn(this, target, PlainHttp);
        PublishedBundle published = Await((progress, token) => new BundlePublisher(options).PublishAsync(bundle, target, progress, token));
        if (Site.Exists(ResolvedSitePath))
        {
            LedgerLine.Append(
                OpenSite(), LedgerEvents.BundlePublished, ("bundle", System.IO.Path.GetFileName(path)), ("snapshot", bundle.SnapshotSha256),
                ("stream", bundle.Snapshot.Stream.ToString("D")), ("sequence", bundle.Snapshot.Sequence.ToString(CultureInfo.InvariantCulture)),
                ("to", published.Reference.ToString()), ("digest", published.Digest));
        }

        WriteVerbose($"'{published.Reference}': {ByteText.Of(published.BytesSent)} sent, {ByteText.Of(published.BytesThere)} were there.");
        if (PassThru)
        {
            WriteObject(OutputMapper.Published(bundle, published));
        }
    }
}
