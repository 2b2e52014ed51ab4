using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>What all commands share: the site, paths as PowerShell understands them, and errors with ids.</summary>
public abstract class ClairFeedCmdlet : AsyncPSCmdlet
{
    /// <summary>The site's folder.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? SitePath { get; set; }

    /// <summary>The absolute path of the site, whether or not it is there.</summary>
    protected string ResolvedSitePath => FilePath(SitePath ?? Site.DefaultPath);

    /// <inheritdoc/>
    protected sealed override void BeginProcessing() => Guard(Begin);

    /// <inheritdoc/>
    protected sealed override void ProcessRecord() => Guard(Process);

    /// <inheritdoc/>
    protected sealed override void EndProcessing() => Guard(End);

    protected virtual void Begin()
    {
    }

    protected virtual void Process()
    {
    }

    protected virtual void End()
    {
    }

    protected Site OpenSite() => Site.Open(ResolvedSitePath);

    /// <summary>An absolute file system path; the file need not exist, and nothing in it is a wildcard.</summary>
    protected string FilePath(string path)
    {
        string resolved = SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
        return IsFileSystem(provider)
            ? resolved
            : throw new FeedException(
                ErrorIds.DestinationInvalid, $"'{path}' is not in the file system.", path, "Name a file or a folder on a disk.");
    }

    protected static bool IsFileSystem(ProviderInfo provider) => provider.ImplementingType == typeof(Microsoft.PowerShell.Commands.FileSystemProvider);

    /// <summary>Does something for one of several inputs: its failure is reported, and the others go on.</summary>
    protected void ForOne(Action work)
    {
        try
        {
            work();
        }
        catch (FeedException e) when (!ErrorRecordFactory.ConcernsEverything(e.ErrorId))
        {
            WriteError(ErrorRecordFactory.Create(e));
        }
    }

    private void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is FeedException or IOException or UnauthorizedAccessException)
        {
            ThrowTerminatingError(ErrorRecordFactory.Create(e is FeedException || !Site.IsFull(e) ? e : Site.DiskFull(ResolvedSitePath, e)));
        }
    }
}
