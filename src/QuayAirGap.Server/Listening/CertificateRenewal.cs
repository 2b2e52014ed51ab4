using Microsoft.Extensions.Logging;
using QuayAirGap.Core;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Tls;

namespace QuayAirGap.Server.Listening;

/// <summary>
/// Renews the site's own server certificates before they end, where this account may write to the site; where it may not, it says in time
/// that somebody else has to.
/// </summary>
internal sealed class CertificateRenewal(Site site, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan s_every = TimeSpan.FromHours(1);

    private readonly MirrorCertificates _certificates = new(site, time);
    private ITimer? _timer;
    private DateTimeOffset _saidAt = DateTimeOffset.MinValue;

    /// <summary>Looks now, then every hour.</summary>
    public void Start()
    {
        Look();
        _timer = time.CreateTimer(_ => Look(), null, s_every, s_every);
    }

    public ValueTask DisposeAsync() => _timer?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void Look()
    {
        try
        {
            MirrorCertificateState? state = _certificates.Read();
            DateTimeOffset now = time.GetUtcNow();
            if (state is null || (now < state.Upstream.RenewAfter && (state.Mirror is null || now < state.Mirror.RenewAfter)))
            {
                return;
            }

            using SiteLock held = site.Lock();
            if (_certificates.RenewIfDue())
            {
                log.LogInformation("The mirror's server certificates were renewed.");
            }
            else
            {
                Say($"The mirror's certificate authority ends at {state.Authority.NotAfter:yyyy-MM-dd}: exchange it with New-ClairFeedMirrorCertificate -StartRotation.");
            }
        }
        catch (Exception e) when (e is FeedException or IOException or UnauthorizedAccessException)
        {
            Say($"The mirror's server certificates are due and could not be renewed: {e.Message} Run New-ClairFeedMirrorCertificate.");
        }
    }

    /// <summary>Once a day while it lasts.</summary>
    private void Say(string trouble)
    {
        if (time.GetUtcNow() - _saidAt >= TimeSpan.FromDays(1))
        {
            _saidAt = time.GetUtcNow();
            log.LogWarning("{Trouble}", trouble);
        }
    }
}
