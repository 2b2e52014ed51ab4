using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Notifying.Channels;

/// <summary>
/// The Windows event log. Ids: 100 test, 101 resolved, 110 warning, 120 critical, 130 expired; all within the range of EventCreate.exe,
/// whose message file shows any text.
/// </summary>
internal sealed class EventLogChannel(EventLogSettings settings) : IWarningChannel
{
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
        (EventLogType type, uint id) = warning.Kind switch
        {
            WarningKind.Test => (EventLogType.Information, 100u),
            WarningKind.Resolved => (EventLogType.Information, 101u),
            _ => warning.Level switch
            {
                FreshnessLevel.Expired => (EventLogType.Error, 130u),
                FreshnessLevel.Critical => (EventLogType.Error, 120u),
                _ => (EventLogType.Warning, 110u),
            },
        };
        if (!WindowsEventLog.Write(settings.Source, type, id, WarningText.Body(warning)))
        {
            throw WarningErrors.NotSent(this, string.Create(CultureInfo.InvariantCulture, $"Windows answers with error {Marshal.GetLastPInvokeError()}"));
        }
    }
}
