using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace QuayAirGap.Package;

/// <summary>A bill of materials: CycloneDX 1.6, JSON. Equal for equal content, its serial number too.</summary>
internal static class Sbom
{
    private static readonly JsonWriterOptions s_options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="name">What is shipped.</param>
    /// <param name="type">CycloneDX' component type: "library" or "application".</param>
    /// <param name="version">Its version.</param>
    /// <param name="libraries">What is in it.</param>
    /// <param name="time">Of the sources, UTC.</param>
    public static byte[] Write(string name, string type, string version, IReadOnlyList<Library> libraries, DateTimeOffset time)
    {
        byte[] seed = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', [name, type, version, time.ToString("O", CultureInfo.InvariantCulture), .. libraries.Select(l => l.PackageUrl + l.Sha512)])));
        seed[6] = (byte)((seed[6] & 0x0F) | 0x80); // RFC 9562, version 8: a UUID of one's own making
        seed[8] = (byte)((seed[8] & 0x3F) | 0x80);
        string self = $"{name}@{version}";

        var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
            json.WriteString("bomFormat", "CycloneDX");
            json.WriteString("specVersion", "1.6");
            json.WriteString("serialNumber", "urn:uuid:" + new Guid(seed.AsSpan(0, 16), bigEndian: true).ToString("D"));
            json.WriteNumber("version", 1);

            json.WriteStartObject("metadata");
            json.WriteString("timestamp", time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            json.WriteStartObject("component");
            json.WriteString("type", type);
            json.WriteString("bom-ref", self);
            json.WriteString("name", name);
            json.WriteString("version", version);
            WriteLicense(json, "Apache-2.0");
            json.WriteEndObject();
            json.WriteEndObject();

            json.WriteStartArray("components");
            foreach (Library library in libraries)
            {
                json.WriteStartObject();
                json.WriteString("type", "library");
                json.WriteString("bom-ref", library.PackageUrl);
                json.WriteString("name", library.Name);
                json.WriteString("version", library.Version);
                json.WriteStartArray("hashes");
                json.WriteStartObject();
                json.WriteString("alg", "SHA-512");
                json.WriteString("content", library.Sha512);
                json.WriteEndObject();
                json.WriteEndArray();
                WriteLicense(json, library.License);
                if (library.Copyright.Length > 0)
                {
                    json.WriteString("copyright", library.Copyright);
                }

                json.WriteString("purl", library.PackageUrl);
                if (library.ProjectUri.Length > 0)
                {
                    json.WriteStartArray("externalReferences");
                    json.WriteStartObject();
                    json.WriteString("type", "website");
                    json.WriteString("url", library.ProjectUri);
                    json.WriteEndObject();
                    json.WriteEndArray();
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();

            json.WriteStartArray("dependencies");
            HashSet<string> indirect = [.. libraries.SelectMany(l => l.Dependencies)];
            WriteDependency(json, self, libraries.Where(l => !indirect.Contains(l.Name)));
            foreach (Library library in libraries)
            {
                WriteDependency(json, library.PackageUrl, libraries.Where(l => library.Dependencies.Contains(l.Name, StringComparer.OrdinalIgnoreCase)));
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }

    private static void WriteLicense(Utf8JsonWriter json, string expression)
    {
        json.WriteStartArray("licenses");
        json.WriteStartObject();
        if (expression.Contains(' ', StringComparison.Ordinal))
        {
            json.WriteString("expression", expression);
        }
        else
        {
            json.WriteStartObject("license");
            json.WriteString("id", expression);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteDependency(Utf8JsonWriter json, string from, IEnumerable<Library> to)
    {
        json.WriteStartObject();
        json.WriteString("ref", from);
        json.WriteStartArray("dependsOn");
        foreach (Library library in to)
        {
            json.WriteStringValue(library.PackageUrl);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
