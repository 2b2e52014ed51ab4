using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Pages;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Notifying;

namespace QuayAirGap.Core.Tests.Pages;

/// <summary>A site with four weeks of imports behind it, in its ledger and its generations.</summary>
internal sealed class StatusKit : IDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 11, 20, 9, 30, 0, TimeSpan.Zero);

    private static readonly string[] s_required = ["alpine", "debian", "osv", "rhel-vex", "ubuntu", "clair.cvss", "repository-to-cpe", "container-name-repos-map"];

    private readonly WarnedSite _site = new("");

    public StatusKit() => _site.Require(s_required);

    public Site Site => _site.Site;

    public static IReadOnlyList<string> Required => s_required;

    /// <summary>Imports every day or two for four weeks, the last one of content captured that long before <see cref="Now"/>.</summary>
    public StatusKit Fresh(TimeSpan? age = null) => Publish(age ?? TimeSpan.FromHours(7), Captured);

    /// <summary>The same, but nothing for the last eight days; one source failed longer, one is missing, one was deselected outside.</summary>
    public StatusKit Neglected(string error = "the upstream answered with 503") => Publish(TimeSpan.FromHours(103), (name, time) => name switch
    {
        "osv" => Captured(name, time.AddDays(-3)) with { State = CaptureState.Failed, Error = error },
        "ubuntu" => new SourceSnapshot { Name = name, State = CaptureState.Missing },
        "clair.cvss" => new SourceSnapshot { Name = name, State = CaptureState.Deselected },
        _ => Captured(name, time),
    });

    public void Refuse(string bundle, string reason) => Ledger(Now.AddHours(-3)).Append(
        LedgerEvents.BundleRefused, new JsonObject { ["bundle"] = bundle, ["error"] = ErrorIds.BundleSignerUnknown, ["reason"] = reason });

    public StatusFacts Facts(DateTimeOffset? now = null) => StatusFacts.Of(Site, new FakeTimeProvider(now ?? Now));

    public string Html(DateTimeOffset? now = null) => StatusPage.Render(Facts(now)).Html;

    public void Dispose() => _site.Dispose();

    private static SourceSnapshot Captured(string name, DateTimeOffset time) => new()
    {
        Name = name,
        State = CaptureState.Captured,
        CapturedAt = time,
        UpstreamModified = time.AddHours(-11),
        Updaters = [],
    };

    private StatusKit Publish(TimeSpan age, Func<string, DateTimeOffset, SourceSnapshot> last)
    {
        DateTimeOffset end = Now - age;
        int number = 0;
        for (DateTimeOffset time = end.AddDays(-27); time <= end; time = time.AddDays(number % 7 == 3 ? 4.5 : 1.5))
        {
            bool isLast = time.AddDays(4.5) > end && time.AddDays((number + 1) % 7 == 3 ? 4.5 : 1.5) > end;
            DateTimeOffset captured = isLast ? end : time;
            SourceSnapshot[] sources = [.. s_required.Select(n => isLast ? last(n, captured) : Captured(n, captured))];
            DateTimeOffset published = captured.AddHours(5);
            _site.Publish(published, captured.AddHours(1), sources);
            Ledger(published).Append(LedgerEvents.FeedImported, new JsonObject
            {
                ["generation"] = ++number,
                ["sequence"] = number,
                ["bundle"] = $"clairfeed-0a1b2c3d-{number:D6}.tar",
                ["heldBack"] = 0,
                ["captured"] = AgeHistory.Details(sources),
            });
            if (isLast)
            {
                break;
            }
        }

        return this;
    }

    private Ledger Ledger(DateTimeOffset time) => new(Site, new FakeTimeProvider(time));
}
