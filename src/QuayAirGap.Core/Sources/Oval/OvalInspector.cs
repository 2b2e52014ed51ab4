using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Sources.Oval;

/// <summary>Reads the OVAL documents of one capture to their ends, a few at a time, and counts what they hold.</summary>
internal sealed class OvalInspector(ICollectSession session, OvalLimits limits) : IDisposable
{
    // Unpacking is what takes the time; what waits its turn is on disk.
    private readonly SemaphoreSlim _turns = new(Math.Clamp(Environment.ProcessorCount, 1, 4));

    /// <summary>All definitions of all documents so far.</summary>
    public AdvisoryCensus Census { get; } = new();

    public void Dispose() => _turns.Dispose();

    /// <returns>How many advisories the document holds; none is for the family to judge.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamContent"/></exception>
    public async Task<long> ReadAsync(SnapshotFile file, OvalPacking packing, CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Inspection found = await session.Inspections.OfAsync(file.Sha256, $"oval {packing}", () =>
            {
                session.Report("Reading", file.Url);
                return Task.Run(() => Inspect(file, packing, cancellationToken), cancellationToken);
            }).ConfigureAwait(false);
            Census.Add(found);
            return found.Count;
        }
        catch (InvalidDataException e)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{file.Url}' is no OVAL document that Clair can read: {e.Message}.", file.Url,
                "Nothing of this source was taken. Look what answers at this address; a login or error page with status 200, and a cache that "
                + "cuts files short, are the usual causes.", e);
        }
        finally
        {
            _turns.Release();
        }
    }

    private Inspection Inspect(SnapshotFile file, OvalPacking packing, CancellationToken cancellationToken)
    {
        var census = new AdvisoryCensus();
        OvalReader.Read(session.OpenRead(file), packing, limits, census, cancellationToken);
        return Inspection.Of(census);
    }

    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamContent"/>: it holds none.</exception>
    public async Task ReadSomeAsync(SnapshotFile file, OvalPacking packing, CancellationToken cancellationToken)
    {
        if (await ReadAsync(file, packing, cancellationToken).ConfigureAwait(false) == 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{file.Url}' has no advisory at all.", file.Url,
                "Nothing of this source was taken. Run Save-ClairFeed again later, when the upstream has mended its document.");
        }
    }
}
