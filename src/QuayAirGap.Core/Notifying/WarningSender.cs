using System.Globalization;
using System.Net;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Notifying.Channels;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Notifying;

/// <summary>What to send.</summary>
public sealed record WarningRequest
{
    /// <summary>The channels; all that are configured where none is named.</summary>
    public IReadOnlyList<WarningChannel> Channels { get; init; } = [];

    /// <summary>Sends a test on each channel and changes nothing of what is kept.</summary>
    public bool Test { get; init; }

    /// <summary>Tells of trouble again, whenever it was last told.</summary>
    public bool Force { get; init; }

    /// <summary>Takes the clock as right, whatever it said before.</summary>
    public bool AcceptClock { get; init; }

    /// <summary>What Clair was just asked; null for what was last kept of it.</summary>
    public ClairRecord? Clair { get; init; }

    /// <summary>For the mail server; null for the settings' own.</summary>
    public NetworkCredential? MailCredential { get; init; }
}

/// <summary>What a run means to say on one channel.</summary>
/// <param name="Destination">Whom it reaches, for people.</param>
/// <param name="Warning">The message; null where nothing is due.</param>
public sealed record PlannedWarning(WarningChannel Channel, string Destination, FeedWarning? Warning);

/// <summary>What became of it.</summary>
/// <param name="Sent">Whether something was sent or changed.</param>
/// <param name="Error">Why it failed; the next run tries again.</param>
public sealed record WarningOutcome(PlannedWarning Plan, bool Sent, FeedException? Error);

/// <summary>Tells people how old a site's feeds are, once for each change and each day, and keeps what it told.</summary>
public sealed class WarningSender : IDisposable
{
    private const int KeptTimes = 12;

    private readonly Site _site;
    private readonly WarningRequest _request;
    private readonly FileStream _lock;
    private readonly IReadOnlyList<IWarningChannel> _channels;
    private readonly DateTimeOffset _now;
    private readonly WarningState _before;
    private readonly IReadOnlyList<SourceFreshness> _sources;
    private readonly FreshnessClock _clock;
    private readonly MachineUptime? _uptime;

    /// <summary>Looks at the site; sends nothing.</summary>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.WarningNotConfigured"/>; <see cref="ErrorIds.SiteBusy"/>: another run is at it; <see cref="ErrorIds.SettingsInvalid"/>;
    /// <see cref="ErrorIds.GenerationDamaged"/>; <see cref="ErrorIds.SiteNotWritable"/>
    /// </exception>
    public WarningSender(Site site, WarningRequest request, TimeProvider clock)
        : this(site, request, clock, MachineUptime.Beside(clock))
    {
    }

    /// <param name="uptime">How long the machine has been running; null where it does not tell.</param>
    internal WarningSender(Site site, WarningRequest request, TimeProvider clock, MachineUptime? uptime)
    {
        _site = site;
        _request = request;
        _uptime = uptime;
        var settings = SiteSettings.Load(site);
        _channels = Chosen(settings.Warnings, request, site);
        _lock = Lock(site);
        try
        {
            _before = WarningState.Load(site, out string? damage);
            StateDamage = damage;
            if (request.AcceptClock)
            {
                _before = _before with { SeenAt = null, Anchor = null };
            }

            (_sources, _clock) = SiteFreshness.Look(
                site, settings, _before, request.Clair ?? SiteFreshness.KnownClair(site, settings), clock.GetUtcNow().ToUniversalTime(), uptime);

            // By a clock that leapt ahead nothing is dated: it would be in the future once the clock is put right.
            _now = _clock.Reckoned;
            Plan = MakePlan(settings.Warnings.Name ?? Environment.MachineName);
        }
        catch
        {
            _lock.Dispose();
            throw;
        }
    }

    /// <summary>Why what was kept could not be read, so that everything is told again; null where it could.</summary>
    public string? StateDamage { get; }

    /// <summary>Every chosen channel once.</summary>
    public IReadOnlyList<PlannedWarning> Plan { get; private set; } = [];

    private WarningState Next { get; set; } = new();

    /// <summary>Sends what is planned. A channel that fails stops no other, and is tried again in the next run.</summary>
    /// <param name="wanted">Which of the plan to carry out; the others are left for the next run.</param>
    /// <returns>Each of them once.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteNotWritable"/> or <see cref="ErrorIds.DiskFull"/>: what was sent is not kept.</exception>
    public async Task<IReadOnlyList<WarningOutcome>> SendAsync(Func<PlannedWarning, bool> wanted, CancellationToken token)
    {
        List<WarningOutcome> outcomes = [];
        _request.Clair?.Save(_site);
        if (!_request.Test)
        {
            Next.Save(_site); // the incident's name must be the same when a run is killed between two channels
        }

        foreach (PlannedWarning planned in Plan.Where(wanted))
        {
            outcomes.Add(await SendOneAsync(planned, token));
        }

        return outcomes;
    }

    public void Dispose() => _lock.Dispose();

    private static IReadOnlyList<IWarningChannel> Chosen(WarningSettings settings, WarningRequest request, Site site)
    {
        IWarningChannel[] configured =
        [
            .. new IWarningChannel?[]
            {
                settings.Mail is { } mail ? new MailChannel(mail, request.MailCredential) : null,
                settings.Quay is { } quay ? new QuayMessageChannel(quay) : null,
                settings.Webhook is { } webhook ? new WebhookChannel(webhook) : null,
                settings.Syslog is { } syslog ? new SyslogChannel(syslog) : null,
                settings.EventLog is { } log ? new EventLogChannel(log) : null,
                settings.Textfile is { } textfile ? new TextfileChannel(textfile) : null,
            }.OfType<IWarningChannel>(),
        ];
        WarningChannel[] missing = [.. request.Channels.Where(c => configured.All(o => o.Channel != c))];
        if (configured.Length == 0 || missing.Length > 0)
        {
            string what = missing.Length > 0 ? $"{string.Join(", ", missing)}: not configured" : "No channel is configured";
            throw new FeedException(
                ErrorIds.WarningNotConfigured, $"{what} in '{site.SettingsFile}': nobody would be warned.", site.SettingsFile,
                "Describe it there below 'warnings:'; Get-Help Send-ClairFeedWarning -Full shows how.");
        }

        return request.Channels.Count == 0 ? configured : [.. configured.Where(c => request.Channels.Contains(c.Channel))];
    }

    /// <summary>A lock of its own: a long import must not keep anybody from being warned.</summary>
    private static FileStream Lock(Site site)
    {
        string path = Path.Combine(site.Root, ".warnings.lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException))
        {
            throw Site.IsFull(e) ? Site.DiskFull(path, e) : new FeedException(
                ErrorIds.SiteBusy, $"Another command is sending the warnings of '{site.Root}'.", site.Root, "Wait until it has ended, then try again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.SiteNotWritable, $"The site '{site.Root}' cannot be written: {e.Message}", site.Root, "Give this account write access to the folder.", e);
        }
    }

    private IReadOnlyList<PlannedWarning> MakePlan(string name)
    {
        Dictionary<string, DateTimeOffset> badSince = _sources.Where(s => s.Required && s.Level != FreshnessLevel.Ok)
            .ToDictionary(s => s.Name, s => _before.BadSince.TryGetValue(s.Name, out DateTimeOffset since) && since <= _now ? since : _now);
        var report = SiteReport.Of(_sources, badSince, _now);
        string incident = _before.Incident ?? NewIncident();
        Next = _before with
        {
            SeenAt = _before.SeenAt is { } seen && seen > _now ? seen : _now,
            Anchor = _clock.IsBehind ? _before.Anchor : _uptime is null ? null : new ClockAnchor(_now, _uptime.Boot, _uptime.Since),
            Incident = report.Level == FreshnessLevel.Ok ? null : incident,
            BadSince = badSince,
            Upstreams = Rhythms(),
        };
        return [.. _channels.Select(c => new PlannedWarning(c.Channel, c.Destination, MessageFor(c, report, name)))];
    }

    private FeedWarning? MessageFor(IWarningChannel channel, SiteReport report, string name)
    {
        FeedWarning Message(WarningKind kind, string incident, int number) => new()
        {
            Kind = kind,
            Site = name,
            Level = report.Level,
            At = _now,
            Incident = incident,
            Number = number,
            Facts = kind == WarningKind.Problem ? report.Facts : [],
            Notes = kind == WarningKind.Problem ? report.Notes : [],
            Sources = _sources,
        };

        if (_request.Test && channel.Channel != WarningChannel.Textfile)
        {
            return Message(WarningKind.Test, NewIncident(), 1) with { Level = FreshnessLevel.Ok };
        }

        ToldState? told = _before.Channels.GetValueOrDefault(channel.Channel);
        WarningKind? due = WarningRhythm.Due(told, report.Level, Next.Incident, _now, _request.Force);
        if (channel.IsStanding)
        {
            due = report.Level == FreshnessLevel.Ok ? WarningKind.Resolved : WarningKind.Problem;
        }

        string incident = due == WarningKind.Resolved ? told?.Incident ?? NewIncident() : Next.Incident ?? NewIncident();
        return due is null ? null : Message(due.Value, incident, told?.Incident == incident ? told.Number + 1 : 1);
    }

    private async Task<WarningOutcome> SendOneAsync(PlannedWarning planned, CancellationToken token)
    {
        if (planned.Warning is not { } warning)
        {
            return new WarningOutcome(planned, Sent: false, Error: null);
        }

        try
        {
            bool sent = await _channels.First(c => c.Channel == planned.Channel).SendAsync(warning, token);
            if (!_request.Test)
            {
                // After each one: a run that is killed must not tell anybody twice.
                var channels = new Dictionary<WarningChannel, ToldState>(Next.Channels)
                {
                    [planned.Channel] = new ToldState(warning.Level, _now, warning.Incident, warning.Number),
                };
                Next = Next with { Channels = channels };
                Next.Save(_site);
            }

            return new WarningOutcome(planned, sent, Error: null);
        }
        catch (FeedException e) when (e.Target == planned.Channel.ToString())
        {
            return new WarningOutcome(planned, Sent: false, e);
        }
    }

    /// <summary>Each upstream's last modification times, with what is new.</summary>
    private Dictionary<string, IReadOnlyList<DateTimeOffset>> Rhythms()
    {
        var all = new Dictionary<string, IReadOnlyList<DateTimeOffset>>(_before.Upstreams);
        foreach (SourceFreshness source in _sources)
        {
            IReadOnlyList<DateTimeOffset> known = all.GetValueOrDefault(source.Name) ?? [];
            if (source.UpstreamModified is { } modified && (known.Count == 0 || modified > known[^1]) && modified <= _now)
            {
                all[source.Name] = [.. known.Append(modified).TakeLast(KeptTimes)];
            }
        }

        return all;
    }

    private string NewIncident() =>
        string.Create(CultureInfo.InvariantCulture, $"{_now.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{Guid.NewGuid().ToString("N")[..8]}");
}
