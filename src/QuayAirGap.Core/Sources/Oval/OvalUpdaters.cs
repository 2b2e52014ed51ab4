using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Sources.Oval;

/// <summary>What was there and has gone: images of that release would look clean.</summary>
internal static class OvalUpdaters
{
    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamIncomplete"/></exception>
    public static void ThrowIfGone(SourceDefinition source, IEnumerable<string> gone)
    {
        List<string> names = [.. gone.Order(StringComparer.Ordinal)];
        if (names.Count > 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamIncomplete, $"'{source.Uri}' no longer has what these updaters read: {string.Join(", ", names)}.", source.Uri.AbsoluteUri,
                "The previous capture stays. Look whether the upstream or the cache in between is complete; if the release has been withdrawn, "
                + "disable the source, run Save-ClairFeed once, and enable it again.");
        }
    }

    /// <summary>What cannot be laid out for Clair; what is served stays.</summary>
    public static FeedException Unpublishable(SourceDefinition source, string reason) => new(
        ErrorIds.PublicationFailed, $"{source.Name} cannot be published: {reason}.", source.Name,
        $"Import a bundle whose capture of {source.Name} is complete; what is served now stays.");

    /// <summary>The newest modification time of any file.</summary>
    public static DateTimeOffset? Newest(IEnumerable<SnapshotFile> files) => files.Max(f => f.LastModified);
}
