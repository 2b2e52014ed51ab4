using System.Globalization;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Clair;

/// <summary>What an updater's fingerprint says of what is in Clair's database.</summary>
public enum IngestionState
{
    /// <summary>The current generation's content, proved by the fingerprint.</summary>
    Current,

    /// <summary>The content of an earlier generation that is still kept.</summary>
    Older,

    /// <summary>Neither the current generation's content nor that of any kept one.</summary>
    Unproven,

    /// <summary>The mirror serves it, and Clair has no operation of it: nothing of it was ever ingested.</summary>
    Missing,

    /// <summary>The current generation has nothing for it: what Clair has of it, if anything, can only get older.</summary>
    NotServed,

    /// <summary>There was no site to compare with.</summary>
    NotCompared,
}

/// <summary>One updater, or a source of which Clair has none.</summary>
public sealed record Ingestion
{
    /// <summary>The source; null for an updater of none.</summary>
    public string? Source { get; init; }

    /// <summary>Null where Clair has no operation of the source and nobody knows its updaters.</summary>
    public string? Updater { get; init; }

    public required IngestionState State { get; init; }

    /// <summary>The generation that the fingerprint proves.</summary>
    public int? Generation { get; init; }

    /// <summary>Null where Clair has none.</summary>
    public ClairOperation? Operation { get; init; }

    public required string Reason { get; init; }
}

/// <summary>Holds Clair's operations against what was published.</summary>
public static partial class IngestionEvaluator
{
    /// <summary>Every operation, every updater that should have one, and every source without any; by source and updater.</summary>
    /// <param name="operations">The newest of each updater.</param>
    /// <param name="current">The generation that is served.</param>
    /// <param name="earlier">The other kept generations' numbers, newest first, and how to read one.</param>
    /// <param name="store">The site's store.</param>
    /// <param name="at">The time of asking: Clair has an updater for no year of Oracle after it.</param>
    /// <exception cref="FeedException">A generation or a blob cannot be read.</exception>
    public static IReadOnlyList<Ingestion> Evaluate(
        IReadOnlyList<ClairOperation> operations, Generation current, IEnumerable<Func<Generation>> earlier, BlobStore store, DateTimeOffset at)
    {
        var now = new ExpectedFingerprints(current, store);

        // Read one after the other, and only where something asks for it: an index may be large.
        List<ExpectedFingerprints> read = [];
        using IEnumerator<Func<Generation>> unread = earlier.GetEnumerator();
        IEnumerable<ExpectedFingerprints> Kept()
        {
            for (int i = 0; ; i++)
            {
                if (i == read.Count)
                {
                    if (!unread.MoveNext())
                    {
                        yield break;
                    }

                    read.Add(new ExpectedFingerprints(unread.Current(), store));
                }

                yield return read[i];
            }
        }

        List<Ingestion> found = [.. operations.Select(o => Judge(o, now, Kept()))];
        HashSet<string> known = [.. operations.Select(o => Canonical(o.Updater))];
        foreach (Snapshots.SourceSnapshot source in current.Sources)
        {
            foreach (string updater in source.Updaters.Where(u => !IsOfLaterYear(u, at) && known.Add(Canonical(u))))
            {
                found.Add(new Ingestion
                {
                    Source = source.Name,
                    Updater = updater,
                    State = IngestionState.Missing,
                    Reason = $"The mirror serves it, and Clair has never ingested it: {SourceCatalog.Find(source.Name)?.Covers ?? source.Name} may look clean without being checked.",
                });
            }
        }

        foreach (SourceDefinition source in SourceCatalog.All.Where(
            s => ClairRelease.All.Any(r => r.Sets.Contains(s.Name)) && !found.Any(f => f.Source == s.Name)))
        {
            bool isServed = current.Entries.Any(e => e.Source == source.Name);
            found.Add(new Ingestion
            {
                Source = source.Name,
                State = isServed ? IngestionState.Missing : IngestionState.NotServed,
                Reason = $"{(isServed ? "The mirror serves it" : "The mirror does not serve it")}, and Clair has no operation of it: {source.Covers} look clean without being checked.",
            });
        }

        return [.. found.OrderBy(f => f.Source, StringComparer.Ordinal).ThenBy(f => f.Updater, StringComparer.Ordinal)];
    }

    /// <summary>The operations alone, where there is no site.</summary>
    public static IReadOnlyList<Ingestion> WithoutSite(IReadOnlyList<ClairOperation> operations) =>
    [
        .. operations.Select(o => new Ingestion
        {
            Source = SourceOf(o.Updater),
            Updater = o.Updater,
            State = IngestionState.NotCompared,
            Operation = o,
            Reason = "There is no site here to compare with: Clair's date is that of the last change and says nothing of the data's age.",
        }).OrderBy(f => f.Source, StringComparer.Ordinal).ThenBy(f => f.Updater, StringComparer.Ordinal),
    ];

    /// <summary>The source whose updater has this name, or null.</summary>
    public static string? SourceOf(string updater)
    {
        string set = Set().Match(updater).Value;
        return set is "aws" or "alpine" or "debian" or "ubuntu" or "osv" or "oracle" or "photon" or "suse" or "rhel-vex" or "clair.cvss" ? set : null;
    }

    private static Ingestion Judge(ClairOperation operation, ExpectedFingerprints now, IEnumerable<ExpectedFingerprints> kept)
    {
        var result = new Ingestion { Source = SourceOf(operation.Updater), Updater = operation.Updater, Operation = operation, State = IngestionState.Current, Reason = "" };
        bool? isCurrent = now.Proves(operation.Updater, operation.Fingerprint);
        if (isCurrent == true)
        {
            return result with { Generation = now.Generation, Reason = $"The fingerprint is that of generation {now.Generation}, which is served." };
        }

        if (kept.FirstOrDefault(k => k.Proves(operation.Updater, operation.Fingerprint) == true) is { } older)
        {
            return result with
            {
                State = isCurrent is null ? IngestionState.NotServed : IngestionState.Older,
                Generation = older.Generation,
                Reason = isCurrent is null
                    ? $"Clair has the content of generation {older.Generation}; the one that is served has nothing for it any more."
                    : $"Clair has the content of generation {older.Generation}; it has not polled since, or its polls fail.",
            };
        }

        return isCurrent is null
            ? result with { State = IngestionState.NotServed, Reason = "The mirror has nothing for it: what Clair has of it came from elsewhere, and can only get older." }
            : result with { State = IngestionState.Unproven, Reason = "The fingerprint is that of no kept generation: Clair has it from elsewhere, or from a generation that is gone." };
    }

    /// <summary>Photon's updaters have two names for the same release.</summary>
    internal static string Canonical(string updater) =>
        PhotonName().Match(updater) is { Success: true } match ? string.Create(CultureInfo.InvariantCulture, $"photon-updater-{match.Groups[1].Value}.0") : updater;

    /// <summary>Oracle's years are counted up to Clair's own (claircore oracle/updaterset.go); a mirror may have the next one already.</summary>
    private static bool IsOfLaterYear(string updater, DateTimeOffset at) =>
        OracleName().Match(updater) is { Success: true } match && int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) > at.UtcDateTime.Year;

    [GeneratedRegex(@"\Aoracle-([0-9]{4})-updater\z", RegexOptions.CultureInvariant)]
    private static partial Regex OracleName();

    [GeneratedRegex(@"\A(?:rhel-vex|clair\.cvss|[a-z]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Set();

    [GeneratedRegex(@"\Aphoton-updater-photon([0-9]+)\z", RegexOptions.CultureInvariant)]
    private static partial Regex PhotonName();
}
