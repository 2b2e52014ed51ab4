using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Notifying.Channels;

/// <summary>
/// The Windows event log. Ids: 100 test, 101 resolved, 110 warning, 120 critical, 130 expired; all within the range of EventCreate.exe,
/// whose message file shows any text.
/// </summary>
internal sealed partial class EventLogChannel(EventLogSettings settings) : IWarningChannel
{
    private const ushort Error = 1;
    private const ushort Warning = 2;
    private const ushort Information = 4;

    /// <summary>Characters; the log takes 31839.</summary>
    private const int Longest = 30000;

    public WarningChannel Channel => WarningChannel.EventLog;

    public string Destination => $"the event log of this machine, source '{settings.Source}'";

    public bool IsStanding => false;

    public Task<bool> SendAsync(FeedWarning warning, CancellationToken token)
    {
        if (!OperatingSystem.IsWindows())
        {
            throw WarningErrors.NotSent(this, "only Windows has one");
        }

        Write(warning);
        return Task.FromResult(true);
    }

    [SupportedOSPlatform("windows")]
    private void Write(FeedWarning warning)
    {
        (ushort type, uint id) = warning.Kind switch
        {
            WarningKind.Test => (Information, 100u),
            WarningKind.Resolved => (Information, 101u),
            _ => warning.Level switch
            {
                FreshnessLevel.Expired => (Error, 130u),
                FreshnessLevel.Critical => (Error, 120u),
                _ => (Warning, 110u),
            },
        };
        string body = WarningText.Body(warning).ReplaceLineEndings("\r\n");
        nint log = RegisterEventSource(null, settings.Source);
        if (log == 0)
        {
            throw Failed();
        }

        try
        {
            if (!ReportEvent(log, type, 0, id, 0, 1, 0, [body.Length > Longest ? body[..Longest] : body], 0))
            {
                throw Failed();
            }
        }
        finally
        {
            DeregisterEventSource(log);
        }
    }

    private FeedException Failed() =>
        WarningErrors.NotSent(this, string.Create(CultureInfo.InvariantCulture, $"Windows answers with error {Marshal.GetLastPInvokeError()}"));

    [LibraryImport("advapi32", EntryPoint = "RegisterEventSourceW", StringMarshalling = StringMarshalling.Utf16, SetLastError = true)]
    private static partial nint RegisterEventSource(string? server, string source);

    [LibraryImport("advapi32", EntryPoint = "ReportEventW", StringMarshalling = StringMarshalling.Utf16, SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool ReportEvent(
        nint log, ushort type, ushort category, uint id, nint user, ushort count, uint size, string[] texts, nint data);

    [LibraryImport("advapi32", EntryPoint = "DeregisterEventSource", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool DeregisterEventSource(nint log);
}
