using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace QuayAirGap.Server.Tests.Gateway;

/// <summary>An answer as it came over the wire, taken apart: what a client sees, and how the connection ended.</summary>
/// <param name="StatusLine">"HTTP/1.1 200 OK".</param>
/// <param name="Headers">In lower case, sorted.</param>
/// <param name="Body">Without the framing.</param>
/// <param name="Trailers">As headers.</param>
/// <param name="IsWhole">Whether the framing says that all of the body came.</param>
internal sealed record RawAnswer(string StatusLine, IReadOnlyList<string> Headers, byte[] Body, IReadOnlyList<string> Trailers, bool IsWhole)
{
    public int Status => StatusLine.Length > 12 && int.TryParse(StatusLine.AsSpan(9, 3), out int status) ? status : 0;

    public string? Header(string name) => Headers.FirstOrDefault(h => h.StartsWith(name + ":", StringComparison.Ordinal))?[(name.Length + 1)..].Trim();

    /// <summary>Sends a request on a connection of its own and takes all that comes back.</summary>
    public static async Task<RawAnswer> OfAsync(Uri address, string request, CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, address.Port, cancellationToken);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request), cancellationToken);
        return await ReadAsync(socket, cancellationToken);
    }

    public static async Task<RawAnswer> ReadAsync(Socket socket, CancellationToken cancellationToken)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        bool reset = false;
        try
        {
            while (Parse(all.GetBuffer().AsSpan(0, (int)all.Length), isEnd: false) is not { IsWhole: true } && await socket.ReceiveAsync(buffer, cancellationToken) is > 0 and int n)
            {
                all.Write(buffer, 0, n);
            }
        }
        catch (SocketException)
        {
            reset = true;
        }

        return Parse(all.GetBuffer().AsSpan(0, (int)all.Length), isEnd: !reset) ?? new RawAnswer("", [], [], [], false);
    }

    /// <returns>Null without a whole head.</returns>
    private static RawAnswer? Parse(ReadOnlySpan<byte> bytes, bool isEnd)
    {
        int end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return null;
        }

        string[] lines = Encoding.Latin1.GetString(bytes[..end]).Split("\r\n");
        string[] headers = Lines(lines.AsSpan(1));
        ReadOnlySpan<byte> rest = bytes[(end + 4)..];
        if (headers.Any(h => h.StartsWith("transfer-encoding: chunked", StringComparison.OrdinalIgnoreCase)))
        {
            return Chunked(lines[0], headers, rest);
        }

        string? length = headers.FirstOrDefault(h => h.StartsWith("content-length:", StringComparison.Ordinal))?[15..];
        if (lines[0].StartsWith("HTTP/1.1 304", StringComparison.Ordinal) || lines[0].StartsWith("HTTP/1.1 204", StringComparison.Ordinal))
        {
            return new RawAnswer(lines[0], headers, [], [], true);
        }

        if (length is null)
        {
            return new RawAnswer(lines[0], headers, rest.ToArray(), [], isEnd); // until the connection ends
        }

        int expected = int.Parse(length, CultureInfo.InvariantCulture);
        return new RawAnswer(lines[0], headers, rest[..Math.Min(expected, rest.Length)].ToArray(), [], rest.Length >= expected);
    }

    private static RawAnswer Chunked(string status, string[] headers, ReadOnlySpan<byte> rest)
    {
        using var body = new MemoryStream();
        while (true)
        {
            int line = rest.IndexOf("\r\n"u8);
            if (line < 0 || !int.TryParse(Encoding.Latin1.GetString(rest[..line]).Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int size))
            {
                return new RawAnswer(status, headers, body.ToArray(), [], false);
            }

            rest = rest[(line + 2)..];
            if (size == 0)
            {
                int end = rest.StartsWith("\r\n"u8) ? 0 : rest.IndexOf("\r\n\r\n"u8);
                return new RawAnswer(status, headers, body.ToArray(), end > 0 ? Lines(Encoding.Latin1.GetString(rest[..end]).Split("\r\n")) : [], end >= 0);
            }

            body.Write(rest[..Math.Min(size, rest.Length)]);
            if (rest.Length < size + 2)
            {
                return new RawAnswer(status, headers, body.ToArray(), [], false);
            }

            rest = rest[(size + 2)..];
        }
    }

    private static string[] Lines(ReadOnlySpan<string> lines)
    {
        string[] all = [.. lines.ToArray().Select(l => l.IndexOf(':', StringComparison.Ordinal) is > 0 and int colon ? l[..colon].ToLowerInvariant() + ": " + l[(colon + 1)..].Trim() : l)];
        Array.Sort(all, StringComparer.Ordinal);
        return all;
    }
}
