using System.Text;
using System.Text.Json;
using QuayAirGap.Server.Gateway;
using Xunit;

namespace QuayAirGap.Server.Tests.Gateway;

/// <summary>The bracket that closes a value is found wherever it is, whatever the texts before it hold, and in any pieces.</summary>
public sealed class BracketSkipperTests
{
    private static readonly string[] s_texts =
        ["", "\"", "\\", "\\\\", "\\\"", "{", "}", "[", "]", "}]}", "\"}", "\\}", "\u2603", "\ud83d\ude00", "\n", "a longer text that fills more than one block of sixty-four bytes, \"quoted\" {bracketed} and so on"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_end_of_a_value_is_where_the_library_s_reader_has_it(int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < 2000; i++)
        {
            using var json = new MemoryStream();
            using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Indented = random.Next(2) == 0, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            {
                WriteContainer(writer, random, 0);
            }

            byte[] value = json.ToArray();
            byte[] document = [.. value, .. Encoding.UTF8.GetBytes(s_texts[random.Next(s_texts.Length)]), .. value];
            var reader = new Utf8JsonReader(value);
            reader.Read();
            bool isEmpty = reader.Read() && reader.CurrentDepth == 0;
            foreach (int piece in new[] { int.MaxValue, 1, 63, 64, 65, random.Next(2, 300) })
            {
                (int end, bool empty) = Skip(document.AsSpan(1), piece);
                Assert.True(value.Length - 2 == end && isEmpty == empty, $"seed {seed}, value {i}, pieces of {piece}: {end} {empty} of {Encoding.UTF8.GetString(document)}");
            }
        }
    }

    /// <summary>Quotes, backslashes and brackets in any order, mostly no JSON: a second, slower way of finding the end agrees.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Nonsense_ends_at_the_same_place_in_any_pieces(int seed)
    {
        var random = new Random(seed);
        int ended = 0;
        for (int i = 0; i < 5000; i++)
        {
            byte[] bytes = [.. Enumerable.Range(0, random.Next(1, 400)).Select(_ => (byte)"\\\\\"\"{}[] a\u0000"[random.Next(11)])];
            int expected = Slowly(bytes);
            ended += expected >= 0 ? 1 : 0;
            foreach (int piece in new[] { int.MaxValue, 1, random.Next(2, 130) })
            {
                Assert.True(expected == Skip(bytes, piece).End, $"seed {seed}, {i}, pieces of {piece}: {Encoding.ASCII.GetString(bytes)}");
            }
        }

        Assert.InRange(ended, 500, 4900);
    }

    [Theory]
    [InlineData("}", true)]
    [InlineData(" \r\n\t }", true)]
    [InlineData("]", true)]
    [InlineData(" 1]", false)]
    [InlineData("\"\":{}}", false)]
    [InlineData("{}]", false)]
    public void It_says_whether_there_was_anything(string rest, bool isEmpty)
    {
        foreach (int piece in new[] { int.MaxValue, 1 })
        {
            Assert.Equal((rest.Length - 1, isEmpty), Skip(Encoding.ASCII.GetBytes(rest), piece));
        }
    }

    /// <returns>Where the closing bracket is, or -1; and whether there was nothing before it.</returns>
    private static (int End, bool IsEmpty) Skip(ReadOnlySpan<byte> rest, int piece)
    {
        var skipper = new BracketSkipper();
        int at = 0;
        while (!skipper.IsAtEnd && at < rest.Length)
        {
            int read = skipper.Read(rest.Slice(at, Math.Min(piece, rest.Length - at)));
            Assert.True(skipper.IsAtEnd || read == Math.Min(piece, rest.Length - at));
            at += read;
        }

        return (skipper.IsAtEnd ? at : -1, skipper.IsEmpty);
    }

    private static int Slowly(byte[] bytes)
    {
        int depth = 1;
        bool isInText = false;
        for (int i = 0; i < bytes.Length; i++)
        {
            int backslashes = 0;
            while (i - backslashes > 0 && bytes[i - backslashes - 1] == '\\')
            {
                backslashes++;
            }

            isInText ^= bytes[i] == '"' && backslashes % 2 == 0;
            if (!isInText)
            {
                depth += bytes[i] is (byte)'{' or (byte)'[' ? 1 : bytes[i] is (byte)'}' or (byte)']' ? -1 : 0;
            }

            if (depth == 0)
            {
                return i;
            }
        }

        return -1;
    }

    private static void WriteContainer(Utf8JsonWriter writer, Random random, int depth)
    {
        bool isArray = random.Next(2) == 0;
        if (isArray)
        {
            writer.WriteStartArray();
        }
        else
        {
            writer.WriteStartObject();
        }

        for (int n = random.Next(depth > 5 ? 1 : 5); n > 0; n--)
        {
            if (!isArray)
            {
                writer.WritePropertyName(s_texts[random.Next(s_texts.Length)]);
            }

            if (random.Next(3) == 0)
            {
                WriteContainer(writer, random, depth + 1);
            }
            else
            {
                writer.WriteStringValue(string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => s_texts[random.Next(s_texts.Length)])));
            }
        }

        if (isArray)
        {
            writer.WriteEndArray();
        }
        else
        {
            writer.WriteEndObject();
        }
    }
}
