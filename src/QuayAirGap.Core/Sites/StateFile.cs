using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Sites;

/// <summary>A small file that a site keeps between two runs. It is written as a whole or not at all, and survives a power cut.</summary>
internal static class StateFile
{
    private const string GiveAccess = "Give this account write access to the site's folder.";

    /// <param name="path">In the site; its folder is there.</param>
    /// <param name="content">All of it.</param>
    /// <param name="what">What cannot be kept if it fails: "What was sent".</param>
    /// <param name="remedy">What to do then; null for what is always right.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteNotWritable"/> or <see cref="ErrorIds.DiskFull"/></exception>
    public static void Save(string path, ReadOnlySpan<byte> content, string what, string? remedy = null)
    {
        try
        {
            Durable.ReplaceFile(path, content);
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(ErrorIds.SiteNotWritable, $"{what} cannot be kept in '{path}': {e.Message}", path, remedy ?? GiveAccess, e);
        }
    }
}
