using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Bundles;

/// <summary>The refusals of a bundle, each with what to do about it.</summary>
internal static class BundleErrors
{
    private const string CarryAgain = "Carry the bundle over again; compare its size and SHA-256 on both sides.";
    private const string MakeAgain = "Have the bundle made again; this one is not what its signer's QuayAirGap writes.";

    public static FeedException Invalid(string path, string what, Exception? cause = null) =>
        Create(ErrorIds.BundleInvalid, $"'{path}' is not a valid bundle: {what}.", path, "Check that it is the right file. " + CarryAgain, cause);

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
