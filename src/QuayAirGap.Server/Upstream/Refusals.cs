using System.Net;
using Microsoft.Extensions.Logging;

namespace QuayAirGap.Server.Upstream;

internal enum RefusalReason
{
    /// <summary>A host that is no feed's.</summary>
    Host,

    /// <summary>CONNECT to another port than 443, or plain HTTP to another than 80.</summary>
    Port,

    /// <summary>CONNECT, the TLS handshake and the request name different hosts.</summary>
    Disagreement,

    /// <summary>At the proxy's port, but not as to a proxy; or a CONNECT that makes no sense.</summary>
    Malformed,
}

/// <summary>Counts what is refused, and says it: a few lines a second at most, as a client may try for ever.</summary>
internal sealed class Refusals(TimeProvider time, ILogger log)
{
    private const int LinesASecond = 5;

    private readonly long[] _counts = new long[Enum.GetValues<RefusalReason>().Length];
    private readonly Lock _lock = new();
    private long _second = long.MinValue;
    private int _lines;
    private long _unsaid;

    public long CountOf(RefusalReason reason) => Interlocked.Read(ref _counts[(int)reason]);

    /// <param name="what">What was asked for; cleaned for a log already.</param>
    public void Add(RefusalReason reason, EndPoint? client, string what)
    {
        Interlocked.Increment(ref _counts[(int)reason]);
        long unsaid;
        lock (_lock)
        {
            long second = time.GetUtcNow().ToUnixTimeSeconds();
            if (second != _second)
            {
                (_second, _lines) = (second, 0);
            }

            if (++_lines > LinesASecond)
            {
                _unsaid++;
                return;
            }

            (unsaid, _unsaid) = (_unsaid, 0);
        }

        log.LogWarning("Refused {What} from {Client}: {Reason}.{Unsaid}", what, client, Say(reason), unsaid > 0 ? $" ({unsaid} more were refused before it.)" : "");
    }

    /// <summary>For the client's own log.</summary>
    public static string Explain(string target) =>
        $"quayairgap answers for the feeds' own hosts only, not for '{target}'. A client that asks for other hosts too needs them in its NO_PROXY.";

    private static string Say(RefusalReason reason) => reason switch
    {
        RefusalReason.Host => "it is no feed's host",
        RefusalReason.Port => "feeds are had from port 443, or 80 without TLS",
        RefusalReason.Disagreement => "CONNECT, TLS and request name different hosts",
        _ => "it is no request to a proxy",
    };
}
