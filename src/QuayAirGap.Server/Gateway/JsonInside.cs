using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Json;

namespace QuayAirGap.Server.Gateway;

/// <summary>
/// Proves that what stands between the brackets of an object or an array is JSON, and finds the closing one. It says nothing of what it read and so needs
/// less than two thirds of the time of <see cref="Utf8JsonReader"/>, of which most of a report is worth no more than that. Like the reader it takes a
/// text in pieces, and forgives nothing.
/// </summary>
/// <param name="isArray">Which of the two; its opening bracket has been read.</param>
/// <param name="maxDepth">How many brackets may be open within it.</param>
internal sealed class JsonInside(bool isArray, int maxDepth)
{
    private readonly bool[] _outer = new bool[maxDepth];
    private int _depth;
    private bool _isArray = isArray;
    private Expected _expected = isArray ? Expected.ValueOrEnd : Expected.NameOrEnd;

    private enum Expected
    {
        NameOrEnd,
        Name,
        Colon,
        Value,
        ValueOrEnd,
        CommaOrEnd,
    }

    /// <summary>Whether there is nothing between the brackets, as far as was read.</summary>
    public bool IsEmpty { get; private set; } = true;

    /// <summary>Whether the closing bracket was found.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>Reads on.</summary>
    /// <param name="json">What follows what was read before.</param>
    /// <returns>How many bytes were read: up to the closing bracket, which is not, or to the beginning of what is not there as a whole.</returns>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public int Read(ReadOnlySpan<byte> json)
    {
        int at = 0;
        (Expected expected, bool inArray) = (_expected, _isArray);
        while (at < json.Length)
        {
            byte c = json[at];
            if (c == '"' && expected is Expected.NameOrEnd or Expected.Name or Expected.Value or Expected.ValueOrEnd)
            {
                int length = StringLength(json[at..]);
                if (length == 0)
                {
                    break;
                }

                at += length;
                expected = expected is Expected.NameOrEnd or Expected.Name ? Expected.Colon : Expected.CommaOrEnd;
            }
            else if (c == ':' && expected == Expected.Colon)
            {
                at++;
                expected = Expected.Value;
            }
            else if (c == ',' && expected == Expected.CommaOrEnd)
            {
                at++;
                expected = inArray ? Expected.Value : Expected.Name;
            }
            else if (c is (byte)'{' or (byte)'[' && expected is Expected.Value or Expected.ValueOrEnd)
            {
                at++;
                Open(inArray);
                inArray = c == '[';
                expected = inArray ? Expected.ValueOrEnd : Expected.NameOrEnd;
            }
            else if (c == (inArray ? ']' : '}') && expected is Expected.NameOrEnd or Expected.ValueOrEnd or Expected.CommaOrEnd)
            {
                if (_depth == 0)
                {
                    IsAtEnd = true;
                    break;
                }

                at++;
                inArray = _outer[--_depth];
                expected = Expected.CommaOrEnd;
            }
            else if (c is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            {
                at++;
            }
            else if (expected is Expected.Value or Expected.ValueOrEnd)
            {
                int length = c switch
                {
                    (byte)'t' => LiteralLength(json[at..], "true"u8),
                    (byte)'f' => LiteralLength(json[at..], "false"u8),
                    (byte)'n' => LiteralLength(json[at..], "null"u8),
                    _ => NumberLength(json[at..]),
                };
                if (length == 0)
                {
                    break;
                }

                at += length;
                expected = Expected.CommaOrEnd;
            }
            else
            {
                throw Invalid(c);
            }
        }

        IsEmpty &= expected is Expected.NameOrEnd or Expected.ValueOrEnd && _depth == 0;
        (_expected, _isArray) = (expected, inArray);
        return at;
    }

    private void Open(bool inArray)
    {
        if (_depth == _outer.Length)
        {
            throw new JsonException("It has too many brackets within each other.");
        }

        _outer[_depth++] = inArray;
    }

    /// <returns>With both quotes; 0 where the end is not there.</returns>
    private static int StringLength(ReadOnlySpan<byte> json)
    {
        int at = 1;
        while (true)
        {
            at += PlainLength(json[at..]);
            if (at == json.Length)
            {
                return 0;
            }

            switch (json[at])
            {
                case (byte)'"':
                    return at + 1;
                case (byte)'\\':
                    if (at + 1 == json.Length)
                    {
                        return 0;
                    }

                    byte escaped = json[at + 1];
                    if (escaped != 'u')
                    {
                        at += "\"\\/bfnrt"u8.Contains(escaped) ? 2 : throw Invalid(escaped);
                        break;
                    }

                    if (at + 6 > json.Length)
                    {
                        return 0;
                    }

                    foreach (byte digit in json.Slice(at + 2, 4))
                    {
                        if (!char.IsAsciiHexDigit((char)digit))
                        {
                            throw Invalid(digit);
                        }
                    }

                    at += 6;
                    break;
                case var control:
                    throw Invalid(control);
            }
        }
    }

    /// <summary>How far it is to a quote, a backslash or a control character. Most are near: what a search of the library takes to begin would be most of its time.</summary>
    private static int PlainLength(ReadOnlySpan<byte> text)
    {
        int at = 0;
        ref byte first = ref MemoryMarshal.GetReference(text);
        for (; at + Vector256<byte>.Count <= text.Length; at += Vector256<byte>.Count)
        {
            var some = Vector256.LoadUnsafe(ref first, (nuint)at);
            uint found = (Vector256.Equals(some, Vector256.Create((byte)'"')) | Vector256.Equals(some, Vector256.Create((byte)'\\'))
                | Vector256.LessThan(some, Vector256.Create((byte)' '))).ExtractMostSignificantBits();
            if (found != 0)
            {
                return at + System.Numerics.BitOperations.TrailingZeroCount(found);
            }
        }

        while (at < text.Length && text[at] is not ((byte)'"' or (byte)'\\' or < (byte)' '))
        {
            at++;
        }

        return at;
    }

    private static int LiteralLength(ReadOnlySpan<byte> json, ReadOnlySpan<byte> literal)
    {
        ReadOnlySpan<byte> there = json[..Math.Min(json.Length, literal.Length)];
        return !literal.StartsWith(there) ? throw Invalid(json[0]) : there.Length == literal.Length ? literal.Length : 0;
    }

    /// <returns>0 where it may go on in what is not there.</returns>
    private static int NumberLength(ReadOnlySpan<byte> json)
    {
        int begin = json[0] == '-' ? 1 : 0;
        int at = begin;
        if (!SkipDigits(json, ref at))
        {
            return 0;
        }

        if (json[begin] == '0' && at > begin + 1)
        {
            throw Invalid(json[begin]);
        }

        if (json[at] == '.')
        {
            at++;
            if (!SkipDigits(json, ref at))
            {
                return 0;
            }
        }

        if (json[at] is (byte)'e' or (byte)'E')
        {
            at++;
            if (at < json.Length && json[at] is (byte)'+' or (byte)'-')
            {
                at++;
            }

            if (!SkipDigits(json, ref at))
            {
                return 0;
            }
        }

        return at;
    }

    /// <returns>False where more of them may follow in what is not there.</returns>
    private static bool SkipDigits(ReadOnlySpan<byte> json, ref int at)
    {
        int begin = at;
        while (at < json.Length && char.IsAsciiDigit((char)json[at]))
        {
            at++;
        }

        return at < json.Length && (at > begin ? true : throw Invalid(json[at]));
    }

    private static JsonException Invalid(byte c) => new($"'0x{c:x2}' is not what may stand there.");
}
