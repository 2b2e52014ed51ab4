using QuayAirGap.Core.Scheduling;
using QuayAirGap.Core.Tests.Support;
using Xunit;

namespace QuayAirGap.Core.Tests.Scheduling;

/// <summary>Units that systemd itself finds nothing wrong with.</summary>
public sealed class SystemdUnitsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public static TheoryData<ScheduledJob, bool, string> Jobs => new()
    {
        { ScheduledJob.Save, false, "Save-ClairFeed -Destination '/srv/out' -Signer '/etc/quayairgap/signer.pfx'" },
        { ScheduledJob.Import, false, ScheduleKit.Nasty },
        { ScheduledJob.Import, true, ScheduleKit.Nasty },
        { ScheduledJob.Test, false, "Test-ClairFeedFreshness" },
        { ScheduledJob.Warn, true, "Send-ClairFeedWarning -Verbose" },
    };

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task Systemd_finds_nothing_wrong(ScheduledJob job, bool isUser, string command)
    {
        Assert.SkipUnless(ScheduleKit.Has("systemd-analyze"), "systemd-analyze is not installed.");
        ScheduleRequest request = ScheduleKit.Request(job, command) with
        {
            IsUser = isUser,
            Account = "root",
            RandomDelay = TimeSpan.FromMinutes(20),
            EnvironmentFile = "/etc/quayairgap/job.env",
            Credentials = new Dictionary<string, string> { ["signer-password"] = "/etc/quayairgap/100%.pw" },
        };
        request.ThrowIfInvalid();
        IReadOnlyList<ScheduleFile> files = SystemdUnits.Write(request, _folder.Path);
        ScheduleInstaller.Write(files, overwrite: false);
        (int code, string text) = await ScheduleKit.RunAsync(
            "systemd-analyze", ["verify", "--man=no", isUser ? "--user" : "--system", .. files.Select(f => f.Path)]);
        Assert.True(code == 0 && !text.Contains(request.FullName, StringComparison.Ordinal), text);
    }

    [Fact]
    public async Task A_unit_that_is_wrong_would_be_found()
    {
        Assert.SkipUnless(ScheduleKit.Has("systemd-analyze"), "systemd-analyze is not installed.");
        ScheduleFile service = SystemdUnits.Write(ScheduleKit.Request(), _folder.Path)[0];
        File.WriteAllText(service.Path, service.Text.Replace("Type=oneshot", "Type=once", StringComparison.Ordinal));
        (_, string text) = await ScheduleKit.RunAsync("systemd-analyze", "verify", "--man=no", service.Path);
        Assert.Contains("quayairgap-import", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("02:30", "*-*-* 02:30:00")]
    [InlineData("1m", "*-*-* *:00/1:00")]
    [InlineData("15m", "*-*-* *:00/15:00")]
    [InlineData("1h", "*-*-* 00/1:00:00")]
    [InlineData("6h", "*-*-* 00/6:00:00")]
    [InlineData("24h", "*-*-* 00:00:00")]
    public async Task Times_are_what_systemd_takes_them_for(string times, string calendar)
    {
        Assert.Equal([calendar], Of(times).Calendar());
        Assert.SkipUnless(ScheduleKit.Has("systemd-analyze"), "systemd-analyze is not installed.");
        (int code, string text) = await ScheduleKit.RunAsync("systemd-analyze", "calendar", "--iterations=2", "--base-time=2026-01-01 02:29:59 UTC", calendar);
        Assert.True(code == 0, text);
        string[] next = [.. text.Split('\n').Where(l => l.Contains("(in UTC)", StringComparison.Ordinal) || l.Contains("Next elapse:", StringComparison.Ordinal) || l.Contains("Iter. #2:", StringComparison.Ordinal))];
        Assert.NotEmpty(next);
    }

    [Fact]
    public void The_units_keep_to_themselves_and_have_no_secret()
    {
        ScheduleRequest request = ScheduleKit.Request(
            ScheduledJob.Save, $"Save-ClairFeed -SignerPasswordPath '{ScheduleRequest.CredentialMark}pw' -Signer '/a'") with
        {
            Credentials = new Dictionary<string, string> { ["pw"] = "/etc/quayairgap/pw" },
            Account = "quayairgap",
            Name = "east",
        };
        IReadOnlyList<ScheduleFile> files = SystemdUnits.Write(request, "/x");
        Assert.Equal(["/x/quayairgap-save-east.service", "/x/quayairgap-save-east.timer"], files.Select(f => f.Path));
        string service = files[0].Text;
        Assert.Contains("LoadCredential=pw:/etc/quayairgap/pw\n", service, StringComparison.Ordinal);
        Assert.Contains("-SignerPasswordPath '%d/pw'", service, StringComparison.Ordinal);
        Assert.All(
            (string[])["User=quayairgap", "ProtectSystem=strict", "ReadWritePaths=\"/var/lib/quayairgap\"", "NoNewPrivileges=yes", "ProtectHome=yes", "SyslogIdentifier=quayairgap-save-east"],
            l => Assert.Contains(l + "\n", service, StringComparison.Ordinal));
        Assert.Contains("Persistent=true\n", files[1].Text, StringComparison.Ordinal);
        Assert.Contains("Save-ClairFeed -SignerPasswordPath '/etc/quayairgap/pw'", request.CommandWithFiles, StringComparison.Ordinal);

        // Closing homes would close a site in one.
        Assert.DoesNotContain("ProtectHome", SystemdUnits.Write(request with { WritablePaths = ["/home/ops/site"] }, "/x")[0].Text, StringComparison.Ordinal);
        Assert.Contains("IPAddressDeny=any", SystemdUnits.Write(ScheduleKit.Request(), "/x")[0].Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7m")]
    [InlineData("90m")]
    [InlineData("5h")]
    [InlineData("2d")]
    [InlineData("25:00")]
    [InlineData("2:30")]
    [InlineData("noon")]
    public void Times_that_schedulers_would_take_for_something_else_are_refused(string times) =>
        Assert.Equal(ErrorIds.ScheduleInvalid, Assert.Throws<FeedException>(() => Of(times)).ErrorId);

    [Fact]
    public void Nothing_can_begin_another_line_of_a_schedule()
    {
        ScheduleRequest good = ScheduleKit.Request();
        good.ThrowIfInvalid();
        Assert.All(
            new[]
            {
                good with { Command = "a\nExecStart=b" }, good with { Account = "root\nx" }, good with { EnvironmentFile = "/a\r" },
                good with { Name = "../x" }, good with { Name = "A" }, good with { WritablePaths = ["/a\n/b"] },
                good with { Credentials = new Dictionary<string, string> { ["a:b"] = "/c" } }, good with { RandomDelay = TimeSpan.FromDays(2) },
            },
            r => Assert.Equal(ErrorIds.ScheduleInvalid, Assert.Throws<FeedException>(r.ThrowIfInvalid).ErrorId));
    }

    [Fact]
    public void Files_of_others_are_left_alone()
    {
        IReadOnlyList<ScheduleFile> files = SystemdUnits.Write(ScheduleKit.Request(), _folder.Path);
        ScheduleInstaller.Write(files, overwrite: false);
        ScheduleInstaller.Write(files, overwrite: false); // ours
        File.WriteAllText(files[0].Path, "[Unit]\nDescription=mine\n");
        Assert.Equal(ErrorIds.ScheduleForeign, Assert.Throws<FeedException>(() => ScheduleInstaller.Write(files, overwrite: false)).ErrorId);
        Assert.Equal(ErrorIds.ScheduleForeign, Assert.Throws<FeedException>(() => ScheduleInstaller.Delete([.. files.Select(f => f.Path)])).ErrorId);
        Assert.True(File.Exists(files[1].Path));
        ScheduleInstaller.Write(files, overwrite: true);
        Assert.Equal(2, ScheduleInstaller.Delete([.. files.Select(f => f.Path), _folder.Of("none")]).Count);
    }

    [Fact]
    public async Task A_scheduler_that_refuses_is_told_of_with_its_own_words()
    {
        FeedException error = await Assert.ThrowsAsync<FeedException>(
            () => ScheduleInstaller.RunAsync(new ScheduleStep("sh", ["-c", "cat; echo no such bus >&2; exit 3"], "in"), mayFail: false, TestContext.Current.CancellationToken));
        Assert.Equal(ErrorIds.SchedulerFailed, error.ErrorId);
        Assert.Contains("ended with 3: no such bus", error.Message, StringComparison.Ordinal);
        Assert.Equal("in", await ScheduleInstaller.RunAsync(new ScheduleStep("sh", ["-c", "cat; exit 3"], "in"), mayFail: true, TestContext.Current.CancellationToken));
        Assert.Equal(
            ErrorIds.SchedulerFailed,
            (await Assert.ThrowsAsync<FeedException>(() => ScheduleInstaller.RunAsync(new ScheduleStep("no-such-program-here", []), false, TestContext.Current.CancellationToken))).ErrorId);
    }

    public void Dispose() => _folder.Dispose();

    private static ScheduleTimes Of(string text) => Sites.FeedDuration.TryParse(text, out TimeSpan every) && !text.Contains(':', StringComparison.Ordinal)
        ? ScheduleTimes.Repeated(every) : ScheduleTimes.Daily([text]);
}
