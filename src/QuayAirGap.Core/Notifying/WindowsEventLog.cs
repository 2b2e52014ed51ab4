using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace QuayAirGap.Core.Notifying;

/// <summary>How the log marks an event.</summary>
public enum EventLogType
{
    Error = 1,
    Warning = 2,
    Information = 4,
}

/// <summary>The Windows event log "Application".</summary>
public static partial class WindowsEventLog
{
    /// <summary>Characters; the log takes 31839.</summary>
    private const int Longest = 30000;

    /// <param name="source">Who says it.</param>
    /// <param name="type">How it is marked.</param>
    /// <param name="id">1 to 1000: the range of EventCreate.exe, whose message file shows any text.</param>
    /// <param name="text">Cut off where it is longer than the log takes.</param>
    /// <returns>False where Windows refuses; the reason is the last P/Invoke error.</returns>
    [SupportedOSPlatform("windows")]
    public static bool Write(string source, EventLogType type, uint id, string text)
    {
        string body = text.ReplaceLineEndings("\r\n");
        nint log = RegisterEventSource(null, source);
        if (log == 0)
        {
            return false;
        }

        bool isWritten = ReportEvent(log, (ushort)type, 0, id, 0, 1, 0, [body.Length > Longest ? body[..Longest] : body], 0);
        int error = Marshal.GetLastPInvokeError();
        DeregisterEventSource(log);
        Marshal.SetLastPInvokeError(error);
        return isWritten;
    }

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
