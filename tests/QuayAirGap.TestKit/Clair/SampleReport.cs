using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// A report of vulnerabilities as Clair writes it (claircore vulnerabilityreport.go, package.go, environment.go, vulnerability.go, enrichment of
/// clair.cvss), of any size, with invented content: no name in it is anybody's. The order of the maps' members is random, as Clair's codec leaves it.
/// </summary>
public static class SampleReport
{
    /// <param name="seed">The same one gives the same report.</param>
    /// <param name="packages">How many packages, each with a source package.</param>
    /// <param name="vulnerabilities">How many advisories, spread over the packages.</param>
    /// <param name="distribution">did, name, version id, code name of the distribution; null for an image without one.</param>
    public static byte[] Make(int seed, int packages, int vulnerabilities, (string Did, string Name, string VersionId, string CodeName)? distribution = null)
    {
        var random = new Random(seed);
        (string did, string name, string versionId, string codeName) = distribution ?? ("debian", "Debian GNU/Linux", "12", "bookworm");
        string hash = Digest(random);
        string[] layers = [.. Enumerable.Range(0, 6).Select(_ => Digest(random))];
        int[] order = Shuffled(random, packages);
        var bytes = new ArrayBufferWriter<byte>(1 << 20);
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("manifest_hash", hash);
            json.WriteStartObject("packages");
            foreach (int i in order)
            {
                json.WritePropertyName(Id(i));
                WritePackage(json, random, i, isSource: false);
            }

            json.WriteEndObject();
            json.WriteStartObject("distributions");
            json.WritePropertyName("1");
            WriteDistribution(json);
            json.WriteEndObject();
            json.WriteStartObject("repository");
            json.WriteEndObject();
            json.WriteStartObject("environments");
            foreach (int i in order)
            {
                json.WriteStartArray(Id(i));
                json.WriteStartObject();
                json.WriteString("package_db", "var/lib/dpkg/status");
                json.WriteString("introduced_in", layers[i % layers.Length]);
                json.WriteString("distribution_id", "1");
                json.WriteNull("repository_ids");
                json.WriteEndObject();
                json.WriteEndArray();
            }

            json.WriteEndObject();
            json.WriteStartObject("vulnerabilities");
            foreach (int v in Shuffled(random, vulnerabilities))
            {
                json.WriteStartObject((700_000 + v).ToString(CultureInfo.InvariantCulture));
                json.WriteString("id", (700_000 + v).ToString(CultureInfo.InvariantCulture));
                json.WriteString("updater", "debian/updater");
                json.WriteString("name", $"CVE-20{20 + (v % 7)}-{10000 + v}");
                json.WriteString("description", Text(random, 40 + random.Next(160)));
                json.WriteString("issued", "2026-01-02T03:04:05Z");
                json.WriteString("links", string.Join(' ', Enumerable.Range(0, 1 + random.Next(4)).Select(l => $"https://tracker.example.org/{v}/{l}?a=1&b=<x>")));
                json.WriteString("severity", "medium**");
                json.WriteString("normalized_severity", new[] { "Unknown", "Negligible", "Low", "Medium", "High", "Critical" }[v % 6]);
                json.WritePropertyName("package");
                WritePackage(json, random, v % Math.Max(1, packages), isSource: true);
                json.WritePropertyName("distribution");
                WriteDistribution(json);
                json.WriteString("fixed_in_version", v % 3 == 0 ? "" : $"1.{v % 50}.{v % 9}-{v % 4}");
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteStartObject("package_vulnerabilities");
            foreach (int i in order.Where(i => packages > 0 && i < vulnerabilities))
            {
                json.WriteStartArray(Id(i));
                for (int v = i; v < vulnerabilities; v += packages)
                {
                    json.WriteStringValue((700_000 + v).ToString(CultureInfo.InvariantCulture));
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
            json.WriteStartObject("enrichments");
            if (vulnerabilities > 0)
            {
                json.WriteStartArray("message/vnd.clair.map.vulnerability; enricher=clair.cvss schema=https://csrc.nist.gov/schema/nvd/baseline/2.0/cvss-v3.x.json");
                json.WriteStartObject();
                for (int v = 0; v < vulnerabilities; v += 2)
                {
                    json.WriteStartArray((700_000 + v).ToString(CultureInfo.InvariantCulture));
                    json.WriteStartObject();
                    json.WriteString("version", "3.1");
                    json.WriteString("vectorString", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N");
                    json.WriteNumber("baseScore", 9.1);
                    json.WriteString("baseSeverity", "CRITICAL");
                    json.WriteEndObject();
                    json.WriteEndArray();
                }

                json.WriteEndObject();
                json.WriteEndArray();
            }

            json.WriteEndObject();
            json.WriteNull("PackageNotVulnerable");
            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();

        void WriteDistribution(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            json.WriteString("id", "1");
            json.WriteString("did", did);
            json.WriteString("name", name);
            json.WriteString("version", $"{versionId} ({codeName})");
            json.WriteString("version_code_name", codeName);
            json.WriteString("version_id", versionId);
            json.WriteString("arch", "");
            json.WriteString("cpe", "");
            json.WriteString("pretty_name", $"{name} {versionId} ({codeName})");
            json.WriteEndObject();
        }
    }

    private static void WritePackage(Utf8JsonWriter json, Random random, int i, bool isSource)
    {
        json.WriteStartObject();
        json.WriteString("id", isSource ? "" : Id(i));
        json.WriteString("name", $"lib-example-{i}");
        json.WriteString("version", $"1:{i % 7}.{i % 31}.{random.Next(9)}+dfsg-{i % 5}");
        json.WriteString("kind", isSource ? "source" : "binary");
        if (!isSource)
        {
            json.WriteStartObject("source");
            json.WriteString("id", Id(i + 500_000));
            json.WriteString("name", $"example-{i / 3}");
            json.WriteString("version", $"1:{i % 7}.{i % 31}+dfsg");
            json.WriteString("kind", "source");
            json.WriteString("normalized_version", "");
            json.WriteString("cpe", "");
            json.WriteEndObject();
        }

        json.WriteString("normalized_version", "");
        json.WriteString("arch", "amd64");
        json.WriteString("cpe", "");
        json.WriteNull("detector");
        json.WriteEndObject();
    }

    private static string Id(int i) => (30_000 + i).ToString(CultureInfo.InvariantCulture);

    private static string Text(Random random, int words)
    {
        string[] all = ["the", "parser", "of", "an", "example", "library", "before", "allows", "remote", "attackers", "to", "“cause”", "a", "crash\n", "by", "a", "crafted", "\"file\"", "naïve", "C:\\path"];
        return string.Join(' ', Enumerable.Range(0, words).Select(_ => all[random.Next(all.Length)]));
    }

    private static int[] Shuffled(Random random, int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        random.Shuffle(order);
        return order;
    }

    private static string Digest(Random random)
    {
        byte[] bytes = new byte[32];
        random.NextBytes(bytes);
        return "sha256:" + Convert.ToHexStringLower(bytes);
    }
}
