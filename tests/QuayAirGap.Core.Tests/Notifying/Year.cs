using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Tests.Notifying;

/// <summary>Content as it was at the upstream.</summary>
/// <param name="Captured">When it was captured.</param>
/// <param name="Modified">What the upstream said.</param>
internal sealed record Carried(DateTimeOffset Captured, DateTimeOffset Modified)
{
    /// <summary>The same where the upstream had nothing new.</summary>
    public string Content => $"{Modified:O}";
}

/// <summary>
/// What truly happens in the year, and what a person with all of it before them would say of it. Collected at half past midnight, carried in
/// six hours later, taken by Clair another six hours later, unless something is wrong.
/// </summary>
internal sealed class Year
{
    private static readonly TimeSpan s_pickUpWithin = TimeSpan.FromHours(12);

    private Carried _collected = new(WarnedSite.Start, WarnedSite.Start);
    private Carried _served = new(WarnedSite.Start, WarnedSite.Start);
    private DateTimeOffset _publishedAt = WarnedSite.Start;
    private DateTimeOffset? _behindSince;
    private Carried _inClair = new(WarnedSite.Start, WarnedSite.Start);
    private int _step;

    public int Day => _step / 4;

    public DateTimeOffset Truth => WarnedSite.Start.AddHours(6 * _step);

    /// <summary>What an import of this step publishes; null for none.</summary>
    public Carried? Publishes { get; private set; }

    public Carried InClair => _inClair;

    public bool IsRequired => Day is not (>= 240 and < 250);

    /// <summary>Days 310 to 313: Clair is down. From then on it has its old content, until it polls.</summary>
    public bool ClairAnswers => Day is not (>= 310 and < 314);

    /// <summary>Days 280 and 281: set back by nine days. 300: leapt ahead by thirty. 340: the same, over a start of the machine.</summary>
    public TimeSpan ClockError => Day is 280 or 281 ? TimeSpan.FromDays(-9) : Day is 300 or 340 ? TimeSpan.FromDays(30) : TimeSpan.Zero;

    private bool Collects => Day is not (>= 40 and < 52);

    private bool UpstreamFrozen => Day is >= 100 and < 140;

    private bool Carries => Day is not (>= 160 and < 164) && IsRequired;

    /// <summary>Days 320 to 331: Clair answers, and its polls fail.</summary>
    private bool ClairPolls => ClairAnswers && Day is not (>= 320 and < 332);

    public (FreshnessLevel Level, FeedCause Cause) Expected
    {
        get
        {
            FreshnessLevel served = LevelOf(Truth - _served.Captured);
            FreshnessLevel inClair = LevelOf(Truth - _inClair.Captured);
            bool isLate = Truth - _behindSince > s_pickUpWithin;
            inClair = isLate || !ClairAnswers ? Worse(inClair, FreshnessLevel.Warning) : inClair;
            if (Day == 340)
            {
                // Red for nothing, as nothing tells that it is: all is thirty days old, most of which "nobody brought anything in".
                return (FreshnessLevel.Expired, _behindSince is null ? FeedCause.NothingImported : FeedCause.NotIngested);
            }

            if (ClockError != TimeSpan.Zero)
            {
                return (Worse(Worse(served, inClair), FreshnessLevel.Critical), FeedCause.WrongClock);
            }

            return inClair > served
                ? (inClair, ClairAnswers || inClair > FreshnessLevel.Warning ? FeedCause.NotIngested : FeedCause.ClairSilent)
                : (served, served == FreshnessLevel.Ok ? FeedCause.None : LongestPart());
        }
    }

    public void Begin(int step)
    {
        _step = step;
        Publishes = null;
        if (step == 0)
        {
            Publishes = _served;
            return;
        }

        if (step % 4 == 0 && Collects)
        {
            _collected = new Carried(Truth, UpstreamFrozen ? _collected.Modified : Truth.AddHours(-2));
        }

        if (step % 4 == 1 && Collects && Carries)
        {
            // What the courier brings on the days 200 to 219 was four days on the way.
            Carried brought = Day is >= 200 and < 220
                ? new Carried(_collected.Captured.AddDays(-4), _collected.Modified.AddDays(-4)) : _collected;
            Publishes = _served = brought;
            _publishedAt = Truth;
            _behindSince = _inClair.Content == brought.Content ? null : _behindSince ?? Truth;
        }

        if (step % 4 == 2 && ClairPolls)
        {
            _behindSince = null;
        }

        // Content that the upstream did not change is in Clair as soon as it is confirmed again.
        _inClair = _behindSince is null ? _served : _inClair;
    }

    private FeedCause LongestPart() => new[]
    {
        (FeedCause.NotIngested, Truth - (_behindSince ?? Truth)), (FeedCause.NothingImported, Truth - _publishedAt), (FeedCause.CourierLate, _publishedAt - _served.Captured),
    }.MaxBy(p => p.Item2).Item1;

    private static FreshnessLevel LevelOf(TimeSpan age) => age.TotalDays switch
    {
        >= 7 => FreshnessLevel.Expired,
        >= 5 => FreshnessLevel.Critical,
        >= 3 => FreshnessLevel.Warning,
        _ => FreshnessLevel.Ok,
    };

    private static FreshnessLevel Worse(FreshnessLevel a, FreshnessLevel b) => a > b ? a : b;
}
