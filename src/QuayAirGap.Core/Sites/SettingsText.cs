using System.Text;

namespace QuayAirGap.Core.Sites;

/// <summary>
/// Splices one setting of one source into the text of sources.yaml: comments, order, spacing and line ends stay as somebody wrote them.
/// </summary>
internal static class SettingsText
{
    private const int UsualIndent = 2;

    /// <param name="document">A valid file.</param>
    /// <param name="source">The source's name.</param>
    /// <param name="key">The setting's name.</param>
    /// <param name="value">What it is to say; null takes it out.</param>
    /// <returns>The new text; the same one where it says so already.</returns>
    public static string Set(SettingsDocument document, string source, string key, string? value)
    {
        string text = document.Text;
        SettingsEntry? sources = document.Root?.Find("sources");
        SettingsEntry? entry = (sources?.Value as SettingsMapping)?.Find(source);
        var settings = entry?.Value as SettingsMapping;
        if (settings?.Find(key) is { } existing)
        {
            return value is null ? Remove(text, settings, existing)
                : Means(((SettingsScalar)existing.Value).Value, value) ? text
                : Splice(text, existing.Value.Start, existing.Value.End, Quote(value, settings.IsFlow));
        }

        return value is null ? text : Insert(document, source, key, isFlow => Quote(value, isFlow));
    }

    /// <summary>The same for a value that is YAML already and the same in any place.</summary>
    public static string SetWritten(SettingsDocument document, string source, string key, string yaml)
    {
        SettingsEntry? existing =
            ((document.Root?.Find("sources")?.Value as SettingsMapping)?.Find(source)?.Value as SettingsMapping)?.Find(key);
        return existing is null ? Insert(document, source, key, _ => yaml) : FillNull(document.Text, existing, yaml);
    }

    /// <summary>Adds a setting that is not there yet.</summary>
    private static string Insert(SettingsDocument document, string source, string key, Func<bool, string> write)
    {
        string text = document.Text;
        SettingsEntry? sources = document.Root?.Find("sources");
        SettingsEntry? entry = (sources?.Value as SettingsMapping)?.Find(source);
        var settings = entry?.Value as SettingsMapping;

        // From the inside out: what is there already decides where and how the new line is written.
        string flow = $"{key}: {write(true)}";
        if (settings is not null)
        {
            return settings.IsFlow
                ? AddToFlow(text, settings, flow)
                : AddLines(text, settings.End, [Indent(text, settings.Entries[^1].Key) + $"{key}: {write(false)}"]);
        }

        if (entry is not null)
        {
            var parent = (SettingsMapping)sources!.Value;
            return parent.IsFlow || entry.Value.End > entry.Value.Start
                ? FillNull(text, entry, $"{{{flow}}}")
                : AddLines(text, entry.Key.End, [Indent(text, entry.Key) + Step(text, sources, entry) + $"{key}: {write(false)}"]);
        }

        return AddSource(document, sources, source, $"{key}: {write(false)}", flow);
    }

    /// <summary>Whether two ways to write a value say the same: 72h is 3d.</summary>
    private static bool Means(string written, string value) =>
        written == value
        || (FeedDuration.TryParse(written, out TimeSpan a) && FeedDuration.TryParse(value, out TimeSpan b) && a == b)
        || (UpstreamUri.FaultOf(written, out Uri? c) is null && UpstreamUri.FaultOf(value, out Uri? d) is null
            && UpstreamUri.Normalise(c!, isFolder: true) == UpstreamUri.Normalise(d!, isFolder: true));

    private static string AddSource(SettingsDocument document, SettingsEntry? sources, string source, string setting, string flow)
    {
        string text = document.Text;
        string flowEntry = $"{source}: {{{flow}}}";
        if (sources?.Value is SettingsMapping { Entries.Count: > 0 } mapping)
        {
            if (mapping.IsFlow)
            {
                return AddToFlow(text, mapping, flowEntry);
            }

            SettingsEntry last = mapping.Entries[^1];
            string indent = Indent(text, last.Key);
            return AddLines(
                text, EndOfComments(text, mapping.End, indent.Length),
                [$"{indent}{source}:", $"{indent}{Step(text, sources, last)}{setting}"]);
        }

        string one = new(' ', UsualIndent);
        string[] block = [$"{one}{source}:", $"{one}{one}{setting}"];
        if (sources is null)
        {
            return document.Root switch
            {
                null => AppendLines(text, ["sources:", .. block]),
                { IsFlow: true } root => AddToFlow(text, root, $"sources: {{{flowEntry}}}"),
                { } root => AddLines(text, EndOfComments(text, root.End, 0), Shift(Indent(text, root.Entries[^1].Key), ["sources:", .. block])),
            };
        }

        if (document.Root!.IsFlow || HasComment(text, sources.Value))
        {
            return sources.Value is SettingsMapping empty ? AddToFlow(text, empty, flowEntry) : FillNull(text, sources, $"{{{flowEntry}}}");
        }

        // "sources: {}" and "sources: null" become a block; a comment behind them stays on their line.
        int from = sources.Value.Start;
        bool isAlone = sources.Value.End > from && LineEnd(text, sources.Value.End) == sources.Value.End;
        while (isAlone && text[from - 1] is ' ' or '\t')
        {
            from--;
        }

        string opened = sources.Value.End > sources.Value.Start ? Splice(text, from, sources.Value.End, "") : text;
        return AddLines(opened, sources.Key.End, Shift(Indent(text, sources.Key), block));
    }

    /// <summary>Gives a key without a value one, on its own line.</summary>
    private static string FillNull(string text, SettingsEntry entry, string value)
    {
        if (entry.Value.End > entry.Value.Start)
        {
            return Splice(text, entry.Value.Start, entry.Value.End, value);
        }

        int colon = entry.Key.End;
        while (colon < text.Length && text[colon] is ' ' or '\t')
        {
            colon++;
        }

        return colon < text.Length && text[colon] == ':'
            ? Splice(text, colon + 1, colon + 1, " " + value)
            : Splice(text, entry.Key.End, entry.Key.End, ": " + value);
    }

    private static string AddToFlow(string text, SettingsMapping mapping, string entry)
    {
        if (mapping.Entries.Count > 0)
        {
            SettingsEntry last = mapping.Entries[^1];
            int at = Math.Max(last.Key.End, last.Value.End);
            return Splice(text, at, at, ", " + entry);
        }

        int inside = mapping.Start + 1;
        return Splice(text, inside, inside, entry + (text[inside] == '#' ? " " : ""));
    }

    private static string Remove(string text, SettingsMapping mapping, SettingsEntry entry)
    {
        int start = entry.Key.Start;
        int end = entry.Value.End;
        if (mapping.IsFlow)
        {
            int comma = SkipBlanksAndComments(text, end);
            string without = comma < text.Length && text[comma] == ',' ? Splice(text, comma, comma + 1, "") : text;
            return Splice(without, start, end, "");
        }

        return RemoveFromLine(text, start, end);
    }

    /// <summary>Takes out what stands alone on its line, and the line with it, unless a comment stands behind.</summary>
    internal static string RemoveFromLine(string text, int start, int end)
    {
        int lineEnd = LineEnd(text, end);
        string behind = text[end..lineEnd];
        if (behind.Trim().Length > 0)
        {
            return Splice(text, start, end + (behind.Length - behind.TrimStart().Length), "");
        }

        int lineStart = LineStart(text, start);
        return lineEnd < text.Length
            ? Splice(text, lineStart, lineEnd + BreakAt(text, lineEnd).Length, "")
            : Splice(text, lineStart - BreakBefore(text, lineStart).Length, lineEnd, "");
    }

    /// <summary>Adds lines behind the line on which a place is.</summary>
    internal static string AddLines(string text, int at, IEnumerable<string> lines)
    {
        int end = LineEnd(text, at);
        string lineBreak = end < text.Length ? BreakAt(text, end) : UsualBreak(text);
        return Splice(text, end, end, string.Concat(lines.Select(l => lineBreak + l)));
    }

    private static string AppendLines(string text, IEnumerable<string> lines)
    {
        string lineBreak = UsualBreak(text);
        var added = new StringBuilder(text);
        if (text.Length > 0 && !IsBreak(text[^1]) && text != "\uFEFF")
        {
            added.Append(lineBreak);
        }

        foreach (string line in lines)
        {
            added.Append(line).Append(lineBreak);
        }

        return added.ToString();
    }

    /// <summary>The end of the comment lines that follow a block and are indented deeper than its parent: they belong to it.</summary>
    private static int EndOfComments(string text, int at, int indent)
    {
        int end = LineEnd(text, at);
        while (end < text.Length)
        {
            int start = end + BreakAt(text, end).Length;
            int next = LineEnd(text, start);
            string line = text[start..next];
            string trimmed = line.TrimStart();
            if (!trimmed.StartsWith('#') || line.Length - trimmed.Length <= indent)
            {
                break;
            }

            end = next;
        }

        return end;
    }

    private static int SkipBlanksAndComments(string text, int at)
    {
        while (at < text.Length && (char.IsWhiteSpace(text[at]) || text[at] == '#'))
        {
            at = text[at] == '#' ? LineEnd(text, at) : at + 1;
        }

        return at;
    }

    private static bool HasComment(string text, SettingsNode node) => text.AsSpan(node.Start, node.End - node.Start).Contains('#');

    private static IEnumerable<string> Shift(string indent, IEnumerable<string> lines) => lines.Select(l => indent + l);

    /// <summary>What stands before a key on its line.</summary>
    private static string Indent(string text, SettingsScalar key) => text[LineStart(text, key.Start)..key.Start].TrimStart('\uFEFF');

    /// <summary>How much deeper the file indents what belongs to a key.</summary>
    private static string Step(string text, SettingsEntry parent, SettingsEntry child) =>
        new(' ', Math.Max(Indent(text, child.Key).Length - Indent(text, parent.Key).Length, 0) is > 0 and var step ? step : UsualIndent);

    internal static string Quote(string value, bool isFlow) =>
        value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '/' or '-' or '_' || (c == ':' && !isFlow)) && !value.EndsWith(':')
            ? value
            : $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    internal static string Splice(string text, int from, int to, string replacement) => string.Concat(text.AsSpan(0, from), replacement, text.AsSpan(to));

    private static bool IsBreak(char c) => c is '\n' or '\r' or '\u0085' or '\u2028' or '\u2029';

    private static int LineEnd(string text, int at)
    {
        while (at < text.Length && !IsBreak(text[at]))
        {
            at++;
        }

        return at;
    }

    internal static int LineStart(string text, int at)
    {
        while (at > 0 && !IsBreak(text[at - 1]))
        {
            at--;
        }

        return at;
    }

    private static string BreakAt(string text, int at) => text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n' ? "\r\n" : text[at].ToString();

    private static string BreakBefore(string text, int at) =>
        at == 0 ? "" : at > 1 && text[at - 1] == '\n' && text[at - 2] == '\r' ? "\r\n" : text[at - 1].ToString();

    private static string UsualBreak(string text) => LineEnd(text, 0) is var end && end < text.Length ? BreakAt(text, end) : "\n";
}
