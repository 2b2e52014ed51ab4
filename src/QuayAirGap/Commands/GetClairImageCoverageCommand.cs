using System.Management.Automation;
using QuayAirGap.Core.Coverage;

namespace QuayAirGap.Commands;

/// <summary>Get-ClairImageCoverage.</summary>
[Cmdlet(VerbsCommon.Get, "ClairImageCoverage", DefaultParameterSetName = "Path")]
[OutputType(typeof(ClairImageCoverage))]
public sealed class GetClairImageCoverageCommand : ImageReportCmdlet
{
    private protected override void Take(string name, IReadOnlyList<string> tags, ImageCoverage image) =>
        WriteObject(CoverageMapper.Image(name, tags, image, Feeds.Generation));
}
