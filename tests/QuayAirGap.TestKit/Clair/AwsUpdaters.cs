using System.Globalization;
using System.IO.Compression;
using System.Xml;
using System.Xml.Linq;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>One row of an advisory as Clair would store it.</summary>
/// <param name="Id">For example <c>ALAS2023-2023-001</c>.</param>
/// <param name="Package">Binary package.</param>
/// <param name="Arch">As given.</param>
/// <param name="FixedVersion"><c>epoch:version-release</c>, without an epoch of 0.</param>
/// <param name="Severity">As given.</param>
/// <param name="Issued">UTC, where given.</param>
/// <param name="Links">All references' addresses, with blanks between.</param>
public sealed record AwsRow(string Id, string Package, string Arch, string FixedVersion, string Severity, DateTimeOffset? Issued, string Links);

/// <summary>
/// Acts as Clair's <c>aws</c> set (claircore:aws/client.go, updater.go, internal/alas), which has no configuration: three addresses are
/// built in, all others come from what these answer. Holds the rows by updater.
/// </summary>
public sealed class AwsUpdaters : ClairUpdaterSet<IReadOnlyDictionary<string, IReadOnlySet<AwsRow>>>
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(15);
    private static readonly string[] s_dates = ["yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss"];

    private static readonly (string Release, string MirrorList)[] s_releases =
    [
        ("AL1", "http://repo.us-west-2.amazonaws.com/2018.03/updates/x86_64/mirror.list"),
        ("AL2", "https://cdn.amazonlinux.com/2/core/latest/x86_64/mirror.list"),
        ("AL2023", "https://cdn.amazonlinux.com/al2023/core/mirrors/latest/x86_64/mirror.list"),
    ];

    private readonly ClairHttp _http;
    private readonly Dictionary<string, string> _fingerprints = new(StringComparer.Ordinal);
    private Dictionary<string, IReadOnlySet<AwsRow>> _held = new(StringComparer.Ordinal);

    internal AwsUpdaters(ClairHttp http) => _http = http;

    /// <inheritdoc/>
    public override string Name => "aws";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, IReadOnlySet<AwsRow>> Held => _held;

    /// <inheritdoc/>
    public override void Restart()
    {
        // All that it knows is in the database.
    }

    private protected override Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken) => Task.FromResult(ClairOutcome.Updated);

    private protected override IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(CancellationToken cancellationToken) =>
        s_releases.Select(r => (
            $"aws-{r.Release}-updater",
            (Func<Task<ClairOutcome>>)(() => UpdateAsync($"aws-{r.Release}-updater", GoUrl.Parse(r.MirrorList), cancellationToken))));

    private static async Task<T> LimitAsync<T>(Func<CancellationToken, Task<T>> step, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(s_timeout);
        try
        {
            return await step(limited.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw ClairException.Failed("context deadline exceeded");
        }
    }

    private static XDocument Decode(Stream content)
    {
        // Go reads past a document type, knows no entities of its own, and stops behind the root.
        using var reader = XmlReader.Create(content, new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null });
        try
        {
            reader.MoveToContent();
            return new XDocument((XElement)XNode.ReadFrom(reader));
        }
        catch (XmlException error)
        {
            throw ClairException.Failed($"failed xml unmarshal: {error.Message}", error);
        }
    }

    private static IEnumerable<XElement> Children(XElement? element, string name) => element?.Elements().Where(e => e.Name.LocalName == name) ?? [];

    private static string Text(XElement element, string name) => Children(element, name).LastOrDefault()?.Value ?? string.Empty;

    private static string Attribute(XElement element, string name) => element.Attribute(name)?.Value ?? string.Empty;

    private static HashSet<AwsRow> Parse(Stream gzip)
    {
        using var unpacked = new GZipStream(gzip, CompressionMode.Decompress);
        var rows = new HashSet<AwsRow>();
        foreach (var update in Children(Decode(unpacked).Root, "update"))
        {
            var issued = Date(update, "issued");
            _ = Date(update, "updated");
            var links = string.Join(' ', Children(update, "references").SelectMany(r => Children(r, "reference")).Select(r => Attribute(r, "href")));
            foreach (var package in Children(update, "pkglist").SelectMany(l => Children(l, "collection")).SelectMany(c => Children(c, "package")))
            {
                var epoch = Attribute(package, "epoch");
                var version = $"{(epoch is "" or "0" ? "" : epoch + ":")}{Attribute(package, "version")}-{Attribute(package, "release")}";
                rows.Add(new AwsRow(
                    Text(update, "id"), Attribute(package, "name"), Attribute(package, "arch"), version, Text(update, "severity"), issued, links));
            }
        }

        return rows;
    }

    private static DateTimeOffset? Date(XElement update, string name) => Children(update, name).LastOrDefault()?.Attribute("date")?.Value switch
    {
        null => null,
        var text when DateTimeOffset.TryParseExact(text, s_dates, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) => date,
        var text => throw ClairException.Failed($"parsing date attr: {text}"),
    };

    private async Task<ClairOutcome> UpdateAsync(string updater, Uri list, CancellationToken cancellationToken)
    {
        var mirrors = await LimitAsync(token => MirrorsAsync(list, token), cancellationToken);
        var checksum = await LimitAsync(token => ChecksumAsync(mirrors, token), cancellationToken);
        if (checksum == _fingerprints.GetValueOrDefault(updater, string.Empty))
        {
            return ClairOutcome.Unchanged;
        }

        await using var spool = await LimitAsync(token => UpdatesAsync(mirrors, token), cancellationToken);
        _held = new(_held, StringComparer.Ordinal) { [updater] = Parse(spool) };
        _fingerprints[updater] = checksum;
        return ClairOutcome.Updated;
    }

    private async Task<List<Uri?>> MirrorsAsync(Uri list, CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(HttpMethod.Get, list, cancellationToken);
        if ((int)response.StatusCode != 200)
        {
            throw ClairException.Failed($"failed to make request for mirrors: unexpected response {(int)response.StatusCode}");
        }

        var text = await response.Content.ReadAsStringAsync(cancellationToken);

        // An empty line is an address without a scheme, which fails when it is asked, and the next one is tried.
        return [.. (text.EndsWith('\n') ? text[..^1] : text).Split('\n').Select(line => line.Length == 0 ? null : GoUrl.Parse(line))];
    }

    private async Task<string> ChecksumAsync(List<Uri?> mirrors, CancellationToken cancellationToken)
    {
        foreach (var mirror in mirrors)
        {
            try
            {
                using var response = await GetAsync(mirror, "/repodata/repomd.xml", cancellationToken);
                if (response is not null)
                {
                    await using var content = await response.Content.ReadAsStreamAsync(cancellationToken);
                    var data = Children(Decode(content).Root, "data").FirstOrDefault(d => Attribute(d, "type") == "updateinfo");
                    return data is null
                        ? throw new KeyNotFoundException()
                        : Text(data, "checksum");
                }
            }
            catch (ClairException)
            {
                // Logged, and the next mirror is tried.
            }
            catch (KeyNotFoundException)
            {
                throw ClairException.Failed("updates repo metadata could not be retrieved: Repo not found");
            }
        }

        throw ClairException.Failed("all mirrors failed to retrieve repo metadata");
    }

    private async Task<FileStream> UpdatesAsync(List<Uri?> mirrors, CancellationToken cancellationToken)
    {
        foreach (var mirror in mirrors)
        {
            using var response = await GetAsync(mirror, "/repodata/updateinfo.xml.gz", cancellationToken);
            if (response is not null)
            {
                return await Spool.CreateAsync(response.Content, cancellationToken);
            }
        }

        throw ClairException.Failed("all update_info mirrors failed to return a response");
    }

    /// <summary>The answer, or null where Clair would go on to the next mirror.</summary>
    private async Task<HttpResponseMessage?> GetAsync(Uri? mirror, string path, CancellationToken cancellationToken)
    {
        if (mirror is null)
        {
            return null;
        }

        try
        {
            var response = await _http.SendAsync(HttpMethod.Get, GoUrl.JoinPath(mirror, path), cancellationToken);
            if ((int)response.StatusCode == 200)
            {
                return response;
            }

            response.Dispose();
        }
        catch (HttpRequestException)
        {
            // Logged, and the next mirror is tried.
        }

        return null;
    }
}
