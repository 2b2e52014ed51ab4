using System.Globalization;
using System.Security.Cryptography;
using System.Xml;

namespace QuayAirGap.Core.Sources.Aws;

/// <summary>What a repomd.xml says of updateinfo (claircore aws/internal/alas/repomd.go).</summary>
/// <param name="Checksum">Of the packed file; Clair's fingerprint.</param>
/// <param name="OpenChecksum">Of what it unpacks to, where it is stated.</param>
/// <param name="Size">Packed bytes, where stated.</param>
/// <param name="OpenSize">Unpacked bytes, where stated.</param>
/// <param name="Location">Relative to the mirror. Clair does not look at it.</param>
internal sealed record RepoMd(RepoMdChecksum Checksum, RepoMdChecksum? OpenChecksum, long? Size, long? OpenSize, string? Location)
{
    /// <summary>Bytes of the largest file that is taken for one; upstream's have below 10,000.</summary>
    public const long LargestSize = 4 << 20;

    /// <exception cref="XmlException">It is not XML, or has a document type.</exception>
    /// <exception cref="InvalidDataException">It is no repomd.xml that Clair could go by.</exception>
    public static RepoMd Read(Stream content)
    {
        using var reader = XmlReader.Create(content, SafeXml.Settings);
        if (reader.MoveToContent() != XmlNodeType.Element || reader.LocalName != "repomd")
        {
            throw new InvalidDataException($"its root is '{reader.LocalName}' where 'repomd' belongs");
        }

        RepoMd? found = null;
        while (reader.Read())
        {
            // The first of several counts, as for Clair; the rest is still read to the document's end.
            if (reader is { NodeType: XmlNodeType.Element, LocalName: "data", Depth: 1 } && reader.GetAttribute("type") == "updateinfo" && found is null)
            {
                using XmlReader data = reader.ReadSubtree();
                found = ReadData(data);
            }
        }

        return found ?? throw new InvalidDataException("it lists no updateinfo");
    }

    private static RepoMd ReadData(XmlReader reader)
    {
        RepoMdChecksum? checksum = null;
        RepoMdChecksum? openChecksum = null;
        long? size = null;
        long? openSize = null;
        string? location = null;
        reader.Read();
        reader.Read();
        while (!reader.EOF)
        {
            if (reader is not { NodeType: XmlNodeType.Element, Depth: 1 })
            {
                reader.Read();
                continue;
            }

            switch (reader.LocalName)
            {
                case "checksum":
                    checksum = RepoMdChecksum.Read(reader);
                    break;
                case "open-checksum":
                    openChecksum = RepoMdChecksum.Read(reader);
                    break;
                case "size":
                    size = Number(reader);
                    break;
                case "open-size":
                    openSize = Number(reader);
                    break;
                case "location":
                    location = reader.GetAttribute("href");
                    reader.Skip();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        // Clair compares with the fingerprint that it has, and the first is empty: without a checksum it would never read the release.
        return new RepoMd(
            checksum ?? throw new InvalidDataException("it states no checksum of updateinfo"), openChecksum, size, openSize, location);
    }

    private static long Number(XmlReader reader)
    {
        string text = reader.ReadElementContentAsString();
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw new InvalidDataException($"it has a size that is no number: '{text}'");
    }
}

/// <summary>A checksum as upstream states it.</summary>
/// <param name="Algorithm">SHA-256, SHA-384, SHA-512 or SHA-1: it tells whether files fit each other, and never stands for a signature.</param>
/// <param name="Sum">Lower-case hexadecimal.</param>
internal sealed record RepoMdChecksum(HashAlgorithmName Algorithm, string Sum)
{
    public static RepoMdChecksum Read(XmlReader reader)
    {
        string type = reader.GetAttribute("type") ?? "";
        string text = reader.ReadElementContentAsString();
        (HashAlgorithmName algorithm, int digits) = type switch
        {
            "sha256" => (HashAlgorithmName.SHA256, 64),
            "sha384" => (HashAlgorithmName.SHA384, 96),
            "sha512" => (HashAlgorithmName.SHA512, 128),
            "sha" or "sha1" => (HashAlgorithmName.SHA1, 40),
            _ => throw new InvalidDataException($"it has a checksum of the unknown type '{type}'"),
        };
        return text.Length == digits && text.All(char.IsAsciiHexDigit)
            ? new RepoMdChecksum(algorithm, text.ToLowerInvariant())
            : throw new InvalidDataException($"it has a {type} checksum that is none: '{text}'");
    }

    public bool Is(byte[] hash) => Convert.ToHexString(hash).Equals(Sum, StringComparison.OrdinalIgnoreCase);
}
