using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace QuayAirGap.Server.Upstream;

/// <summary>The head of a CONNECT request (RFC 9110, section 9.3.6), read before HTTP takes the connection over.</summary>
/// <param name="Host">Lower-case; empty where the head makes no sense.</param>
/// <param name="Target">As it was sent, for the log.</param>
internal sealed record ConnectHead(string Host, int Port, string Target)
{
    /// <summary>Room for a long Proxy-Authorization, not for more.</summary>
    public const int MaxBytes = 8 * 1024;

    private static ReadOnlySpan<byte> Method => "CONNECT "u8;

    private static ReadOnlySpan<byte> End => "\r\n\r\n"u8;

    /// <summary>
    /// Takes the head out of the connection; leaves everything where it is, and returns null, where it is no CONNECT or the client went away.
    /// </summary>
    /// <exception cref="OperationCanceledException">It did not come in time.</exception>
    public static async ValueTask<ConnectHead?> ReadAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult result;
            try
            {
                result = await input.ReadAsync(cancellationToken);
            }
            catch (ConnectionResetException)
            {
                return null;
            }

            ReadOnlySequence<byte> buffer = result.Buffer;
            long given = Math.Min(buffer.Length, Method.Length);
            if (!StartsLikeConnect(buffer.Slice(0, given)))
            {
                // Examined nothing: the next reader gets these bytes at once.
                input.AdvanceTo(buffer.Start);
                return null;
            }

            if (given == Method.Length && FindEnd(buffer) is { } end)
            {
                ConnectHead head = Parse(Encoding.Latin1.GetString(buffer.Slice(0, end)));
                input.AdvanceTo(buffer.GetPosition(end));
                return head;
            }

            if (result.IsCompleted)
            {
                input.AdvanceTo(buffer.Start);
                return null;
            }

            if (buffer.Length >= MaxBytes)
            {
                input.AdvanceTo(buffer.End);
                return new ConnectHead("", 0, "(a head of more than 8 KiB)");
            }

            input.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private static bool StartsLikeConnect(ReadOnlySequence<byte> start)
    {
        Span<byte> bytes = stackalloc byte[Method.Length];
        start.CopyTo(bytes);
        return Method.StartsWith(bytes[..(int)start.Length]);
    }

    private static long? FindEnd(ReadOnlySequence<byte> buffer)
    {
        buffer = buffer.Slice(0, Math.Min(buffer.Length, MaxBytes));
        int index = (buffer.IsSingleSegment ? buffer.FirstSpan : buffer.ToArray()).IndexOf(End);
        return index < 0 ? null : index + End.Length;
    }

    private static ConnectHead Parse(string head)
    {
        string[] parts = head[..head.IndexOf('\r')].Split(' ');
        string target = parts.Length > 1 ? parts[1] : "";
        int colon = target.LastIndexOf(':');
        return parts is [_, _, "HTTP/1.1" or "HTTP/1.0"] && colon > 0 && ushort.TryParse(target.AsSpan(colon + 1), out ushort port)
            ? new ConnectHead(target[..colon].ToLowerInvariant(), port, target)
            : new ConnectHead("", 0, target);
    }
}
