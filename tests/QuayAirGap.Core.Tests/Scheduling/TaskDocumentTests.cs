using System.Text;
using System.Xml;
using System.Xml.Linq;
using System.Xml.Schema;
using QuayAirGap.Core.Scheduling;
using QuayAirGap.Core.Tests.Support;
using QuayAirGap.TestKit.Samples;
using Xunit;

namespace QuayAirGap.Core.Tests.Scheduling;

/// <summary>Documents that are valid by Task Scheduler's schema. No Windows has been asked.</summary>
public sealed class TaskDocumentTests : IDisposable
{
    private const string Namespace = "http://schemas.microsoft.com/windows/2004/02/mit/task";
    private const string Nasty = """Import-ClairFeed -DropFolder 'C:\it''s "new" & <x>\' -Verbose""";

    private static readonly DateOnly s_today = new(2026, 1, 31);

    private readonly TempFolder _folder = new();

    public static TheoryData<string, bool, string?> Cases => new() { { "02:30", false, null }, { "15m", false, @"LAB\feeds$" }, { "24h", true, null }, { "6h", false, "S-1-5-18" } };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_document_is_valid_and_read_as_it_was_meant(string times, bool isUser, string? account)
    {
        ScheduleRequest request = ScheduleKit.Request(command: Nasty) with
        {
            Executable = @"C:\Program Files\QuayAirGap\quayairgap.exe",
            Times = times.Contains(':', StringComparison.Ordinal) ? ScheduleTimes.Daily([times, "23:00"])
                : ScheduleTimes.Repeated(Sites.FeedDuration.TryParse(times, out TimeSpan every) ? every : default),
            IsUser = isUser,
            Account = account,
            RandomDelay = TimeSpan.FromMinutes(10),
        };
        ScheduleFile file = TaskDocument.Write(request, _folder.Path, s_today);
        ScheduleInstaller.Write([file], overwrite: false);
        ScheduleInstaller.Write([file], overwrite: false); // known again as ours, in UTF-16 too
        byte[] bytes = File.ReadAllBytes(file.Path);
        Assert.Equal([0xFF, 0xFE], bytes[..2]);
        XElement task = Validate(Encoding.Unicode.GetString(bytes)[1..]).Root!;

        XElement exec = task.Descendants(XName.Get("Exec", Namespace)).Single();
        Assert.Equal(request.Executable, exec.Element(XName.Get("Command", Namespace))!.Value);
        Assert.Equal(["-NonInteractive", "-EventLog", "-Command", Nasty], Arguments(exec.Element(XName.Get("Arguments", Namespace))!.Value));
        Assert.Equal("IgnoreNew", task.Descendants(XName.Get("MultipleInstancesPolicy", Namespace)).Single().Value);
        string[] starts = [.. task.Descendants(XName.Get("StartBoundary", Namespace)).Select(e => e.Value)];
        Assert.Equal(times == "02:30" ? ["2026-01-31T02:30:00", "2026-01-31T23:00:00"] : ["2026-01-31T00:00:00"], starts);
        Assert.Equal(
            times switch { "15m" => "PT15M", "6h" => "PT6H", _ => null }, task.Descendants(XName.Get("Interval", Namespace)).SingleOrDefault()?.Value);
        Assert.Equal(account ?? (isUser ? null : "S-1-5-19"), isUser && account is null ? null : task.Descendants(XName.Get("UserId", Namespace)).Single().Value);
    }

    [Fact]
    public void What_Windows_would_read_as_something_else_is_refused()
    {
        Assert.All(
            new[] { ScheduleKit.Request(command: "a %TEMP% b"), ScheduleKit.Request() with { EnvironmentFile = "/a" } },
            r => Assert.Equal(ErrorIds.ScheduleInvalid, Assert.Throws<FeedException>(() => TaskDocument.Write(r, "/x", s_today)).ErrorId));
        Assert.Throws<XmlSchemaValidationException>(() => Validate($"<Task version='1.2' xmlns='{Namespace}'><Actions><Exec><Arguments>x</Arguments></Exec></Actions></Task>"));
    }

    public void Dispose() => _folder.Dispose();

    private static XDocument Validate(string text)
    {
        var schemas = new XmlSchemaSet();
        schemas.Add(Namespace, Path.Combine(RepositoryFolders.Root, "tests", "fixtures", "task-scheduler.xsd"));
        var document = XDocument.Parse(text);
        document.Validate(schemas, (_, e) => throw e.Exception);
        return document;
    }

    /// <summary>A command line taken apart as Windows does (CommandLineToArgvW).</summary>
    private static List<string> Arguments(string line)
    {
        List<string> arguments = [];
        var current = new StringBuilder();
        bool quoted = false;
        bool any = false;
        for (int i = 0; i < line.Length; i++)
        {
            int slashes = 0;
            while (i < line.Length && line[i] == '\\')
            {
                slashes++;
                i++;
            }

            if (i < line.Length && line[i] == '"')
            {
                current.Append('\\', slashes / 2);
                if (slashes % 2 == 1)
                {
                    current.Append('"');
                }
                else
                {
                    quoted = !quoted;
                }

                any = true;
                continue;
            }

            current.Append('\\', slashes);
            any |= slashes > 0;
            if (i >= line.Length)
            {
                break;
            }

            if (line[i] == ' ' && !quoted)
            {
                if (any)
                {
                    arguments.Add(current.ToString());
                }

                current.Clear();
                any = false;
                continue;
            }

            current.Append(line[i]);
            any = true;
        }

        if (any)
        {
            arguments.Add(current.ToString());
        }

        return arguments;
    }
}
