using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Tests.Notifying;
using Xunit;

namespace QuayAirGap.Core.Tests.Freshness;

/// <summary>A clock that goes on by more than the machine has run is reported, makes nothing look old, and leaves nothing behind.</summary>
public sealed class ClockLeapTests : IDisposable
{
    private readonly WarnedSite _site = new("");
    private readonly FakeTimeProvider _truth = new(WarnedSite.Start);
    private string _boot = "boot-1";
    private TimeSpan _up = TimeSpan.FromHours(3);
    private TimeSpan _wrong;

    public ClockLeapTests()
    {
        _site.Warnings = $"  textfile:\n    path: {_site["x.prom"]}";
        _site.Require("alpine");
        _site.Publish(WarnedSite.Start, WarnedSite.Start, WarnedSite.Alpine(WarnedSite.Start));
    }

    [Fact]
    public async Task A_leap_ahead_is_said_ages_are_by_the_time_that_passed_and_the_right_clock_is_welcome()
    {
        Assert.Equal((FreshnessLevel.Ok, FeedCause.None), await RunAsync());
        Pass(TimeSpan.FromHours(10));
        _wrong = TimeSpan.FromDays(30);
        Assert.Equal((FreshnessLevel.Critical, FeedCause.WrongClock), await RunAsync());
        SourceFreshness leapt = Alpine();
        Assert.Equal(TimeSpan.FromHours(10), leapt.Age);
        Assert.Contains("it leapt ahead", leapt.Reason, StringComparison.Ordinal);
        Assert.Contains("-AcceptClock", leapt.Remedy, StringComparison.Ordinal);
        Assert.Null(leapt.StaleSince);

        // Still wrong a while later, and never taken for right by being looked at.
        Pass(TimeSpan.FromHours(20));
        Assert.Equal((FreshnessLevel.Critical, FeedCause.WrongClock), await RunAsync());
        Pass(TimeSpan.FromDays(7));
        Assert.Equal((FreshnessLevel.Expired, FeedCause.WrongClock), await RunAsync()); // truly old by now
        _wrong = TimeSpan.Zero;
        _site.Publish(_truth.GetUtcNow(), _truth.GetUtcNow(), WarnedSite.Alpine(_truth.GetUtcNow()));
        Assert.Equal((FreshnessLevel.Ok, FeedCause.None), await RunAsync());
    }

    [Fact]
    public async Task Who_says_that_the_clock_is_right_is_believed()
    {
        await RunAsync();
        _wrong = TimeSpan.FromDays(2);
        Assert.Equal((FreshnessLevel.Critical, FeedCause.WrongClock), await RunAsync());
        Assert.Equal((FreshnessLevel.Ok, FeedCause.None), await RunAsync(accept: true));
        Pass(TimeSpan.FromHours(1));
        Assert.Equal((FreshnessLevel.Ok, FeedCause.None), await RunAsync());
    }

    [Fact]
    public async Task A_clock_that_was_behind_and_is_put_right_has_not_leapt_once_something_signed_says_so()
    {
        await RunAsync();
        _boot = "boot-2"; // started anew with an empty battery
        _up = TimeSpan.FromMinutes(1);
        _wrong = TimeSpan.FromDays(-2000);
        Assert.Equal((FreshnessLevel.Critical, FeedCause.WrongClock), await RunAsync());
        Pass(TimeSpan.FromHours(1));
        _wrong = TimeSpan.Zero;
        Assert.Equal((FreshnessLevel.Ok, FeedCause.None), await RunAsync());
    }

    [Fact]
    public async Task A_clock_set_back_while_nobody_looked_is_seen_by_the_time_that_passed()
    {
        await RunAsync();
        Pass(TimeSpan.FromDays(11));
        _wrong = TimeSpan.FromDays(-10.5); // later than at the last look, and yet wrong
        Assert.Equal((FreshnessLevel.Expired, FeedCause.WrongClock), await RunAsync());
        Assert.Equal(11, Alpine().Age!.Value.TotalDays);
    }

    [Fact]
    public async Task A_machine_that_was_started_anew_or_slept_or_was_put_right_by_little_is_not_suspected()
    {
        await RunAsync();
        Pass(TimeSpan.FromHours(2));
        _boot = "boot-2";
        _up = TimeSpan.FromMinutes(1);
        Assert.Equal((FreshnessLevel.Ok, FeedCause.None), await RunAsync());
        _wrong = TimeSpan.FromHours(5);
        Assert.Equal((FreshnessLevel.Ok, FeedCause.None), await RunAsync());
        Pass(TimeSpan.FromDays(4)); // asleep, and the time asleep counts
        Assert.Equal((FreshnessLevel.Warning, FeedCause.NothingImported), await RunAsync());
        _up -= TimeSpan.FromDays(5); // a container whose time starts with it
        Assert.Equal((FreshnessLevel.Warning, FeedCause.NothingImported), await RunAsync());
    }

    [Fact]
    public void This_machine_tells_how_long_it_has_run()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux names its starts.");
        MachineUptime first = MachineUptime.Read()!;
        Thread.Sleep(30);
        MachineUptime second = MachineUptime.Read()!;
        Assert.Equal(first.Boot, second.Boot);
        Assert.InRange((second.Since - first.Since).TotalMilliseconds, 10, 30_000);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        Assert.Equal(now + (second.Since - first.Since), new ClockAnchor(now, first.Boot, first.Since).ExpectedAt(second));
        Assert.Null(MachineUptime.Beside(_truth));
        Assert.Equal(first.Boot, MachineUptime.Beside(TimeProvider.System)!.Boot);
    }

    public void Dispose() => _site.Dispose();

    private void Pass(TimeSpan time)
    {
        _truth.Advance(time);
        _up += time;
    }

    private FakeTimeProvider Clock() => new(_truth.GetUtcNow() + _wrong);

    private SourceFreshness Alpine() => SiteFreshness.Look(
        _site.Site, SiteSettings.Load(_site.Site), WarningState.Load(_site.Site, out _), clair: null, Clock().GetUtcNow(), new MachineUptime(_boot, _up))
        .Sources.Single(s => s.Name == "alpine");

    private async Task<(FreshnessLevel Level, FeedCause Cause)> RunAsync(bool accept = false)
    {
        (FreshnessLevel, FeedCause) found;
        using (var sender = new WarningSender(_site.Site, new WarningRequest { AcceptClock = accept }, Clock(), new MachineUptime(_boot, _up)))
        {
            SourceFreshness alpine = (await sender.SendAsync(_ => true, TestContext.Current.CancellationToken)).Single().Plan.Warning!.Sources.Single(s => s.Name == "alpine");
            found = (alpine.Level, alpine.Cause);
        }

        return found;
    }
}
