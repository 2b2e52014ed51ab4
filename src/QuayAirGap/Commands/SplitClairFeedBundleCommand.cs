using System.Management.Automation;
using QuayAirGap.Core.Bundles;

namespace QuayAirGap.Commands;

/// <summary>Split-ClairFeedBundle.</summary>
[Cmdlet(VerbsCommon.Split, "ClairFeedBundle", SupportsShouldProcess = true, DefaultParameterSetName = "Path")]
[OutputType(typeof(ClairFeedVolume))]
public sealed class SplitClairFeedBundleCommand : PathCmdlet
{
    /// <summary>The media's size: 4.7GB, 25GB, 2GB, or a number of bytes that no file exceeds.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [VolumeSizeTransformation]
    public VolumeSize VolumeSize { get; set; }

    /// <summary>The folder for the parts; the bundle's own where it is left out.</summary>
    [Parameter(Position = 2)]
    [ValidateNotNullOrEmpty]
    public string? Destination { get; set; }

    /// <summary>Replaces parts of that name.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Writes the parts to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessFile(string path)
    {
        var bundle = Bundle.Open(path);
        string folder = Destination is null ? System.IO.Path.GetDirectoryName(path)! : FilePath(Destination);
        string name = VolumeWriter.BundleNameOf(path);
        if (!ShouldProcess(path, $"Split {ByteText.Of(bundle.Size)} into parts of up to {ByteText.Of(VolumeSize.PartSize)} in '{folder}'"))
        {
            return;
        }

        VolumeSet parts = Await((progress, token) => VolumeWriter.SplitAsync(bundle, folder, name, VolumeSize.PartSize, Force, progress, token, verify: true));
        WriteVerbose($"'{path}' is in {parts.Count} parts now: carry all of them.");
        if (PassThru)
        {
            foreach (VolumePart part in parts.Parts)
            {
                WriteObject(OutputMapper.Volume(part));
            }
        }
    }
}
