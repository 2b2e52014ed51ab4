using Microsoft.Extensions.Logging;
using QuayAirGap.Server.Http;

namespace QuayAirGap.Server.Gateway;

/// <summary>Counts reports that went through unjudged or without their warning, and says so: for each reason at once, and then once a minute with their number.</summary>
internal sealed class GatewayTroubles(GatewayCounter counter, ILogger log, TimeProvider time)
{
    private static readonly TimeSpan s_every = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<GatewayFailure, (DateTimeOffset SaidAt, long Count)> _said = [];

    /// <param name="failure">What kind of trouble.</param>
    /// <param name="target">What Quay asked for.</param>
    /// <param name="why">In words.</param>
    public void Tell(GatewayFailure failure, string target, string why)
    {
        counter.Failed(failure);
        long count;
        lock (_lock)
        {
            DateTimeOffset now = time.GetUtcNow();
            (DateTimeOffset saidAt, long unsaid) = _said.GetValueOrDefault(failure);
            if (now - saidAt < s_every)
            {
                _said[failure] = (saidAt, unsaid + 1);
                return;
            }

            _said[failure] = (now, 0);
            count = unsaid;
        }

        log.LogWarning(
            "A report went to Quay unjudged or without its warning: {Target}: {Why}{More} It may look cleaner than it is.",
            LogText.Clean(target), LogText.Clean(why).TrimEnd('.') + ".", count > 0 ? $" So did {count} before it." : "");
    }
}
