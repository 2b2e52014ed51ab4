using System.Text;

namespace QuayAirGap.TestKit.Clair.Go;

/// <summary>
/// Go's <c>textproto.Reader.ReadMIMEHeader</c> over the beginning of a file: fields up to an empty line or the end, lines that begin
/// with a blank continue the one before. One line that is no field spoils everything.
/// </summary>
internal static class GoMimeHeader
{
    /// <summary>Reads the fields; false where Go gives an error.</summary>
    /// <param name="bytes">What there is of the file.</param>
    /// <param name="fields">First value by name; names compare without case.</param>
    public static bool TryRead(byte[] bytes, out IReadOnlyDictionary<string, string> fields)
    {
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        fields = found;
        string? line = null;

        // Clair appends an empty line, so that the end of what it has is the end of the fields.
        foreach (var raw in (Encoding.Latin1.GetString(bytes) + "\r\n\r\n").Split('\n'))
        {
            var next = raw.EndsWith('\r') ? raw[..^1] : raw;
            if (next.Length > 0 && next[0] is ' ' or '\t')
            {
                if (line is null)
                {
                    return false;
                }

                line = line.TrimEnd(' ', '\t') + " " + next.Trim(' ', '\t');
                continue;
            }

            if (line is not null && !TryAdd(found, line))
            {
                return false;
            }

            if (next.Length == 0)
            {
                return true;
            }

            line = next;
        }

        return true;
    }

    private static bool TryAdd(Dictionary<string, string> fields, string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0
            || !line[..colon].All(c => c == ' ' || IsToken(c))
            || line[(colon + 1)..].Any(c => (c < ' ' && c != '\t') || c == '\x7f'))
        {
            return false;
        }

        fields.TryAdd(line[..colon], line[(colon + 1)..].Trim(' ', '\t'));
        return true;
    }

    private static bool IsToken(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);
}
