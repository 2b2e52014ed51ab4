namespace QuayAirGap.Core.Sources.Oval;

/// <summary>What the families of OVAL documents say alike.</summary>
internal static class OvalErrors
{
    /// <summary>A capture that cannot be laid out for Clair; what is served stays.</summary>
    public static FeedException Unpublishable(SourceDefinition source, string reason) => new(
        ErrorIds.PublicationFailed, $"{source.Name} cannot be published: {reason}.", source.Name,
        $"Import a bundle whose capture of {source.Name} is complete; what is served now stays.");
}
