using System.Text.Json;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Collecting;

/// <summary>What collecting one source would fetch.</summary>
/// <param name="Name">The source.</param>
/// <param name="ToFetch">Files that are new or have changed.</param>
/// <param name="Bytes">Theirs, as far as upstream tells; an upper bound for what is sent compressed.</param>
/// <param name="UnknownLengths">Files among them whose length upstream does not tell.</param>
/// <param name="Unchanged">Files that would only be confirmed.</param>
/// <param name="IsComplete">False: what comes behind a file that must be read first is not in it.</param>
/// <param name="Trouble">What would fail already now, or null.</param>
public sealed record SourcePlan(string Name, int ToFetch, long Bytes, int UnknownLengths, int Unchanged, bool IsComplete, string? Trouble);

/// <summary>Says what a Save would fetch, from metadata and small lists alone. Writes nothing, and needs neither a site nor its lock.</summary>
/// <param name="site">Null where there is none yet.</param>
/// <param name="settings">The site's, or the defaults.</param>
/// <param name="clock">Says what time it is for the families.</param>
public sealed class FeedPlanner(Site? site, SiteSettings settings, TimeProvider clock)
{
    public UpstreamOptions Upstream { get; init; } = new();

    /// <param name="names">The sources; empty for all that are enabled.</param>
    /// <param name="upstreamRoot">Goes before the settings' own.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.SourceUnknown"/>, <see cref="ErrorIds.NetworkFileInvalid"/>,
    /// <see cref="ErrorIds.SiteDamaged"/>
    /// </exception>
    public async Task<IReadOnlyList<SourcePlan>> PlanAsync(IReadOnlyList<string> names, Uri? upstreamRoot, CancellationToken cancellationToken)
    {
        HashSet<string> wanted = [.. names.Select(n => SourceCatalog.Get(n).Name)];
        List<SourceSettings> sources = [.. settings.Sources.Where(s => names.Count == 0 ? s.Enabled : wanted.Contains(s.Name))];
        Snapshot? last = site is null ? null : new SnapshotStore(site).LoadNewest();
        using var identity = NetworkIdentity.Load(settings.Network, site?.Root ?? "");
        using var client = new UpstreamClient(
            Upstream with { RequestsPerHost = settings.Network.RequestsPerHost ?? Upstream.RequestsPerHost }, settings.Network.Proxy, identity);
        return await Task.WhenAll(sources.Select(
            s => PlanAsync(s, last?.Sources.FirstOrDefault(p => p.Name == s.Name), client, upstreamRoot, cancellationToken))).ConfigureAwait(false);
    }

    private async Task<SourcePlan> PlanAsync(
        SourceSettings source, SourceSnapshot? previous, UpstreamClient client, Uri? upstreamRoot, CancellationToken cancellationToken)
    {
        bool isWhole = previous is { Files.Count: > 0 } && previous.Files.All(f => site!.Store.Contains(f.Sha256, f.Size));
        var session = new PlanSession(client, site?.Store, source, isWhole ? previous : null, upstreamRoot, clock.GetUtcNow());
        bool reachedEnd = false;
        string? trouble = null;
        try
        {
            await SourceCatalog.FamilyOf(source.Definition).CollectAsync(session, cancellationToken).ConfigureAwait(false);
            reachedEnd = true;
        }
        catch (PlanEndException)
        {
            // What lies behind cannot be known without the file.
        }
        catch (FeedException e)
        {
            // Old content that stands in for new may fit nothing that was read anew.
            trouble = session.HasStandIns && e.ErrorId is ErrorIds.UpstreamContent or ErrorIds.UpstreamChanged ? null : e.Message;
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or EndOfStreamException)
        {
            trouble = session.HasStandIns ? null : $"The content cannot be read: {e.Message}";
        }

        List<PlannedFile> fetched = [.. session.Files.Where(f => !f.IsUnchanged)];
        return new SourcePlan(
            source.Name, fetched.Count, fetched.Sum(f => f.Length ?? 0), fetched.Count(f => f.Length is null), session.Files.Count - fetched.Count,
            reachedEnd && !session.HasStandIns, trouble);
    }
}
