using System.Net.Sockets;
using System.Text;

namespace QuayAirGap.Server.Tests.Gateway;

/// <summary>Damages answers.</summary>
internal static class AnswerFuzz
{
    private static readonly string[] s_texts = ["}", "{", "\"", "\\", ",", "null", "\0", "\ud83d\ude00", "{\"packages\":{}}", "]", ":", " ", "1e999", "\"packages\":{},", "<!--"];

    /// <summary>One to three changes: bytes flipped, left out, doubled or put in, or the end cut off.</summary>
    public static byte[] Mutate(Random random, byte[] bytes)
    {
        List<byte> mutated = [.. bytes];
        for (int n = random.Next(1, 4); n > 0 && mutated.Count > 8; n--)
        {
            int at = random.Next(mutated.Count - 4);
            int length = Math.Min(random.Next(1, 200), mutated.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    mutated[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    mutated.RemoveRange(at, length);
                    break;
                case 2:
                    mutated.InsertRange(at, mutated.GetRange(at, length));
                    break;
                case 3:
                    mutated.RemoveRange(at, mutated.Count - at);
                    break;
                case 4:
                    mutated.InsertRange(at, Encoding.UTF8.GetBytes(s_texts[random.Next(s_texts.Length)]));
                    break;
                default:
                    mutated.AddRange(Encoding.UTF8.GetBytes(s_texts[random.Next(s_texts.Length)]));
                    break;
            }
        }

        return [.. mutated];
    }

    /// <summary>Damages head, framing or body of a whole answer.</summary>
    public static (byte[] Answer, bool HeadTouched) MutateAnswer(Random random, byte[] answer)
    {
        int end = answer.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        byte[] head = answer[..end];
        byte[] rest = answer[end..];
        switch (random.Next(5))
        {
            case 0:
                return (answer[..random.Next(answer.Length)], true);
            case 1:
                return ([.. head, .. Mutate(random, rest)], true); // the framing may be hit, and readers differ in what they forgive
            case 2:
                string text = Encoding.Latin1.GetString(head);
                string[] codings = ["gzip", "zstd", "deflate", "br", "identity", "GZIP", "x-unknown"];
                return ([.. Encoding.Latin1.GetBytes(text.Replace("Cache-Control", $"Content-Encoding: {codings[random.Next(codings.Length)]}\r\nCache-Control", StringComparison.Ordinal)), .. rest], true);
            case 3:
                return ([.. answer, .. Mutate(random, answer)], false); // what comes after the answer is nobody's
            default:
                string lengths = System.Text.RegularExpressions.Regex.Replace(Encoding.Latin1.GetString(head), "Content-Length: \\d+", _ => $"Content-Length: {random.Next(2 * rest.Length + 1)}");
                return ([.. Encoding.Latin1.GetBytes(lengths), .. rest], true);
        }
    }

    /// <summary>In pieces, and then closed or reset.</summary>
    public static async Task SendAsync(Socket socket, byte[] answer, int pieces, bool reset)
    {
        for (int piece = 0, at = 0; piece < pieces && at < answer.Length; piece++)
        {
            int length = piece == pieces - 1 ? answer.Length - at : Math.Min(answer.Length / pieces + 1, answer.Length - at);
            for (int sent = 0; sent < length;)
            {
                sent += await socket.SendAsync(answer.AsMemory(at + sent, length - sent));
            }

            at += length;
            await Task.Yield();
        }

        if (reset)
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
            return;
        }

        socket.Shutdown(SocketShutdown.Send);
        await socket.ReceiveAsync(new byte[1]);
    }
}
