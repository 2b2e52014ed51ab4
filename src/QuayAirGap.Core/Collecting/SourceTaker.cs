using System.Text.Json;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Collecting;

/// <summary>
/// Takes one source after another's fashion: again where upstream changed underneath, and never for something worse than what was had
/// before. A source that fails keeps its last good content and that content's age.
/// </summary>
/// <param name="client">Shared by all sources of a run.</param>
/// <param name="store">Where content goes.</param>
/// <param name="options">How often, and with what pauses.</param>
/// <param name="upstreamRoot">Goes before the settings' own.</param>
/// <param name="acceptedRegressions">The sources whose losses somebody accepted by name.</param>
/// <param name="clock">Dates the captures.</param>
/// <param name="progress">For people who watch.</param>
/// <param name="inspections">What earlier captures have read; null: nothing.</param>
internal sealed class SourceTaker(
    UpstreamClient client, BlobStore store, UpstreamOptions options, Uri? upstreamRoot, IReadOnlySet<string> acceptedRegressions,
    TimeProvider clock, IProgress<FeedProgress>? progress, InspectionMemory? inspections = null)
{
    /// <returns>Captured or failed, never anything else.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.DiskFull"/></exception>
    public async Task<SourceSnapshot> TakeAsync(
        IFeedFamily family, SourceSettings source, SourceSnapshot? previous, CancellationToken cancellationToken)
    {
        var session = new CollectSession(client, store, source, previous, options, upstreamRoot, clock, progress, inspections);
        try
        {
            SourceSnapshot taken = await CollectAsync(family, session, cancellationToken).ConfigureAwait(false);
            return WithEvidence(Guard(taken, session.Previous, source), session);
        }
        catch (FeedException e) when (e.ErrorId != ErrorIds.DiskFull)
        {
            return WithEvidence(Failed(source.Name, session.Previous, e.ErrorId, e.Message), session);
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or EndOfStreamException)
        {
            return WithEvidence(Failed(source.Name, session.Previous, ErrorIds.UpstreamContent, $"The content cannot be read: {e.Message}"), session);
        }
        finally
        {
            progress?.Report(new FeedProgress(source.Name, "Collecting", Completed: true));
        }
    }

    /// <summary>One complete capture, taken again where its parts did not fit each other.</summary>
    internal async Task<SourceSnapshot> CollectAsync(IFeedFamily family, CollectSession session, CancellationToken cancellationToken)
    {
        for (int take = 1; ; take++)
        {
            session.Report("Collecting");
            try
            {
                CollectedContent content = await family.CollectAsync(session, cancellationToken).ConfigureAwait(false);
                return Captured(session, content);
            }
            catch (FeedException e) when (e.ErrorId == ErrorIds.UpstreamChanged && take < options.Takes)
            {
                session.Report("The upstream changed meanwhile: taking it again soon");
                await Task.Delay(options.RetakeDelay * take, cancellationToken).ConfigureAwait(false);
                session.Again();
            }
            catch (FeedException e) when (e.ErrorId == ErrorIds.UpstreamChanged)
            {
                throw new FeedException(
                    e.ErrorId, $"The upstream changed underneath each of the {take} times that it was taken. {e.Message}", e.Target, e.Remedy ?? "", e);
            }
        }
    }

    private static SourceSnapshot Captured(CollectSession session, CollectedContent content) => new()
    {
        Name = session.Source.Name,
        State = CaptureState.Captured,

        // When the first request was sent: what upstream changed while it was read counts as not yet seen.
        CapturedAt = session.ConfirmedAt,
        UpstreamModified = content.UpstreamModified,
        Note = content.Note is null ? null : SnapshotRules.Printable(content.Note, 2000),
        Updaters = [.. content.Updaters.Order(StringComparer.Ordinal)],
        AdvisoryCount = content.AdvisoryCount,
        NewestAdvisory = content.Census?.Newest,
        Sample = content.Census?.Sample ?? [],
        Releases = [.. content.Releases.Distinct().Order(StringComparer.Ordinal)],
        Findings = content.Findings.Count > 0 ? [.. content.Findings.DistinctBy(f => f.Sha256)] : null,
        Deselected = [.. content.Deselected.Distinct().Order(StringComparer.Ordinal)],
        Directories = [.. content.Directories.Distinct().Order(StringComparer.Ordinal)],
        Files = [.. content.Files.DistinctBy(f => f.Url).OrderBy(f => f.Url, StringComparer.Ordinal).Select(f => f with { Status = session.Log.StatusOf(f.Url) })],
    };

    /// <summary>What was asked, also where nothing came of it: the files of a failed source are those of an earlier capture, with its statuses.</summary>
    private SourceSnapshot WithEvidence(SourceSnapshot source, CollectSession session)
    {
        session.Log.NameOthers(source.State == CaptureState.Captured ? source.Files : []);
        return source with
        {
            Evidence = session.Log.Others,
            EvidenceOmitted = session.Log.Omitted,
            TlsPeers = [.. client.PeersOf(session.Log.Hosts).Take(SnapshotRules.MaxPeers)],
        };
    }

    private static SourceSnapshot Failed(string name, SourceSnapshot? previous, string errorId, string error) =>
        (previous ?? new SourceSnapshot { Name = name, State = CaptureState.Failed }) with
        {
            State = CaptureState.Failed,
            ErrorId = errorId,
            Note = null,
            Error = SnapshotRules.Printable(error, 2000),
        };

    private SourceSnapshot Guard(SourceSnapshot taken, SourceSnapshot? previous, SourceSettings source)
    {
        string? lost = previous is null ? null : RegressionGuard.Find(previous, taken, source);
        if (lost is null)
        {
            return taken;
        }

        return acceptedRegressions.Contains(source.Name)
            ? taken with { AcceptedRegression = SnapshotRules.Printable(lost, 2000) }
            : Failed(
                source.Name, previous, ErrorIds.UpstreamRegressed,
                $"Regressed: {lost}. The last good content stays. See whether upstream is well; if the loss is real, accept it with "
                + $"Save-ClairFeed -AcceptRegression {source.Name}.");
    }
}
