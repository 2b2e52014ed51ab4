using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace QuayAirGap.TestKit.Samples;

/// <summary>Makes the files that vouch for each other: NVD's pairs, Amazon Linux's repositories, and a day of EPSS.</summary>
public static class GzipFeeds
{
    /// <summary>A gzip file.</summary>
    public static byte[] Pack(ReadOnlySpan<byte> content)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return bytes.ToArray();
    }

    /// <summary>What a gzip file holds.</summary>
    public static byte[] Unpack(byte[] packed)
    {
        using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        gzip.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>The .meta file of a year's document, in the form of NVD's: five lines that end in CR and LF.</summary>
    /// <param name="json">The document.</param>
    /// <param name="packed">The document as .json.gz.</param>
    /// <param name="modified">What it gives as its date.</param>
    public static byte[] NvdMeta(ReadOnlySpan<byte> json, ReadOnlySpan<byte> packed, DateTimeOffset modified) =>
        Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"lastModifiedDate:{modified:yyyy-MM-ddTHH:mm:sszzz}\r\nsize:{json.Length}\r\nzipSize:{packed.Length + 136}\r\ngzSize:{packed.Length}\r\nsha256:{Convert.ToHexString(SHA256.HashData(json))}\r\n"));

    /// <summary>A repomd.xml with two entries, the second of them for updateinfo.</summary>
    /// <param name="updateInfo">The unpacked advisories.</param>
    /// <param name="packed">The advisories as updateinfo.xml.gz.</param>
    /// <param name="checksum">"sha256", "sha512" or "sha".</param>
    public static byte[] RepoMd(byte[] updateInfo, byte[] packed, string checksum = "sha256")
    {
        string Sum(byte[] content) => Convert.ToHexStringLower(checksum switch
        {
            "sha256" => SHA256.HashData(content),
            "sha512" => SHA512.HashData(content),
#pragma warning disable CA5350 // Old repositories state SHA-1, and it tells whether files fit each other; nothing is trusted by it.
            _ => SHA1.HashData(content),
#pragma warning restore CA5350
        });
        return Encoding.ASCII.GetBytes(
            $"""
            <?xml version="1.0" encoding="UTF-8"?>
            <repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
             <revision>1767600000</revision>
            <data type="primary">
              <checksum type="{checksum}">{Sum("no such file in the sample"u8.ToArray())}</checksum>
              <location href="repodata/primary.xml.gz"/>
              <timestamp>1767600000</timestamp>
              <size>26</size>
            </data>
            <data type="updateinfo">
              <checksum type="{checksum}">{Sum(packed)}</checksum>
              <open-checksum type="{checksum}">{Sum(updateInfo)}</open-checksum>
              <location href="repodata/updateinfo.xml.gz"/>
              <timestamp>1767600000</timestamp>
              <database_version>10</database_version>
              <size>{packed.Length}</size>
              <open-size>{updateInfo.Length}</open-size>
            </data>
            </repomd>

            """.ReplaceLineEndings("\n"));
    }

    /// <summary>A day's scores, as EPSS names and packs them.</summary>
    /// <param name="day">The day that they are of.</param>
    /// <param name="rows">"CVE-2099-10001,0.5,0.9".</param>
    public static (string HostPath, byte[] Content) Epss(DateOnly day, params string[] rows) => (
        string.Create(CultureInfo.InvariantCulture, $"epss.cyentia.com/epss_scores-{day:yyyy-MM-dd}.csv.gz"),
        Pack(Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"#model_version:v2099.01.01,score_date:{day:yyyy-MM-dd}T12:55:00Z\ncve,epss,percentile\n{string.Join('\n', rows)}\n"))));
}
