namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>
/// The times of one publication, in the order that Clair needs (claircore rhel/vex/fetcher.go): changed rows &lt; Last-Modified of the
/// archive &lt; deletion rows. A Clair that starts with the archive then asks for no single document, and skips no deletion.
/// </summary>
/// <param name="Changed">The stamp of every row that is new, changed or back.</param>
/// <param name="Archive">The archive's Last-Modified; the lists carry it too.</param>
/// <param name="Deleted">The stamp of every row of deletions.csv.</param>
internal readonly record struct VexStamps(DateTimeOffset Changed, DateTimeOffset Archive, DateTimeOffset Deleted)
{
    /// <summary>
    /// How far ahead of the publication changed rows are stamped. Clair skips rows older than its own clock at the end of its previous
    /// fetch, for good. A fetch that was under way at the moment of publication ends later, by a clock that may be ahead; the margin
    /// has to cover both. Too much costs some documents fetched twice; too little loses vulnerabilities.
    /// </summary>
    public static readonly TimeSpan Margin = TimeSpan.FromHours(4);

    /// <summary>
    /// What one document can add to a fetch: Clair asks for ten a second of one host. A Clair that was away for months takes most of the
    /// tree singly, which for 300,000 documents is more than eight hours.
    /// </summary>
    private static readonly TimeSpan s_perDocument = TimeSpan.FromSeconds(0.1);

    /// <summary>How far the first publication of a mirror re-dates: see <see cref="KeepsUpstreamStamp"/>.</summary>
    private static readonly TimeSpan s_lookBack = TimeSpan.FromDays(14);

    /// <param name="now">The time of publication.</param>
    /// <param name="documents">How many documents the tree has, before or now, whichever is more.</param>
    /// <param name="last">The latest stamp published so far, or null.</param>
    public static VexStamps Of(DateTimeOffset now, int documents, DateTimeOffset? last)
    {
        TimeSpan margin = Margin + TimeSpan.FromSeconds(Math.Floor(documents * s_perDocument.TotalSeconds));
        DateTimeOffset changed = now + margin;

        // Where the clock was set back, time goes on from what was said last: a stamp that goes backwards is a change that is lost.
        if (last is { } l && changed <= l)
        {
            changed = l.AddSeconds(1);
        }

        return new VexStamps(changed, changed.AddSeconds(1), changed.AddSeconds(2));
    }

    /// <summary>
    /// Whether a row of a mirror's very first publication may keep upstream's stamp. A Clair that asks this mirror for the first time
    /// need not be new: it may have polled upstream, a mirror that lagged, or this site before it was lost and set up again. Its clock
    /// of that last poll is later than the rows that it has not seen, and with upstream's stamps it would skip exactly those. So
    /// whatever is not older than the archive, and whatever is of the last two weeks, is dated anew.
    /// </summary>
    public static bool KeepsUpstreamStamp(DateTimeOffset stamp, DateTimeOffset archive, DateTimeOffset now) => stamp < FirstCutoff(archive, now);

    /// <summary>The first time that is dated anew.</summary>
    public static DateTimeOffset FirstCutoff(DateTimeOffset archive, DateTimeOffset now)
    {
        DateTimeOffset recent = now - s_lookBack;
        return archive < recent ? archive : recent;
    }
}
