using System.Management.Automation;
using QuayAirGap.Serving;

namespace QuayAirGap.Commands;

/// <summary>Stop-ClairFeedMirror.</summary>
[Cmdlet(VerbsLifecycle.Stop, "ClairFeedMirror", SupportsShouldProcess = true)]
public sealed class StopClairFeedMirrorCommand : ClairFeedCmdlet
{
    /// <summary>The mirrors; all that this process started where none is named.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public ClairFeedMirror[]? Mirror { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        IEnumerable<MirrorProcess> mirrors = Mirror?.Select(m => m.Process) ?? MirrorProcess.Running;
        if (SitePath is not null)
        {
            mirrors = mirrors.Where(m => m.SitePath == ResolvedSitePath);
        }

        foreach (MirrorProcess mirror in mirrors)
        {
            if (ShouldProcess(string.Join(' ', mirror.Urls), "Stop the mirror"))
            {
                Await(async (_, token) =>
                {
                    await mirror.StopAsync(token);
                    return true;
                });
            }
        }
    }
}
