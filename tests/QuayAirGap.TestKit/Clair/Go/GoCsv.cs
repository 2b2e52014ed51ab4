using System.Text;

namespace QuayAirGap.TestKit.Clair.Go;

/// <summary>Go's <c>encoding/csv</c> with FieldsPerRecord set: no lazy quotes, empty lines are skipped.</summary>
internal static class GoCsv
{
    /// <summary>Reads record by record; a bad one throws when it is reached, so that what came before has had its effect.</summary>
    public static IEnumerable<string[]> Read(string text, int fieldsPerRecord)
    {
        var at = 0;
        while (at < text.Length)
        {
            var end = EndOfLine(text, at);
            if (Content(text, at, end).Length == 0)
            {
                at = end;
                continue;
            }

            var record = new List<string>();
            at = ReadRecord(text, at, record);
            if (record.Count != fieldsPerRecord)
            {
                throw ClairException.Failed("record: wrong number of fields");
            }

            yield return [.. record];
        }
    }

    private static int ReadRecord(string text, int at, List<string> record)
    {
        while (true)
        {
            var end = EndOfLine(text, at);
            if (at < text.Length && text[at] == '"')
            {
                at = ReadQuoted(text, at + 1, record);
                end = EndOfLine(text, at);
                if (at < end && text[at] == ',')
                {
                    at++;
                    continue;
                }

                return Content(text, at, end).Length == 0
                    ? end
                    : throw ClairException.Failed("parse error: extraneous or missing \" in quoted-field");
            }

            var line = Content(text, at, end);
            var comma = line.IndexOf(',', StringComparison.Ordinal);
            var field = comma < 0 ? line : line[..comma];
            if (field.Contains('"', StringComparison.Ordinal))
            {
                throw ClairException.Failed("parse error: bare \" in non-quoted-field");
            }

            record.Add(field);
            if (comma < 0)
            {
                return end;
            }

            at += comma + 1;
        }
    }

    private static int ReadQuoted(string text, int at, List<string> record)
    {
        var field = new StringBuilder();
        while (true)
        {
            var quote = text.IndexOf('"', at);
            if (quote < 0)
            {
                throw ClairException.Failed("parse error: extraneous or missing \" in quoted-field");
            }

            field.Append(text, at, quote - at);
            at = quote + 1;
            if (at >= text.Length || text[at] != '"')
            {
                record.Add(field.ToString().Replace("\r\n", "\n", StringComparison.Ordinal));
                return at;
            }

            field.Append('"');
            at++;
        }
    }

    private static int EndOfLine(string text, int at)
    {
        var newline = text.IndexOf('\n', at);
        return newline < 0 ? text.Length : newline + 1;
    }

    private static string Content(string text, int at, int end) => text[at..end] switch
    {
        var line when line.EndsWith("\r\n", StringComparison.Ordinal) => line[..^2],
        var line when line.EndsWith('\n') || line.EndsWith('\r') => line[..^1],
        var line => line,
    };
}
