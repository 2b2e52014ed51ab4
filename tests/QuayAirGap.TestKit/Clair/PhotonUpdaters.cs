using System.Globalization;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// Acts as Clair's <c>photon</c> set (claircore:photon/updaterset.go, photon.go, parser.go): releases 1 to 3 up to v1.5.48, 1 to 5 under
/// other names since v1.5.49.
/// </summary>
public sealed class PhotonUpdaters : OvalUpdaterSet
{
    private readonly ClairConfig _config;

    internal PhotonUpdaters(ClairHttp http, ClairConfig config)
        : base(http) =>
        _config = config;

    /// <inheritdoc/>
    public override string Name => "photon";

    private protected override Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken) => Task.FromResult(ClairOutcome.Unchanged);

    private protected override IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(CancellationToken cancellationToken)
    {
        var released = _config.Release == ClairRelease.V490;
        for (var release = 1; release <= (released ? 3 : 5); release++)
        {
            var version = string.Create(CultureInfo.InvariantCulture, $"{release}.0");
            var name = released ? string.Create(CultureInfo.InvariantCulture, $"photon-updater-photon{release}") : "photon-updater-" + version;
            var url = GoUrl.Parse(_config.PhotonUrl(release));
            yield return (name, () => FetchAsync(
                name, url, _config.PhotonCompression, document => document.RpmRows(_ => ["photon " + version]), cancellationToken));
        }
    }
}
