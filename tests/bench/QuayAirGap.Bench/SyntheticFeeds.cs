using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Sources.Osv.Zip;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using ZstdSharp;

namespace QuayAirGap.Bench;

/// <summary>An upstream of true proportions and invented content: large zips that do not compress, large JSON that does, many documents.</summary>
internal static class SyntheticFeeds
{
    private static readonly string[] s_words = "buffer overflow in the parser of a crafted header allows remote attackers to cause denial service via unchecked length field memory leak".Split(' ');

    private const string SmallEcosystem = "RubyGems";

    private static readonly DateTimeOffset s_exported = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly DateTimeOffset s_nvdModified = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static void Write(string root, int documents, int megabytes)
    {
        var random = new Random(7);
        Alpine(root, random);
        Debian(root, random, megabytes / 4);
        Osv(root, random, megabytes * 3 / 4);
        Vex(root, random, documents);
        Nvd(root, random);
        string metrics = "security.access.redhat.com/data/metrics/";
        Put(root, metrics + "repository-to-cpe.json", w => Rows(w, 4000, i => $"\"rhel-{i}-rpms\":{{\"cpes\":[\"cpe:/o:redhat:enterprise_linux:{i}\"]}}"));
        Put(root, metrics + "container-name-repos-map.json", w => Rows(w, 2000, i => $"\"product-{i}/image\":[\"product-{i}/image\"]"));
    }

    /// <summary>
    /// A day later: one record in a hundred is another in each file of Alpine's and in OSV's smallest archive, then in one year of the NVD's after the other from
    /// the newest on, until the changed files have as many bytes as asked for. These shares are not a real day's, on which a fifth of the changed bytes is packed
    /// with gzip, and takes several times as long to restore.
    /// </summary>
    public static void ChangeADay(string root, UpstreamServer upstream, long bytes)
    {
        string alpine = Path.Combine(root, "secdb.alpinelinux.org");
        foreach (string path in Directory.GetFiles(alpine, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            byte[] now = OneInAHundred(File.ReadAllBytes(path), "CVE-2099-"u8, "CVE-2098-"u8);
            upstream.Replace(Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/'), now);
            bytes -= now.Length;
        }

        const string Archive = $"osv-vulnerabilities.storage.googleapis.com/{SmallEcosystem}/all.zip";
        byte[] archive = OneMemberInAHundred(File.ReadAllBytes(Path.Combine(root, Archive)));
        upstream.Replace(Archive, archive);
        bytes -= archive.Length;
        for (int year = SampleUpstream.LastYear; bytes > 0; year--)
        {
            string name = $"nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-{year}";
            using var json = new MemoryStream();
            using (var gzip = new GZipStream(File.OpenRead(Path.Combine(root, name + ".json.gz")), CompressionMode.Decompress))
            {
                gzip.CopyTo(json);
            }

            byte[] now = OneInAHundred(json.ToArray(), "\"Analyzed\""u8, "\"Modified\""u8);
            byte[] packed = Gzip(now);
            upstream.Replace(name + ".json.gz", packed);
            upstream.Replace(name + ".meta", GzipFeeds.NvdMeta(now, packed, s_nvdModified.AddDays(1)));
            bytes -= packed.Length;
        }
    }

    private static byte[] OneInAHundred(byte[] content, ReadOnlySpan<byte> what, ReadOnlySpan<byte> by)
    {
        int count = 0;
        for (int at = 0; content.AsSpan(at).IndexOf(what) is >= 0 and int next; at += next + what.Length)
        {
            if (count++ % 100 == 0)
            {
                by.CopyTo(content.AsSpan(at + next));
            }
        }

        return content;
    }

    private static byte[] OneMemberInAHundred(byte[] archive)
    {
        using var now = new MemoryStream();
        now.Write(archive);
        using (var zip = new ZipArchive(now, ZipArchiveMode.Update, leaveOpen: true))
        {
            foreach (ZipArchiveEntry entry in zip.Entries.Where((_, i) => i % 100 == 0))
            {
                using Stream member = entry.Open();
                byte[] json = new byte[member.Length];
                member.ReadExactly(json);
                "2026-01-02"u8.CopyTo(json.AsSpan(json.AsSpan().IndexOf("2026-01-01"u8)));
                member.Position = 0;
                member.Write(json);
            }
        }

        return now.ToArray();
    }

    private static void Rows(TextWriter w, int count, Func<int, string> row)
    {
        w.Write("{\"data\":{");
        for (int i = 0; i < count; i++)
        {
            w.Write((i == 0 ? "" : ",") + row(i));
        }

        w.Write("}}");
    }

    private static void Alpine(string root, Random random)
    {
        const string Host = "secdb.alpinelinux.org/";
        Put(root, Host + "last-update", w => w.Write("1763900000\n"));
        foreach (string release in Enumerable.Range(3, 20).Select(m => $"v3.{m}").Append("edge"))
        {
            foreach (string repository in new[] { "main", "community" })
            {
                Put(root, $"{Host}{release}/{repository}.json", w =>
                {
                    w.Write($"{{\"distroversion\":\"{release}\",\"reponame\":\"{repository}\",\"packages\":[");
                    for (int i = 0; i < 1200; i++)
                    {
                        w.Write($"{(i == 0 ? "" : ",")}{{\"pkg\":{{\"name\":\"pkg{i}\",\"secfixes\":{{\"{random.Next(9)}.{random.Next(99)}-r0\":[\"CVE-2099-{random.Next(99999)}\"]}}}}}}");
                    }

                    w.Write("]}");
                });
            }
        }
    }

    private static void Debian(string root, Random random, int megabytes)
    {
        const string Dists = "ftp.debian.org/debian/dists/";
        string[] names = ["bullseye", "bookworm", "trixie"];
        Put(root, Dists + "index.html", w => w.Write("<html><body>" + string.Concat(names.Select(n => $"<a href=\"{n}/\">{n}/</a>\n")) + "</body></html>"));
        for (int i = 0; i < names.Length; i++)
        {
            Put(root, $"{Dists}{names[i]}/Release", w => w.Write($"Origin: Debian\nSuite: {names[i]}\nVersion: {11 + i}.1\nCodename: {names[i]}\n"));
        }

        Put(root, "security-tracker.debian.org/tracker/data/json", w =>
        {
            w.Write("{");
            long written = 0;
            for (int i = 0; written < (long)megabytes << 20; i++)
            {
                string row = $"{(i == 0 ? "" : ",")}\"source-{i}\":{{\"CVE-2099-{i}\":{{\"description\":\"{Sentence(random, 40)}\",\"releases\":{{"
                    + string.Join(',', names.Select(n => $"\"{n}\":{{\"status\":\"resolved\",\"fixed_version\":\"{i}.{random.Next(99)}-1\",\"urgency\":\"low\",\"repositories\":{{\"{n}\":\"1.0\"}}}}")) + "}}}";
                w.Write(row);
                written += row.Length;
            }

            w.Write("}");
        });
    }

    /// <summary>Larger feeds have larger advisories from here on: no archive of OSV has half a million members, and none is read that has.</summary>
    private const int MostMembers = 200_000;

    private static void Osv(string root, Random random, int megabytes)
    {
        const string Host = "osv-vulnerabilities.storage.googleapis.com/";
        Put(root, Host + "ecosystems.txt", w => w.Write("Go\nMaven\nPyPI\nRubyGems\nnpm\n"));
        foreach ((string ecosystem, int share) in new[] { ("Go", 25), ("Maven", 40), ("PyPI", 34), (SmallEcosystem, 1) })
        {
            string path = Path.Combine(root, Host + ecosystem, "all.zip");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var zip = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
            long target = ((long)megabytes << 20) * share / 100;
            long written = 0;
            int noiseSize = (int)Math.Max(1500, target / MostMembers);
            for (int i = 0; written < target; i++)
            {
                string id = $"GHSA-{i:x4}-{share:x4}-{i % 997:x4}";
                ZipArchiveEntry entry = zip.CreateEntry(id + ".json", CompressionLevel.Fastest);
                entry.LastWriteTime = s_exported;
                using Stream member = entry.Open();
                byte[] noise = new byte[noiseSize];
                random.NextBytes(noise);
                byte[] json = Encoding.UTF8.GetBytes(
                    $"{{\"id\":\"{id}\",\"modified\":\"2026-01-01T00:00:00Z\",\"published\":\"2026-01-01T00:00:00Z\",\"summary\":\"{Sentence(random, 12)}\",\"details\":\"{Convert.ToBase64String(noise)}\","
                    + $"\"affected\":[{{\"package\":{{\"ecosystem\":\"{ecosystem}\",\"name\":\"p{i}\"}},\"ranges\":[{{\"type\":\"{(ecosystem == "Go" ? "SEMVER" : "ECOSYSTEM")}\",\"events\":[{{\"introduced\":\"0\"}},{{\"fixed\":\"1.2.{i % 50}\"}}]}}]}}]}}");
                member.Write(json);
                written += noiseSize + 300;
            }
        }
    }

    private static void Vex(string root, Random random, int documents)
    {
        const string Base = "security.access.redhat.com/data/csaf/v2/vex/";
        Put(root, Base + "archive_latest.txt", w => w.Write("csaf_vex_2026-11-01.tar.zst\n"));
        Put(root, Base + "deletions.csv", w => w.Write("\"2024/cve-2024-999999.json\",\"2026-01-01T00:00:00+00:00\"\n"));
        string archive = Path.Combine(root, Base + "csaf_vex_2026-11-01.tar.zst");
        string[] paths = [.. Enumerable.Range(0, documents).Select(i => $"{2015 + (i % 11)}/cve-{2015 + (i % 11)}-{10000 + i}.json")];
        using (FileStream file = File.Create(archive))
        using (var zstd = new CompressionStream(file, 3)) // leaves the file open
        using (var tar = new TarWriter(zstd, TarEntryFormat.Ustar))
        {
            foreach (string path in paths)
            {
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Document(random, path)) });
            }
        }

        Put(root, Base + "changes.csv", w =>
        {
            foreach (string path in paths)
            {
                w.Write($"\"{path}\",\"2025-06-01T00:00:00+00:00\"\n");
            }
        });
        foreach (string path in paths.Take(50))
        {
            string file = Path.Combine(root, Base + path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, Document(random, path));
        }
    }

    /// <summary>1,500 CVEs a year, 3 KB each: a twentieth of the true ones.</summary>
    private static void Nvd(string root, Random random)
    {
        string folder = Path.Combine(root, "nvd.nist.gov/feeds/json/cve/2.0");
        Directory.CreateDirectory(folder);
        for (int year = 2002; year <= SampleUpstream.LastYear; year++)
        {
            var text = new StringBuilder("{\"totalResults\":1500,\"format\":\"NVD_CVE\",\"version\":\"2.0\",\"vulnerabilities\":[");
            for (int i = 0; i < 1500; i++)
            {
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"{(i == 0 ? "" : ",")}{{\"cve\":{{\"id\":\"CVE-{year}-{i}\",\"vulnStatus\":\"Analyzed\",\"lastModified\":\"2026-01-01T00:00:00.000\",\"descriptions\":[{{\"lang\":\"en\",\"value\":\"{Sentence(random, 60)}\"}}],"
                    + $"\"metrics\":{{\"cvssMetricV31\":[{{\"type\":\"Primary\",\"cvssData\":{{\"version\":\"3.1\",\"baseScore\":{random.Next(10)}.1}}}}]}},\"references\":[\"{Sentence(random, 350)}\"]}}}}");
            }

            byte[] json = Encoding.UTF8.GetBytes(text.Append("]}").ToString());
            byte[] packed = Gzip(json);
            File.WriteAllBytes(Path.Combine(folder, $"nvdcve-2.0-{year}.json.gz"), packed);
            File.WriteAllBytes(Path.Combine(folder, $"nvdcve-2.0-{year}.meta"), GzipFeeds.NvdMeta(json, packed, s_nvdModified));
        }
    }

    /// <summary>As the NVD packs its files: classic zlib, level 6.</summary>
    private static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        packed.Write([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]);
        ClassicDeflate.Pack(content, 6, packed, default);
        packed.Write(BitConverter.GetBytes(Crc32.Of(content)));
        packed.Write(BitConverter.GetBytes(content.Length));
        return packed.ToArray();
    }

    private static byte[] Document(Random random, string path)
    {
        string id = Path.GetFileNameWithoutExtension(path).ToUpperInvariant();
        var text = new StringBuilder($"{{\"document\":{{\"category\":\"csaf_vex\",\"csaf_version\":\"2.0\",\"tracking\":{{\"id\":\"{id}\",\"status\":\"final\"}}}},\"product_tree\":{{\"branches\":[");
        int products = 200 + random.Next(600);
        for (int i = 0; i < products; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ",")}{{\"name\":\"package-{random.Next(5000)}-{i}.el9\",\"product\":{{\"product_id\":\"rhel-9:package-{i}\",\"product_identification_helper\":{{\"purl\":\"pkg:rpm/redhat/package-{i}@1.{random.Next(99)}?arch=x86_64\"}}}}}}");
        }

        return Encoding.UTF8.GetBytes(text.Append("]}}").ToString());
    }

    private static string Sentence(Random random, int words) => string.Join(' ', Enumerable.Range(0, words).Select(_ => s_words[random.Next(s_words.Length)]));

    private static void Put(string root, string hostPath, Action<TextWriter> write)
    {
        string path = Path.Combine(root, hostPath);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var writer = new StreamWriter(path, append: false, new UTF8Encoding(false));
        write(writer);
    }
}
