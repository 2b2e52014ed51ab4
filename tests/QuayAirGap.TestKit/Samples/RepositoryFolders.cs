namespace QuayAirGap.TestKit.Samples;

/// <summary>Finds the checkout that the running tests were built from, and what lies beside it.</summary>
public static class RepositoryFolders
{
    private static readonly Lazy<string> s_root = new(FindRoot);

    /// <summary>The folder with <c>QuayAirGap.sln</c>, absolute.</summary>
    /// <exception cref="DirectoryNotFoundException">The tests do not run from within a checkout.</exception>
    public static string Root => s_root.Value;

    /// <summary>
    /// The folder with real feed data, laid out <c>&lt;state&gt;/&lt;host&gt;/&lt;path&gt;</c>: <c>QUAYAIRGAP_FEEDS</c>, else
    /// <c>../shared/feeds</c> from <see cref="Root"/>; null where there is none (skip the test then).
    /// </summary>
    public static string? RealFeeds =>
        new[] { Environment.GetEnvironmentVariable("QUAYAIRGAP_FEEDS"), Path.Combine(Root, "..", "shared", "feeds") }
            .Where(folder => !string.IsNullOrEmpty(folder) && Directory.Exists(folder))
            .Select(folder => Path.GetFullPath(folder!))
            .FirstOrDefault();

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "QuayAirGap.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No folder above '{AppContext.BaseDirectory}' holds QuayAirGap.sln.");
    }
}
