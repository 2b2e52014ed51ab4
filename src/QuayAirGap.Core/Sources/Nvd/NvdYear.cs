using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Sources.Gzip;
using QuayAirGap.Core.Sources.Json;

namespace QuayAirGap.Core.Sources.Nvd;

/// <summary>The addresses of a year's pair, what is in it, and the pair of a year that NVD does not have yet.</summary>
internal static partial class NvdYear
{
    /// <summary>The first year that Clair asks for (claircore enricher/cvss/cvss.go).</summary>
    public const int First = 2002;

    public static Uri MetaUnder(Uri root, int year) => new(root, Invariant($"nvdcve-2.0-{year}.meta"));

    public static Uri JsonUnder(Uri root, int year) => new(root, Invariant($"nvdcve-2.0-{year}.json.gz"));

    /// <summary>The year of a .meta file's URL, or null for any other.</summary>
    public static int? OfMeta(string url) =>
        MetaUrl().Match(url) is { Success: true } m ? int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture) : null;

    /// <summary>Reads a year's document to its end.</summary>
    /// <param name="packed">The .json.gz, seekable; disposed.</param>
    /// <param name="onRecord">Told of each CVE, rejected ones included.</param>
    /// <param name="cancellationToken">Looked at all the time.</param>
    /// <returns>The document's bytes and SHA-256, and how many CVEs it has.</returns>
    /// <exception cref="InvalidDataException">The packing is broken, or it does not hold what it says.</exception>
    /// <exception cref="JsonException">Clair could not decode it.</exception>
    public static (long Size, string Sha256, long Count) Read(Stream packed, Action<NvdRecord> onRecord, CancellationToken cancellationToken)
    {
        using var json = new GunzipStream(packed, GzipLimits.Default, HashAlgorithmName.SHA256);
        long count = 0;
        long? total = null;
        JsonRecordReader.Read(
            json, "vulnerabilities",
            record =>
            {
                onRecord(NvdRecord.Read(record));
                count++;
            },
            new Dictionary<string, JsonValueVisitor> { ["totalResults"] = value => total = TotalOf(value) },
            cancellationToken);

        // Clair makes room for as many as the document says there are: a negative number would end its process.
        return total is null || total == count
            ? (json.Length, Convert.ToHexString(json.Hash()).ToLowerInvariant(), count)
            : throw new InvalidDataException($"it says that it has {total} CVEs, and has {count}");
    }

    /// <summary>An empty document of the form that NVD publishes, packed, and its .meta: the same bytes for the same year, always.</summary>
    public static (byte[] Meta, byte[] Json) Empty(int year)
    {
        byte[] json = Encoding.UTF8.GetBytes(
            "{\"resultsPerPage\":0,\"startIndex\":0,\"totalResults\":0,\"format\":\"NVD_CVE\",\"version\":\"2.0\"," +
            Invariant($"\"timestamp\":\"{year}-01-01T00:00:00.000\",\"vulnerabilities\":[]}}"));
        byte[] packed = StoredGzip.Pack(json);

        // There is no .zip of it, as nobody asks for one.
        return (
            Meta(Invariant($"{year}-01-01T00:00:00Z"), json.Length, 0, packed.Length, Convert.ToHexString(SHA256.HashData(json))),
            packed);
    }

    private static byte[] Meta(string modified, long size, long zipSize, long gzSize, string sha256) => Encoding.ASCII.GetBytes(
        Invariant($"lastModifiedDate:{modified}\r\nsize:{size}\r\nzipSize:{zipSize}\r\ngzSize:{gzSize}\r\nsha256:{sha256}\r\n"));

    private static long TotalOf(ReadOnlySpan<byte> value)
    {
        var reader = new Utf8JsonReader(value);
        reader.Read();
        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long total)
            ? total
            : throw new JsonException("\"totalResults\" is no whole number");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"/nvdcve-2\.0-(\d{4})\.meta$", RegexOptions.CultureInvariant)]
    private static partial Regex MetaUrl();
}
