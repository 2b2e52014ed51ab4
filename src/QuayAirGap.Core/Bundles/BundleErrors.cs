using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Bundles;

/// <summary>The refusals of a bundle, each with what to do about it.</summary>
internal static partial class BundleErrors
{
    private const string CarryAgain = "Carry the bundle over again; compare its size and SHA-256 on both sides.";
    private const string MakeAgain = "Have the bundle made again; this one is not what its signer's QuayAirGap writes.";

    public static FeedException Invalid(string path, string what, Exception? cause = null) =>
        Create(ErrorIds.BundleInvalid, $"'{path}' is not a valid bundle: {what}.", path, "Check that it is the right file. " + CarryAgain, cause);

    /// <summary>Refuses a type of ours that this version does not have, as what it is: of a later version.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleVersion"/></exception>
    public static void ThrowIfLater(string path, string? type)
    {
        if (type is not null && LaterType().IsMatch(type) && type is not (BundleFormat.ArtifactType or BundleFormat.SnapshotType or BundleFormat.SourceType))
        {
            throw new FeedException(
                ErrorIds.BundleVersion, SnapshotRules.Printable($"'{path}' holds '{type}', which a later QuayAirGap writes and this one does not read."), path,
                "Update QuayAirGap on this side, or make the bundle with the version that runs here.");
        }
    }

    [System.Text.RegularExpressions.GeneratedRegex(@"\Aapplication/vnd\.quayairgap\.[a-z.-]{1,40}\.v[1-9][0-9]{0,3}(\+[a-z0-9+.-]{1,40}|\.[a-z0-9+.-]{1,40})?\z")]
    private static partial System.Text.RegularExpressions.Regex LaterType();

    public static FeedException Truncated(string path, string what) =>
        Create(ErrorIds.BundleTruncated, $"The bundle '{path}' is cut short: {what}.", path, CarryAgain);

    public static FeedException Altered(string target, string what) =>
        Create(ErrorIds.BundleAltered, $"The bundle was altered or damaged after it was made: {what}.", target, CarryAgain + " Do not import this one.");

    public static FeedException Extra(string target, string what) =>
        Create(ErrorIds.BundleExtraContent, $"The bundle holds more than it should: {what}.", target, CarryAgain + " Do not import this one.");

    public static FeedException Duplicate(string target, string what) =>
        Create(ErrorIds.BundleDuplicate, $"The bundle says something twice: {what}.", target, CarryAgain + " Do not import this one.");

    public static FeedException Link(string target, string what) =>
        Create(ErrorIds.BundleLink, $"The bundle holds a link: {what}.", target, "No bundle has links: do not import this one, and find out who made it.");

    public static FeedException Escape(string target, string what) =>
        Create(
            ErrorIds.BundlePathEscape, $"The bundle names a path outside of itself: {what}.", target,
            "No bundle does that: do not import this one, and find out who made it.");

    public static FeedException Missing(string target, string what) =>
        Create(ErrorIds.BundleMissingContent, $"The bundle is incomplete: {what}.", target, CarryAgain);

    public static FeedException Limit(string target, string what) =>
        Create(ErrorIds.BundleLimit, $"The bundle exceeds a limit: {what}.", target, MakeAgain + " Do not import this one.");

    public static FeedException Recipe(string target, string what) =>
        Create(ErrorIds.BundleRecipe, $"The delta cannot be used: {what}.", target, MakeAgain + " A full bundle needs no recipes.");

    public static FeedException Inconsistent(string target, string what) =>
        Create(ErrorIds.BundleInvalid, $"The bundle contradicts its own snapshot: {what}.", target, MakeAgain);

    private static FeedException Create(string errorId, string message, string target, string remedy, Exception? cause = null) =>
        new(errorId, SnapshotRules.Printable(message), target, remedy, cause);
}
