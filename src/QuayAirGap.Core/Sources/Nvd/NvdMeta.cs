using System.Globalization;
using System.Text;

namespace QuayAirGap.Core.Sources.Nvd;

/// <summary>A year's .meta file (claircore enricher/cvss/metafile.go): lines of <c>key:value</c>.</summary>
/// <param name="LastModified">UTC.</param>
/// <param name="Size">Bytes of the JSON document, where stated.</param>
/// <param name="GzSize">Bytes of the .json.gz, where stated.</param>
/// <param name="Sha256">Of the JSON document, lower-case hexadecimal.</param>
/// <param name="IsTerminated">False: the last line has no end, and Clair does not see it.</param>
internal sealed record NvdMeta(DateTimeOffset? LastModified, long? Size, long? GzSize, string Sha256, bool IsTerminated)
{
    /// <summary>Bytes of the largest file that is taken for one; upstream's have below 200.</summary>
    public const long LargestSize = 64 << 10;

    /// <param name="content">The whole file, of at most <see cref="LargestSize"/>.</param>
    /// <exception cref="InvalidDataException">Clair could not go by it.</exception>
    public static NvdMeta Read(Stream content)
    {
        using var reader = new StreamReader(content, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: false);
        string text = reader.ReadToEnd();
        DateTimeOffset? modified = null;
        long? size = null;
        long? gzSize = null;
        string? sha256 = null;
        foreach (string line in text.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string value = colon < 0 ? "" : line[(colon + 1)..];
            switch (colon < 0 ? "" : line[..colon])
            {
                case "lastModifiedDate":
                    modified = DateOf(value);
                    break;
                case "size":
                    size = NumberOf(value);
                    break;
                case "zipSize":
                    _ = NumberOf(value);
                    break;
                case "gzSize":
                    gzSize = NumberOf(value);
                    break;
                case "sha256":
                    sha256 = value.Length == 64 && value.All(char.IsAsciiHexDigit)
                        ? value.ToLowerInvariant()
                        : throw new InvalidDataException($"it states a SHA-256 that is none: '{value}'");
                    break;
            }
        }

        return new NvdMeta(
            modified, size, gzSize, sha256 ?? throw new InvalidDataException("it states no SHA-256"), text.EndsWith('\n'));
    }

    // RFC 3339 with a zone; Clair stops at anything else.
    private static DateTimeOffset DateOf(string value) => DateTimeOffset.TryParseExact(
        value, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"], CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal,
        out DateTimeOffset date) && value[^1] is 'Z' or (>= '0' and <= '9') && (value[^1] == 'Z' || value[^6] is '+' or '-')
        ? date
        : throw new InvalidDataException($"it has a date that Clair cannot read: '{value}'");

    private static long NumberOf(string value) => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
        ? number
        : throw new InvalidDataException($"it has a size that is no number: '{value}'");
}
