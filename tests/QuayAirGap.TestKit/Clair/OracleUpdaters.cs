using System.Globalization;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>Acts as Clair's <c>oracle</c> set (claircore:oracle/updaterset.go, parser.go): an updater for each year from 2007 to Clair's own.</summary>
public sealed class OracleUpdaters : OvalUpdaterSet
{
    private static readonly Dictionary<string, string> s_distributions = new(StringComparer.Ordinal)
    {
        ["Oracle Linux 5"] = "ol 5",
        ["Oracle Linux 6"] = "ol 6",
        ["Oracle Linux 7"] = "ol 7",
        ["Oracle Linux 8"] = "ol 8",
        ["Oracle Linux 9"] = "ol 9",
    };

    private readonly ClairConfig _config;
    private readonly TimeProvider _time;

    internal OracleUpdaters(ClairHttp http, ClairConfig config, TimeProvider time)
        : base(http)
    {
        _config = config;
        _time = time;
    }

    /// <inheritdoc/>
    public override string Name => "oracle";

    private protected override Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken) => Task.FromResult(ClairOutcome.Unchanged);

    private protected override IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(CancellationToken cancellationToken)
    {
        for (var year = 2007; year <= _time.GetUtcNow().Year; year++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"oracle-{year}-updater");
            var url = GoUrl.Parse(_config.OracleUrl(year));
            yield return (name, () => FetchAsync(name, url, "bzip2", document => document.RpmRows(Distributions), cancellationToken));
        }
    }

    /// <summary>None where no platform is known, and none where every CPE is of packages for a running kernel's user space.</summary>
    private static IEnumerable<string> Distributions(OvalDefinition definition)
    {
        var cpes = definition.Cpes.ToList();
        return cpes.Count > 0 && cpes.TrueForAll(c => c.Split(':') is [_, _, _, _, _, _, "userspace_ksplice", ..])
            ? []
            : definition.Platforms.Select(p => s_distributions.GetValueOrDefault(p)).OfType<string>();
    }
}
