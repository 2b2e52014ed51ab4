using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Scheduling;
using QuayAirGap.Core.Tests.Support;
using Xunit;

namespace QuayAirGap.Core.Tests.Scheduling;

/// <summary>Lines that cron and the shell behind it take as they are meant.</summary>
public sealed partial class CronTableTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData("02:30", "30 2 * * *")]
    [InlineData("00:05", "5 0 * * *")]
    [InlineData("1m", "* * * * *")]
    [InlineData("15m", "*/15 * * * *")]
    [InlineData("1h", "0 * * * *")]
    [InlineData("6h", "0 */6 * * *")]
    [InlineData("24h", "0 0 * * *")]
    public void Times_are_five_fields(string times, string fields)
    {
        ScheduleTimes parsed = times.Contains(':', StringComparison.Ordinal) ? ScheduleTimes.Daily([times])
            : ScheduleTimes.Repeated(Sites.FeedDuration.TryParse(times, out TimeSpan every) ? every : default);
        string line = CronTable.Write(ScheduleKit.Request() with { Times = parsed }, "/etc/cron.d").Text.Split('\n')[2];
        Assert.StartsWith(fields + " root {", line, StringComparison.Ordinal);
        AssertIsLine(line, hasUser: true);
    }

    [Fact]
    public void A_file_of_cron_d_has_a_name_and_lines_that_cron_reads()
    {
        ScheduleFile file = CronTable.Write(
            ScheduleKit.Request() with { Name = "east", Account = "quayairgap", Times = ScheduleTimes.Daily(["14:00", "02:00"]) }, "/etc/cron.d");
        Assert.Matches("^[A-Za-z0-9_-]+$", Path.GetFileName(file.Path)); // others are passed over
        string[] lines = file.Text.Split('\n');
        Assert.Equal(["#", "#", "0", "0", ""], lines.Select(l => l.Split(' ')[0]));
        Assert.All(lines[2..4], l => AssertIsLine(l, hasUser: true));
        Assert.EndsWith("\n", file.Text); // cron passes over a last line without its end
    }

    [Fact]
    public async Task The_shell_hands_on_exactly_what_was_meant_and_logger_gets_what_was_said()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no cron on Windows.");

        // In place of the executable and of logger: what they were given.
        string seen = _folder.Of("seen");
        string program = Script("program", $"printf '%s\\n' \"$@\" > '{seen}'; printf '%s' \"$SECRET\" >> '{seen}'; echo said; echo complained >&2; exit 2");
        Script("logger", $"cat > '{_folder.Of("logged")}'; printf '%s ' \"$@\" >> '{_folder.Of("logged")}'");
        File.WriteAllText(_folder.Of("job.env"), "SECRET='s p'\n");
        ScheduleRequest request = ScheduleKit.Request(command: ScheduleKit.Nasty) with { Executable = program, EnvironmentFile = _folder.Of("job.env") };

        string line = CronTable.Write(request, "/etc/cron.d").Text.Split('\n')[2];
        string command = AssertIsLine(line, hasUser: true);
        var start = new ProcessStartInfo("/bin/sh", ["-c", command]);
        start.Environment["PATH"] = $"{_folder.Path}:/usr/bin:/bin";
        using (Process shell = Process.Start(start)!)
        {
            await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal($"-NonInteractive\n-Command\n{ScheduleKit.Nasty}\ns p", File.ReadAllText(seen));
        Assert.Equal("said\ncomplained\nended with exit code 2\n-t quayairgap-import ", File.ReadAllText(_folder.Of("logged")));
    }

    [Fact]
    public void A_users_table_keeps_everything_else()
    {
        const string Theirs = "# mine\n0 1 * * * backup";
        ScheduleRequest request = ScheduleKit.Request();
        string table = CronTable.With(Theirs, request);
        Assert.StartsWith(Theirs + "\n# BEGIN quayairgap-import", table, StringComparison.Ordinal);
        AssertIsLine(table.Split('\n')[3], hasUser: false);
        Assert.Equal(table, CronTable.With(table, request)); // again changes nothing
        string both = CronTable.With(table, request with { Name = "east" });
        Assert.Equal(table, CronTable.Without(both, "quayairgap-import-east"));
        Assert.Equal(Theirs + "\n", CronTable.Without(table, request.FullName));
        Assert.Equal("x\n", CronTable.Without("x\n", request.FullName));
    }

    [Fact]
    public void A_command_that_cron_would_cut_off_is_refused() => Assert.Equal(
        ErrorIds.ScheduleInvalid,
        Assert.Throws<FeedException>(() => CronTable.Write(ScheduleKit.Request(command: new string('x', 1000)), "/etc/cron.d")).ErrorId);

    [Fact]
    public async Task Crontab_itself_finds_nothing_wrong()
    {
        Assert.SkipUnless(ScheduleKit.Has("crontab"), "crontab is not installed.");
        File.WriteAllText(_folder.Of("table"), CronTable.With("", ScheduleKit.Request(command: ScheduleKit.Nasty)));
        (int code, string text) = await ScheduleKit.RunAsync("crontab", "-n", _folder.Of("table"));
        Assert.SkipWhen(text.Contains("invalid option", StringComparison.Ordinal), "This crontab has no dry run.");
        Assert.True(code == 0, text);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Reads a line as cron does (crontab(5)): five fields in their ranges, the user, and the command up to an unescaped per cent sign.</summary>
    private static string AssertIsLine(string line, bool hasUser)
    {
        Match match = Line().Match(line);
        Assert.True(match.Success, line);
        (int Least, int Most)[] ranges = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
        for (int i = 0; i < 5; i++)
        {
            string field = match.Groups[i + 1].Value;
            string number = field.StartsWith("*/", StringComparison.Ordinal) ? field[2..] : field;
            Assert.True(field == "*" || (int.Parse(number, CultureInfo.InvariantCulture) is var n && n >= ranges[i].Least && n <= ranges[i].Most && (n > 0 || number == field)), line);
        }

        string rest = match.Groups[6].Value;
        if (hasUser)
        {
            Assert.Matches("^[a-z_][a-z0-9_-]*$", rest.Split(' ')[0]);
            rest = rest[(rest.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        }

        Assert.DoesNotMatch(@"(^|[^\\])%", rest);
        Assert.True(rest.Length < 1000);
        return rest.Replace("\\%", "%", StringComparison.Ordinal);
    }

    private string Script(string name, string body)
    {
        string path = _folder.Of(name);
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return path;
    }

    [GeneratedRegex(@"^(\*|\*/\d+|\d+) (\*|\*/\d+|\d+) (\*) (\*) (\*) (\S.*)$")]
    private static partial Regex Line();
}
