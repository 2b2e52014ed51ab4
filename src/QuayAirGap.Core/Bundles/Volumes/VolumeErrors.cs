using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Bundles;

/// <summary>The refusals of volumes, each with what to do about it.</summary>
internal static class VolumeErrors
{
    private const string Again =
        "Carry this part over again; compare its size and SHA-256 on both sides. To go on with the other parts of its folder meanwhile, name one of them instead of the folder.";

    public static FeedException Create(string errorId, string path, string what, Exception? cause = null) => new(
        errorId, SnapshotRules.Printable($"The volumes at '{path}' are refused: {what}."), path, RemedyFor(errorId), cause);

    private static string RemedyFor(string errorId) => errorId switch
    {
        ErrorIds.BundleVolumeMissing => "Bring the missing parts, and name their folder with the same command again; parts that the site keeps need not be brought twice.",
        ErrorIds.BundleVolumeRepeated => "Leave one file for each part in the folder, and move the other away.",
        ErrorIds.BundleVolumeMixed => "Parts of two bundles never make one: name one part of the bundle that is meant instead of the folder, or move the others away.",
        ErrorIds.BundleVolumeAltered or ErrorIds.BundleVolumeTruncated => Again,
        ErrorIds.BundleVolumeLimit => "No program of this kind writes such parts: do not import them, and find out who made them.",
        _ => "Check that it is the right file. " + Again,
    };
}
