using QuayAirGap.TestKit.Samples;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>Where things are, seen from the test's own folder.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string Sample(string day) => SampleUpstream.Complete(day == "day1" ? 1 : 2);

    /// <summary>A layer for real feeds that lack some years of NVD.</summary>
    public static string EmptyNvdYears => SampleUpstream.EmptyNvdYears;

    /// <summary>Real feed data beside the checkout, or null where it is not there.</summary>
    public static string? Feeds(string name)
    {
        string feeds = Environment.GetEnvironmentVariable("QUAYAIRGAP_FEEDS") ?? Path.Combine(Root, "..", "shared", "feeds");
        string folder = Path.GetFullPath(Path.Combine(feeds, name));
        return Directory.Exists(folder) ? folder : null;
    }

    private static string Find()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "QuayAirGap.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new DirectoryNotFoundException("The tests run from within the repository.");
    }
}
