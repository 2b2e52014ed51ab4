using System.Globalization;
using System.Runtime.Versioning;
using System.Text;
using QuayAirGap.Core.Notifying;

namespace QuayAirGap.Host;

/// <summary>What a run said, for Windows' event log: the beginning of it, as the log takes no more.</summary>
internal sealed class RunLog
{
    private const int Longest = 28_000;
    private const string Source = "QuayAirGap";

    private readonly StringBuilder _text = new();

    public void Add(string text)
    {
        if (_text.Length < Longest)
        {
            _text.Append(text, 0, Math.Min(text.Length, Longest - _text.Length));
        }
    }

    /// <summary>A job has ended: good, with stale or incomplete feeds, or not at all. That the log refuses changes nothing of what was done.</summary>
    [SupportedOSPlatform("windows")]
    public void Write(string command, int exitCode)
    {
        (EventLogType type, uint id) = exitCode switch
        {
            ExitCode.Good => (EventLogType.Information, 200u),
            ExitCode.StaleOrIncomplete => (EventLogType.Warning, 210u),
            _ => (EventLogType.Error, 220u),
        };
        WindowsEventLog.Write(Source, type, id, string.Create(CultureInfo.InvariantCulture, $"{command}\nended with exit code {exitCode}.\n\n{_text}"));
    }
}
