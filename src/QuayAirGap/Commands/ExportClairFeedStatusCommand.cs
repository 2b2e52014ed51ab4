using System.Management.Automation;
using QuayAirGap.Core.Pages;

namespace QuayAirGap.Commands;

/// <summary>Export-ClairFeedStatus.</summary>
[Cmdlet(VerbsData.Export, "ClairFeedStatus", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportClairFeedStatusCommand : ClairFeedCmdlet
{
    /// <summary>The HTML file.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>Replaces a file that this command has not written.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Returns the file.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        string path = FilePath(Path);
        PageFile.ThrowIfForeign(path, Force);
        var facts = StatusFacts.Of(OpenSite(), TimeProvider.System);
        if (!ShouldProcess(path, "Write the status page"))
        {
            return;
        }

        PageFile.Write(path, StatusPage.Render(facts).ToUtf8(), Force);
        if (PassThru)
        {
            WriteObject(new FileInfo(path));
        }
    }
}
