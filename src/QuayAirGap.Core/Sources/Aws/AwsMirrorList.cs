using System.Text;
using System.Text.RegularExpressions;

namespace QuayAirGap.Core.Sources.Aws;

/// <summary>One mirror of a list.</summary>
/// <param name="Uri">Absolute, without a trailing slash, in the form that claircore's path.Join gives it.</param>
internal sealed record AwsMirror(Uri Uri)
{
    public Uri RepoMd => new(Uri.AbsoluteUri + "/repodata/repomd.xml");

    /// <summary>The fixed name that Clair asks for, whatever repomd.xml says of the location.</summary>
    public Uri UpdateInfo => new(Uri.AbsoluteUri + "/repodata/updateinfo.xml.gz");
}

/// <summary>A mirror.list (claircore aws/client.go).</summary>
/// <param name="Mirrors">The mirrors at hosts that Amazon Linux has, in the list's order.</param>
/// <param name="Elsewhere">Lines that lead anywhere else: never asked. The list of the oldest release comes over plain http.</param>
/// <param name="IsForClair">Whether Clair can read it as it is: it fails on a carriage return, and tries to ask an empty line.</param>
/// <param name="StartsWithMirror">Whether the first line is the first of <paramref name="Mirrors"/>.</param>
internal sealed partial record AwsMirrorList(
    IReadOnlyList<AwsMirror> Mirrors, IReadOnlyList<string> Elsewhere, bool IsForClair, bool StartsWithMirror)
{
    /// <summary>Bytes of the largest list that is taken for one; upstream's have below 1,000.</summary>
    public const long LargestSize = 64 << 10;

    private const int MostLines = 100;

    /// <param name="content">The whole file, of at most <see cref="LargestSize"/>.</param>
    /// <param name="hosts">The hosts that may be asked.</param>
    /// <exception cref="InvalidDataException">A line is no address, or there are too many.</exception>
    public static AwsMirrorList Parse(Stream content, IReadOnlyCollection<string> hosts)
    {
        using var reader = new StreamReader(content, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: false);
        string text = reader.ReadToEnd();
        string[] lines = (text.EndsWith('\n') ? text[..^1] : text).Split('\n');
        if (lines.Length > MostLines)
        {
            throw new InvalidDataException($"it has {lines.Length} lines");
        }

        List<AwsMirror> mirrors = [];
        List<string> elsewhere = [];
        bool startsWithMirror = false;
        foreach (string line in lines.Select(l => l.Trim()).Where(l => l.Length > 0))
        {
            Uri address = AddressOf(line) ?? throw new InvalidDataException($"it has a line that is no mirror's address: '{Shown(line)}'");
            if (!hosts.Contains(address.Host))
            {
                elsewhere.Add(address.AbsoluteUri);
                continue;
            }

            startsWithMirror |= mirrors.Count == 0 && elsewhere.Count == 0;
            mirrors.Add(new AwsMirror(address));
        }

        return new AwsMirrorList(mirrors, elsewhere, lines.All(l => l.Length > 0 && l == l.Trim()), startsWithMirror);
    }

    private static Uri? AddressOf(string line) =>
        Address().IsMatch(line) && Uri.TryCreate(line, UriKind.Absolute, out Uri? uri) && uri.IsDefaultPort
            ? new Uri(uri.GetLeftPart(UriPartial.Authority) + Slashes().Replace(uri.AbsolutePath, "/").TrimEnd('/'))
            : null;

    private static string Shown(string line) => new([.. line.Take(120).Select(c => char.IsControl(c) ? '?' : c)]);

    // Nothing that could be read in two ways: no escapes, queries, user names, and no path that climbs.
    [GeneratedRegex(@"^https?://[a-z0-9.-]+(/+(?!\.\.?(/|$))[A-Za-z0-9._~+-]+)*/*$", RegexOptions.CultureInvariant)]
    private static partial Regex Address();

    [GeneratedRegex("/{2,}", RegexOptions.CultureInvariant)]
    private static partial Regex Slashes();
}
