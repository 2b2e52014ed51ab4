using System.Text;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>
/// Reads comma-separated records by RFC 4180, as strictly as Go's encoding/csv that Clair uses: quotes only around whole fields,
/// doubled inside; lines end in LF or CRLF; empty lines are no records.
/// </summary>
internal static class CsvRecords
{
    private const int MaxField = 4096;

    /// <exception cref="FormatException">The text is not CSV; the message names the line.</exception>
    public static IEnumerable<IReadOnlyList<string>> Read(TextReader reader)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        for (int line = 1; reader.Peek() >= 0; line++)
        {
            fields.Clear();
            bool more = true;
            bool quoted = false;
            while (more)
            {
                field.Clear();
                quoted = reader.Peek() == '"';
                more = quoted ? ReadQuoted(reader, field, line) : ReadPlain(reader, field, line);
                fields.Add(field.ToString());
            }

            if (fields.Count > 1 || quoted || fields[0].Length > 0)
            {
                yield return fields;
            }
        }
    }

    /// <summary>Reads up to and past the comma or the end of the line; true where another field follows.</summary>
    private static bool ReadPlain(TextReader reader, StringBuilder field, int line)
    {
        while (true)
        {
            int c = reader.Read();
            switch (c)
            {
                case -1 or '\n':
                    return false;
                case '\r' when reader.Peek() == '\n':
                    break;
                case ',':
                    return true;
                case '"':
                    throw new FormatException($"line {line}: a quote within a field that does not begin with one");
                default:
                    Append(field, c, line);
                    break;
            }
        }
    }

    private static bool ReadQuoted(TextReader reader, StringBuilder field, int line)
    {
        reader.Read();
        while (true)
        {
            int c = reader.Read();
            if (c == -1)
            {
                throw new FormatException($"line {line}: a quoted field does not end");
            }

            if (c != '"')
            {
                Append(field, c, line);
                continue;
            }

            c = reader.Read();
            switch (c)
            {
                case '"':
                    Append(field, c, line);
                    break;
                case ',':
                    return true;
                case -1 or '\n':
                    return false;
                case '\r' when reader.Peek() == '\n':
                    reader.Read();
                    return false;
                default:
                    throw new FormatException($"line {line}: text after the closing quote of a field");
            }
        }
    }

    private static void Append(StringBuilder field, int c, int line)
    {
        if (field.Length == MaxField)
        {
            throw new FormatException($"line {line}: a field of more than {MaxField} characters");
        }

        field.Append((char)c);
    }
}
