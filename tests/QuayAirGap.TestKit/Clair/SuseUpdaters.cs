using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>Acts as Clair's <c>suse</c> set (claircore:suse/factory.go, parser.go): an updater for each link that its patterns know.</summary>
public sealed partial class SuseUpdaters : OvalUpdaterSet
{
    private readonly Uri _root;
    private List<(string Name, string Distribution, Uri Url)> _current = [];

    internal SuseUpdaters(ClairHttp http, ClairConfig config)
        : base(http) =>
        _root = GoUrl.Parse(config.SuseUrl.EndsWith('/') ? config.SuseUrl : config.SuseUrl + "/");

    /// <inheritdoc/>
    public override string Name => "suse";

    private protected override async Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken)
    {
        _current = [];
        using var response = await Http.SendAsync(HttpMethod.Get, _root, cancellationToken);
        if ((int)response.StatusCode != 200)
        {
            throw ClairException.Failed($"suse: unexpected status requesting OVAL dir: {(int)response.StatusCode}");
        }

        var html = Comment().Replace(Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken)), string.Empty);
        var found = new List<(string Name, string Distribution, Uri Url)>();
        foreach (var href in Anchor().Matches(html).Select(m => WebUtility.HtmlDecode(m.Groups["href"].Value)))
        {
            var (did, pretty, version) = DistributionOf(href);
            if (did is null)
            {
                continue;
            }

            var name = "suse-updater-" + (pretty + " " + version).ToLowerInvariant().Replace(' ', '.');
            if (found.Exists(u => u.Name == name))
            {
                throw ClairException.Failed($"suse: updater already exists: {name}");
            }

            found.Add((name, did + " " + version, GoUrl.Resolve(_root, href)));
        }

        _current = found;
        return ClairOutcome.Updated;
    }

    private protected override IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(CancellationToken cancellationToken) =>
        _current.Select(u => (u.Name, (Func<Task<ClairOutcome>>)(() => FetchAsync(
            u.Name, u.Url, "gz", document => document.RpmRows(_ => [u.Distribution]), cancellationToken))));

    /// <summary>The patterns are not anchored, and their dots stand for any character.</summary>
    private static (string? Did, string Pretty, string Version) DistributionOf(string href)
    {
        var server = Server().Matches(href);
        var leap = Leap().Matches(href);
        if (leap.Count == 1 && Version.TryParse(leap[0].Groups[1].Value, out var release) && release >= new Version(15, 5))
        {
            return ("opensuse-leap", "openSUSE Leap", leap[0].Groups[1].Value);
        }

        return server.Count == 1 ? ("sles", "SUSE Linux Enterprise Server", server[0].Groups[1].Value) : default;
    }

    [GeneratedRegex("<!--.*?-->", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Comment();

    [GeneratedRegex(
        """<a\s(?:[^>]*\s)?href\s*=\s*(?:"(?<href>[^"]*)"|'(?<href>[^']*)'|(?<href>[^\s>"']+))""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Anchor();

    [GeneratedRegex("suse.linux.enterprise.server.([1-9][1-9]).xml.gz", RegexOptions.CultureInvariant)]
    private static partial Regex Server();

    [GeneratedRegex("opensuse.leap.(1[0-9].[0-9]+).xml.gz", RegexOptions.CultureInvariant)]
    private static partial Regex Leap();
}
