using System.Globalization;
using System.Management.Automation;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Registry;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Receive-ClairFeedBundle.</summary>
[Cmdlet(VerbsCommunications.Receive, "ClairFeedBundle", SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedBundle))]
public sealed class ReceiveClairFeedBundleCommand : ClairFeedCmdlet
{
    /// <summary>HOST[:PORT]/REPOSITORY[:TAG|@sha256:DIGEST].</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("Reference")]
    [ValidateNotNullOrEmpty]
    public string Source { get; set; } = "";

    /// <summary>The bundle: a .tar file, or a folder in which it gets a name of its own.</summary>
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

    /// <summary>Replaces a bundle of that name.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Writes the bundle to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        var source = RegistryReference.Parse(Source);
        string destination = FilePath(Destination);
        RegistryOptions options = RegistryParameters.Options(Credential, [.. CaCertificate.Select(FilePath)], PlainHttp);
        if (!ShouldProcess(destination, $"Receive '{source}'"))
        {
            return;
        }

        RegistryParameters.Warn(this, source, PlainHttp);
        ReceivedBundle received = Await((progress, token) => new BundleReceiver(options).ReceiveAsync(source, destination, Force, progress, token));
        Bundle bundle = received.Bundle;
        if (Site.Exists(ResolvedSitePath))
        {
            LedgerLine.Append(
                OpenSite(), LedgerEvents.BundleReceived, ("bundle", System.IO.Path.GetFileName(bundle.Path)), ("snapshot", bundle.SnapshotSha256),
                ("stream", bundle.Snapshot.Stream.ToString("D")), ("sequence", bundle.Snapshot.Sequence.ToString(CultureInfo.InvariantCulture)),
                ("from", source.ToString()), ("digest", received.Digest));
        }

        WriteVerbose($"'{bundle.Path}': sequence {bundle.Snapshot.Sequence}, {ByteText.Of(received.BytesReceived)} received. Nothing in it is trusted yet.");
        if (PassThru)
        {
            WriteObject(OutputMapper.Bundle(bundle, OutputMapper.NotChecked));
        }
    }
}
