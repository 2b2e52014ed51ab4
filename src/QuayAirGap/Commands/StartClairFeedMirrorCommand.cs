using System.Management.Automation;
using QuayAirGap.Serving;

namespace QuayAirGap.Commands;

/// <summary>Start-ClairFeedMirror.</summary>
[Cmdlet(VerbsLifecycle.Start, "ClairFeedMirror", SupportsShouldProcess = true, DefaultParameterSetName = SiteSet)]
[OutputType(typeof(ClairFeedMirror))]
public sealed class StartClairFeedMirrorCommand : ClairFeedCmdlet
{
    private const string SiteSet = "Site";
    private const string FolderSet = "Folder";

    /// <summary>A folder laid out host/path to serve in place of a site.</summary>
    [Parameter(Mandatory = true, ParameterSetName = FolderSet)]
    [ValidateNotNullOrEmpty]
    public string? Folder { get; set; }

    /// <summary>Where to listen.</summary>
    [Parameter(Position = 0)]
    [Alias("Url")]
    [ValidateNotNullOrEmpty]
    public string[] Urls { get; set; } = ["http://127.0.0.1:8080"];

    /// <summary>Answers for the feeds' own hosts too.</summary>
    [Parameter(ParameterSetName = SiteSet)]
    public SwitchParameter AsUpstream { get; set; }

    /// <summary>Where to be Clair's proxy.</summary>
    [Parameter(ParameterSetName = SiteSet)]
    [ValidateNotNullOrEmpty]
    public string[]? Proxy { get; set; }

    /// <summary>Where to answer when the network's name resolution leads the feeds' hosts here.</summary>
    [Parameter(ParameterSetName = SiteSet)]
    [ValidateNotNullOrEmpty]
    public string[]? ByName { get; set; }

    /// <summary>The Clair before which to stand: reports of images that the feeds cannot speak for get a warning.</summary>
    [Parameter(ParameterSetName = SiteSet)]
    [ValidateNotNull]
    public Uri? ScanGateway { get; set; }

    /// <summary>Where Quay finds the scan gateway.</summary>
    [Parameter(ParameterSetName = SiteSet)]
    [ValidateNotNullOrEmpty]
    public string[]? ScanGatewayUrls { get; set; }

    /// <summary>The authorities that vouch for that Clair.</summary>
    [Parameter(ParameterSetName = SiteSet)]
    [ValidateNotNullOrEmpty]
    public string? ScanGatewayCa { get; set; }

    /// <summary>Whom to ask, at the end of each warning.</summary>
    [Parameter(ParameterSetName = SiteSet)]
    [ValidateNotNullOrEmpty]
    public string? ScanGatewayContact { get; set; }

    /// <summary>Where to read more: the link of each warning.</summary>
    [Parameter(ParameterSetName = SiteSet)]
    [ValidateNotNull]
    public Uri? ScanGatewayLink { get; set; }

    /// <summary>The release of that Clair.</summary>
    [Parameter(ParameterSetName = SiteSet)]
    [ValidateNotNullOrEmpty]
    public string? ClairRelease { get; set; }

    /// <summary>The server certificate for https in Urls.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? TlsCertificate { get; set; }

    /// <summary>Its private key, where it is in a file of its own.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? TlsKey { get; set; }

    /// <summary>The executable quayairgap.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ExecutablePath { get; set; }

    /// <summary>Writes the mirror to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        string? folder = Folder is null ? null : FilePath(Folder);
        string? site = folder is null ? OpenSite().Root : null;
        string executable = ServerExecutable.Find(ExecutablePath is null ? null : FilePath(ExecutablePath));
        var request = new MirrorRequest
        {
            SitePath = site,
            Folder = folder,
            Urls = Several(Urls),
            AsUpstream = AsUpstream,
            Proxy = Several(Proxy),
            ByName = Several(ByName),
            ScanGateway = ScanGateway,
            ScanGatewayUrls = Several(ScanGatewayUrls),
            ScanGatewayCa = ScanGatewayCa is null ? null : FilePath(ScanGatewayCa),
            ScanGatewayContact = ScanGatewayContact,
            ScanGatewayLink = ScanGatewayLink,
            ClairRelease = ClairRelease,
            TlsCertificate = TlsCertificate is null ? null : FilePath(TlsCertificate),
            TlsKey = TlsKey is null ? null : FilePath(TlsKey),
        };
        string action = $"Serve at {string.Join(", ", request.Urls)}{(AsUpstream ? ", and as upstream" : "")}{(ScanGateway is null ? "" : $", and as the gateway to {ScanGateway}")}";
        if (!ShouldProcess(site ?? folder, action))
        {
            return;
        }

        MirrorProcess process = Await((_, token) => MirrorProcess.StartAsync(executable, request, token));
        WriteVerbose($"Process {process.Id} listens on {string.Join(", ", process.Urls)}.");
        if (PassThru)
        {
            WriteObject(new ClairFeedMirror(process));
        }
    }

    private static string[] Several(string[]? values) =>
        [.. (values ?? []).SelectMany(u => u.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
}
