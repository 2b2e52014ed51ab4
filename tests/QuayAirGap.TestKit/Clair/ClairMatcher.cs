namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// Acts as a Clair matcher with the updater sets of this product, against any server: the same requests in the same order with the same
/// headers, the same state between polls, the same rules for what is taken, what fails and what never ends. Follows claircore v1.5.48
/// (Clair v4.9.0). Not for several polls at once.
/// </summary>
public sealed class ClairMatcher : IDisposable
{
    private readonly ClairHttp _http;
    private readonly IClairUpdaterSet[] _sets;

    /// <summary>A Clair with an empty database.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="time">The clock of Clair's host; the system's by default.</param>
    public ClairMatcher(ClairConfig config, TimeProvider? time = null)
    {
        var clock = time ?? TimeProvider.System;
        _http = new ClairHttp(config, compression: false);
        Alpine = new AlpineUpdaters(_http, config);
        Debian = new DebianUpdater(_http, config);
        Osv = new OsvUpdaters(_http, config, clock);
        RhelVex = new RhelVexUpdater(_http, config, clock);
        Oracle = new OracleUpdaters(_http, config, clock);
        Photon = new PhotonUpdaters(_http, config);
        Suse = new SuseUpdaters(_http, config);
        Ubuntu = new UbuntuUpdaters(_http, config);
        Aws = new AwsUpdaters(_http);
        Cvss = new CvssEnricher(_http, config, clock);
        Epss = new EpssEnricher(_http, config, clock);
        Kev = new KevEnricher(_http, config);
        _sets = [Alpine, Ubuntu, Debian, Osv, RhelVex, Aws, Oracle, Photon, Suse, Cvss];
    }

    /// <summary>The <c>alpine</c> set.</summary>
    public AlpineUpdaters Alpine { get; }

    /// <summary>The <c>debian</c> set.</summary>
    public DebianUpdater Debian { get; }

    /// <summary>The <c>osv</c> set.</summary>
    public OsvUpdaters Osv { get; }

    /// <summary>The <c>rhel-vex</c> set.</summary>
    public RhelVexUpdater RhelVex { get; }

    /// <summary>The <c>oracle</c> set.</summary>
    public OracleUpdaters Oracle { get; }

    /// <summary>The <c>photon</c> set.</summary>
    public PhotonUpdaters Photon { get; }

    /// <summary>The <c>suse</c> set.</summary>
    public SuseUpdaters Suse { get; }

    /// <summary>The <c>ubuntu</c> set.</summary>
    public UbuntuUpdaters Ubuntu { get; }

    /// <summary>The <c>aws</c> set.</summary>
    public AwsUpdaters Aws { get; }

    /// <summary>The <c>clair.cvss</c> set.</summary>
    public CvssEnricher Cvss { get; }

    /// <summary>The <c>clair.epss</c> set of claircore, which no Clair registers: it takes no part in <see cref="PollAsync"/>.</summary>
    public EpssEnricher Epss { get; }

    /// <summary>The <c>clair.kev</c> set of claircore, which no Clair registers: it takes no part in <see cref="PollAsync"/>.</summary>
    public KevEnricher Kev { get; }

    /// <summary>
    /// One run of Clair's update manager: all sets are constructed one after the other, then all updaters run. A set that cannot be
    /// constructed is left out; one whose construction does not end stops everything; a crash ends the run and restarts the process.
    /// </summary>
    /// <returns>How each updater fared that was reached.</returns>
    public async Task<IReadOnlyList<ClairUpdate>> PollAsync(CancellationToken cancellationToken = default)
    {
        var updates = new List<ClairUpdate>();
        var constructed = new List<IClairUpdaterSet>();
        foreach (var set in _sets)
        {
            if (await set.ConstructAsync(cancellationToken) is not { } failure)
            {
                constructed.Add(set);
                continue;
            }

            updates.Add(failure);
            if (failure.Outcome >= ClairOutcome.Hung)
            {
                return updates;
            }
        }

        foreach (var set in constructed)
        {
            updates.AddRange(await set.RunAsync(cancellationToken));
            if (updates.Count > 0 && updates[^1].Outcome == ClairOutcome.Crashed)
            {
                Restart();
                break;
            }
        }

        return updates;
    }

    /// <summary>The process ends and begins again: the database stays, what was only in memory is gone.</summary>
    public void Restart()
    {
        foreach (var set in _sets)
        {
            set.Restart();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
