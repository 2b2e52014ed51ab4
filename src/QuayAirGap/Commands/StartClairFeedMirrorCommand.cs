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
        string[] urls = [.. Urls.SelectMany(u => u.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        if (!ShouldProcess(site ?? folder, $"Serve at {string.Join(", ", urls)}"))
        {
            return;
        }

        MirrorProcess process = Await((_, token) => MirrorProcess.StartAsync(executable, site, folder, urls, token));
        WriteVerbose($"Process {process.Id} listens on {string.Join(", ", process.Urls)}.");
        if (PassThru)
        {
            WriteObject(new ClairFeedMirror(process));
        }
    }
}
