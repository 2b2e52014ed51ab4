using System.Globalization;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>What a delta is made against.</summary>
/// <param name="Snapshot">The base's inventory.</param>
/// <param name="Sha256">Of the signed document.</param>
/// <param name="Bundle">The bundle that it was taken from, where one was named: it may still have what the store has not.</param>
public sealed record DeltaBase(Snapshot Snapshot, string Sha256, Bundle? Bundle)
{
    /// <summary>Finds the base that somebody names.</summary>
    /// <param name="since">A bundle's path, a snapshot's SHA-256, or its sequence within the stream.</param>
    /// <param name="stream">The collecting site's stream: a delta builds on its own stream only.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.BaseNotFound"/>, <see cref="ErrorIds.BaseInvalid"/>, or what is wrong with the bundle.</exception>
    public static DeltaBase Find(Site site, string since, Guid stream)
    {
        DeltaBase found;
        var snapshots = new SnapshotStore(site);
        if (Sha256Digest.IsValid(since) || long.TryParse(since, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            StoredSnapshot stored = snapshots.List().LastOrDefault(s => Matches(s, since) && snapshots.Load(s.Sha256).Stream == stream)
                ?? throw new FeedException(
                    ErrorIds.BaseNotFound, $"The site '{site.Root}' keeps no snapshot '{since}' of its stream. It keeps {Kept(snapshots)}.", since,
                    "Name one of these, or the bundle file itself.");
            found = new DeltaBase(snapshots.Load(stored.Sha256), stored.Sha256, null);
        }
        else
        {
            Bundle bundle = Bundle.Open(since);
            found = new DeltaBase(bundle.Snapshot, bundle.SnapshotSha256, bundle);
        }

        return found.Snapshot.Stream == stream
            ? found
            : throw new FeedException(
                ErrorIds.BaseInvalid, $"'{since}' belongs to the stream {found.Snapshot.Stream:D}; this site writes {stream:D}.", since,
                "No site that took that one takes bundles of this site. Name a bundle that this site wrote.");
    }

    /// <summary>The newest snapshot of the stream, or null before the first.</summary>
    public static DeltaBase? FindLast(Site site, Guid stream)
    {
        var snapshots = new SnapshotStore(site);
        foreach (StoredSnapshot stored in snapshots.List().Reverse())
        {
            if (snapshots.Load(stored.Sha256) is { } snapshot && snapshot.Stream == stream)
            {
                return new DeltaBase(snapshot, stored.Sha256, null);
            }
        }

        return null;
    }

    private static bool Matches(StoredSnapshot stored, string since) =>
        stored.Sha256 == since || stored.Sequence.ToString(CultureInfo.InvariantCulture) == since.TrimStart('0');

    private static string Kept(SnapshotStore snapshots) =>
        snapshots.List() is { Count: > 0 } kept
            ? "the sequences " + string.Join(", ", kept.Select(s => s.Sequence.ToString(CultureInfo.InvariantCulture)))
            : "none";
}
