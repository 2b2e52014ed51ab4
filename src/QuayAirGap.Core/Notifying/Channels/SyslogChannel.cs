using System.Globalization;
using System.Net.Sockets;
using System.Text;
using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Notifying.Channels;

/// <summary>
/// RFC 5424 in one datagram for the site and one for each source, of facility daemon, told apart by MSGID: FEED-WARNING, FEED-CRITICAL,
/// FEED-EXPIRED, FEED-RESOLVED and FEED-TEST.
/// </summary>
internal sealed class SyslogChannel(SyslogSettings settings) : IWarningChannel
{
    private const int Daemon = 3;

    /// <summary>What every receiver over UDP takes is 480 bytes, most take 2048 (RFC 5424, 6.1).</summary>
    private const int Longest = 2048;

    public WarningChannel Channel => WarningChannel.Syslog;

    public string Destination => settings.Host is { } host
        ? string.Create(CultureInfo.InvariantCulture, $"{host}, UDP port {settings.Port}") : $"'{settings.Socket}'";

    public bool IsStanding => false;

    public async Task<bool> SendAsync(FeedWarning warning, CancellationToken token)
    {
        try
        {
            using Socket socket = await OpenAsync(token);
            foreach (byte[] line in Lines(warning))
            {
                await socket.SendAsync(line, SocketFlags.None, token);
            }

            return true;
        }
        catch (Exception e) when (e is SocketException or ArgumentException or PlatformNotSupportedException)
        {
            throw WarningErrors.NotSent(this, e.Message, e);
        }
    }

    private static IEnumerable<byte[]> Lines(FeedWarning warning)
    {
        yield return Line(warning, warning.Level, $"event={warning.EventId} site=\"{Quoted(warning.Site)}\" {Quoted(WarningText.Summary(warning))}");
        foreach (WarningFact fact in warning.Facts)
        {
            yield return Line(
                warning, fact.Source.Level,
                $"event={warning.EventId} site=\"{Quoted(warning.Site)}\" source={fact.Source.Name} level={fact.Source.Level.ToString().ToLowerInvariant()} "
                + $"state={fact.Source.State.ToString().ToLowerInvariant()} cause={fact.Source.Cause} since=\"{WarningText.Time(fact.Since)}\" "
                + Quoted($"{fact.Source.Reason} {fact.Source.Remedy}"));
        }
    }

    private static byte[] Line(FeedWarning warning, FreshnessLevel level, string text)
    {
        (int severity, string id) = warning.Kind switch
        {
            WarningKind.Test => (6, "FEED-TEST"),
            WarningKind.Resolved => (5, "FEED-RESOLVED"),
            _ => level switch
            {
                FreshnessLevel.Expired => (1, "FEED-EXPIRED"),
                FreshnessLevel.Critical => (2, "FEED-CRITICAL"),
                _ => (4, "FEED-WARNING"),
            },
        };
        string host = new([.. Environment.MachineName.Where(char.IsAscii).Where(c => !char.IsWhiteSpace(c))]);
        byte[] line = Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"<{(Daemon * 8) + severity}>1 {warning.At.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {(host.Length > 0 ? host : "-")} quayairgap - {id} - {text}"));
        int length = Math.Min(line.Length, Longest);
        while (length < line.Length && (line[length] & 0xC0) == 0x80)
        {
            length--; // not within a character
        }

        return line[..length];
    }

    private static string Quoted(string text) => WarningText.Plain(text).Replace('"', '\'');

    private async Task<Socket> OpenAsync(CancellationToken token)
    {
        Socket socket;
        if (settings.Host is { } host)
        {
            socket = new Socket(SocketType.Dgram, ProtocolType.Udp);
            await Guarded(socket, () => socket.ConnectAsync(host, settings.Port, token));
        }
        else
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            await Guarded(socket, () => socket.ConnectAsync(new UnixDomainSocketEndPoint(settings.Socket), token));
        }

        return socket;
    }

    private static async Task Guarded(Socket socket, Func<ValueTask> connect)
    {
        try
        {
            await connect();
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
