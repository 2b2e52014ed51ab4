using System.Globalization;
using System.Reflection;

namespace QuayAirGap.Package;

/// <summary>The checkout that this program was built from.</summary>
internal static class Repository
{
    public static string Root => Metadata("RepositoryRoot");

    public static string Version => Metadata("Version");

    /// <summary>
    /// The one time that everything in the packages bears, UTC: SOURCE_DATE_EPOCH (reproducible-builds.org), else the commit's own. Two builds of one commit must not
    /// differ by the hour at which they were made.
    /// </summary>
    /// <exception cref="PackageException">There is neither.</exception>
    public static DateTimeOffset SourceDate()
    {
        string text = Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH") is { Length: > 0 } given ? given : Tool.Read("git", "-C", Root, "log", "-1", "--format=%ct").Trim();
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds)
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw new PackageException($"'{text}' is no time. Set SOURCE_DATE_EPOCH to the seconds since 1970 of the commit, or build from a git checkout.");
    }

    private static string Metadata(string key) =>
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}

/// <summary>A package cannot be made, for a reason that people can mend.</summary>
internal sealed class PackageException(string message) : Exception(message);
