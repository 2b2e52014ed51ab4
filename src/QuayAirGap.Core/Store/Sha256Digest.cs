using System.Buffers;

namespace QuayAirGap.Core.Store;

/// <summary>SHA-256 in the form used everywhere here: 64 lower-case hexadecimal digits.</summary>
public static class Sha256Digest
{
    private static readonly SearchValues<char> s_hex = SearchValues.Create("0123456789abcdef");

    public static bool IsValid(ReadOnlySpan<char> text) => text.Length == 64 && !text.ContainsAnyExcept(s_hex);

    public static void ThrowIfInvalid(string text)
    {
        if (!IsValid(text))
        {
            throw new ArgumentException($"'{text}' is not a SHA-256 digest in lower-case hexadecimal.", nameof(text));
        }
    }

    public static string Of(ReadOnlySpan<byte> content) => ToText(System.Security.Cryptography.SHA256.HashData(content));

    public static string ToText(ReadOnlySpan<byte> hash) =>
        string.Create(hash.Length * 2, hash.ToArray(), static (text, bytes) =>
        {
            const string Digits = "0123456789abcdef";
            for (int i = 0; i < bytes.Length; i++)
            {
                text[2 * i] = Digits[bytes[i] >> 4];
                text[(2 * i) + 1] = Digits[bytes[i] & 15];
            }
        });
}
