using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;

namespace QuayAirGap.Core.Trust;

internal enum CertificateFileKind
{
    Unknown,
    Pem,
    Der,
    Pfx,
}

/// <summary>Tells the kinds of certificate files apart by what is in them, never by their names.</summary>
internal static class CertificateFile
{
    /// <summary>No certificate file comes near it.</summary>
    internal const int MaxBytes = 1024 * 1024;

    public static CertificateFileKind KindOf(byte[] content)
    {
        if (content.AsSpan().IndexOf("-----BEGIN "u8) >= 0)
        {
            return CertificateFileKind.Pem;
        }

        try
        {
            // The platform's own readers pass over what is cut off or stands behind the end.
            AsnDecoder.ReadEncodedValue(content, AsnEncodingRules.BER, out _, out _, out int consumed);
            if (consumed != content.Length)
            {
                return CertificateFileKind.Unknown;
            }

            // A PFX starts with its version (RFC 7292, 4), a certificate with a sequence (RFC 5280, 4.1).
            var outer = new AsnReader(content, AsnEncodingRules.BER);
            AsnReader inner = outer.ReadSequence();
            return inner.PeekTag() == Asn1Tag.Integer ? CertificateFileKind.Pfx
                : inner.PeekTag() == Asn1Tag.Sequence ? CertificateFileKind.Der
                : CertificateFileKind.Unknown;
        }
        catch (AsnContentException)
        {
            return CertificateFileKind.Unknown;
        }
    }

    /// <summary>Every PEM block of a text with its label, in order.</summary>
    public static IReadOnlyList<(string Label, string Text)> Blocks(byte[] content)
    {
        string text = Encoding.UTF8.GetString(content);
        var blocks = new List<(string, string)>();
        for (int from = 0; PemEncoding.TryFind(text.AsSpan(from), out PemFields fields);)
        {
            (int offset, int length) = fields.Location.GetOffsetAndLength(text.Length - from);
            (int label, int labelLength) = fields.Label.GetOffsetAndLength(text.Length - from);
            blocks.Add((text.Substring(from + label, labelLength), text.Substring(from + offset, length)));
            from += offset + length;
        }

        return blocks;
    }
}
