using QuayAirGap.Core.Collecting;

namespace QuayAirGap.Core.Sources.Alpine;

/// <summary>Finds the stable releases as claircore's alpine/updater.go does: v3.3, v3.4 … without a gap, then v4.0 ….</summary>
internal static class AlpineReleases
{
    /// <summary>A server that answers 200 to every name would never end Clair's discovery.</summary>
    private const int MostMinors = 200;

    private const int FirstMajor = 3;

    private const int FirstMinor = 3;

    /// <returns>"v3.3", "v3.4", … in Clair's order.</returns>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.UpstreamIncomplete"/>: no v3.3, or a gap; <see cref="ErrorIds.UpstreamContent"/>: everything answers 200.
    /// </exception>
    public static async Task<IReadOnlyList<string>> DiscoverAsync(ICollectSession session, Uri root, CancellationToken cancellationToken)
    {
        List<string> releases = [];
        for (int major = FirstMajor; ; major++)
        {
            int first = FirstMinorOf(major);
            int minor = first;
            while (await ExistsAsync(session, root, major, minor, cancellationToken).ConfigureAwait(false))
            {
                releases.Add(NameOf(major, minor++));
                if (minor > MostMinors)
                {
                    throw new FeedException(
                        ErrorIds.UpstreamContent, $"'{root}' answers 200 to any directory: v{major}.0 to v{major}.{MostMinors} cannot all be releases.",
                        root.AbsoluteUri, "The server must answer 404 for what it does not have. A proxy's error page with status 200 is the usual cause.");
                }
            }

            await ThrowIfGapAsync(session, root, major, minor, cancellationToken).ConfigureAwait(false);
            if (minor == first)
            {
                return releases;
            }
        }
    }

    /// <summary>The position of a release in Clair's order of asking, or null where the name is none.</summary>
    public static (int Major, int Minor)? Parse(string name) =>
        name.StartsWith('v') && Version.TryParse(name.AsSpan(1), out Version? v) && v.Build < 0 ? (v.Major, v.Minor) : null;

    public static int FirstMinorOf(int major) => major == FirstMajor ? FirstMinor : 0;

    private static async Task ThrowIfGapAsync(ICollectSession session, Uri root, int major, int missing, CancellationToken cancellationToken)
    {
        bool isStart = major == FirstMajor && missing == FirstMinor;
        if (isStart || await ExistsAsync(session, root, major, missing + 1, cancellationToken).ConfigureAwait(false))
        {
            throw new FeedException(
                ErrorIds.UpstreamIncomplete,
                $"'{root}' has no {NameOf(major, missing)}/{(isStart ? "" : $", but {NameOf(major, missing + 1)}/ is there")}: "
                + "Clair stops looking there and would lose every later release without a word.",
                new Uri(root, NameOf(major, missing) + "/").AbsoluteUri,
                "Nothing of this source was taken. Look whether the upstream or the cache in between is complete.");
        }
    }

    private static Task<bool> ExistsAsync(ICollectSession session, Uri root, int major, int minor, CancellationToken cancellationToken) =>
        session.ExistsAsync(new Uri(root, NameOf(major, minor) + "/"), cancellationToken);

    private static string NameOf(int major, int minor) => FormattableString.Invariant($"v{major}.{minor}");
}
