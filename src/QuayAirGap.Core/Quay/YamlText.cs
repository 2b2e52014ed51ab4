using System.Globalization;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Clair;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace QuayAirGap.Core.Quay;

/// <summary>
/// A YAML or JSON text of somebody else's in which single values are changed: comments, order, spacing and line ends of everything else stay.
/// Every change is read back and compared with what it should mean; where it does not, nothing is changed and an error says so.
/// </summary>
/// <remarks>
/// Only the first document is edited. A path is keys from the top; in a list, a number is an entry and "-" stands for a new one at its end.
/// Instances do not change: an edit makes a new one.
/// </remarks>
internal sealed class YamlText
{
    private const int UsualIndent = 2;

    private readonly YamlPlace? _root;

    private YamlText(string name, string text)
    {
        Name = name;
        Text = text;
        try
        {
            Content = ClairYaml.Parse(text).Root;
            _root = YamlPlace.Read(text);
        }
        catch (YamlException e)
        {
            throw new FeedException(
                ErrorIds.ClairConfigInvalid, $"'{name}', line {e.Start.Line}: this is not YAML: {e.Message.TrimEnd('.')}.", name,
                "Correct the file; nothing was changed.", e);
        }
    }

    /// <summary>What messages call it: its path, or what it is.</summary>
    public string Name { get; }

    public string Text { get; }

    /// <summary>What it says.</summary>
    public JsonNode? Content { get; }

    /// <summary>Whether new parts must be written as JSON.</summary>
    public bool IsJson => Text.AsSpan().TrimStart("\uFEFF \t\r\n").StartsWith("{") && Content is JsonObject;

    /// <exception cref="FeedException"><see cref="ErrorIds.ClairConfigInvalid"/></exception>
    public static YamlText Parse(string name, string text) => new(name, text);

    /// <summary>The value at a path, or null.</summary>
    public JsonNode? Find(params IReadOnlyList<string> path) => Walk(Content, path);

    /// <summary>How the value at a path is written, from behind its colon: what <see cref="Restore"/> puts back. Null where there is none.</summary>
    public string? Written(IReadOnlyList<string> path) =>
        Locate(path) is { Missing: 0, Entry: { } entry } ? Text[ColonOf(entry)..EndOf(entry)] : null;

    /// <summary>The longest part of a path that is there already; the whole path where its value is.</summary>
    public int Depth(IReadOnlyList<string> path) => path.Count - Locate(path).Missing;

    /// <summary>Sets a value, written on one line; makes the mappings that lead to it.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.ClairConfigConflict"/>: it cannot be done without touching more.</exception>
    public YamlText Set(IReadOnlyList<string> path, JsonNode? value) =>
        JsonNode.DeepEquals(Find(path), value) && Depth(path) == path.Count
            ? this
            : Put(path, " " + YamlWriter.Flow(value, IsJson || IsInFlow(path)), value);

    /// <summary>Sets a text, as lines of their own where the file is written that way.</summary>
    public YamlText SetLines(IReadOnlyList<string> path, string value)
    {
        if (Find(path) is JsonValue known && known.TryGetValue(out string? before) && before == value)
        {
            return this;
        }

        bool hasPlace = Locate(path).Mapping is { IsFlow: false, Entries.Count: > 0 };
        bool isPlain = value.EndsWith('\n') && !value.EndsWith("\n\n", StringComparison.Ordinal) && value.Trim().Length > 0
            && !value.StartsWith(' ') && !value.StartsWith('\n') && !value.Contains('\r', StringComparison.Ordinal) && !value.Contains('\t', StringComparison.Ordinal);
        if (!hasPlace || !isPlain || IsJson)
        {
            return Set(path, value);
        }

        string indent = new(' ', ColumnOf(Locate(path).Mapping!) + UsualIndent);
        string lines = string.Join(LineBreak, value.TrimEnd('\n').Split('\n').Select(l => l.Length == 0 ? "" : indent + l));
        return Put(path, $" |{LineBreak}{lines}", value);
    }

    /// <summary>Puts back what <see cref="Written"/> gave.</summary>
    /// <param name="path">Where it was.</param>
    /// <param name="written">How it was written.</param>
    /// <param name="value">What it means.</param>
    public YamlText Restore(IReadOnlyList<string> path, string written, JsonNode? value) =>
        Written(path) == written ? this : Put(path, written, value);

    /// <summary>Takes an entry out, and leaves comments that stand around it.</summary>
    public YamlText Remove(IReadOnlyList<string> path)
    {
        if (Locate(path) is not { Missing: 0 } found)
        {
            return this;
        }

        int start = found.Entry!.KeyStart;
        int end = EndOf(found.Entry);
        string text;
        if (found.Parent!.IsFlow)
        {
            int comma = Skip(end);
            int before = found.Parent.Entries.Count > 1 ? Text.LastIndexOf(',', start) : -1;
            text = comma < Text.Length && Text[comma] == ',' ? Text[..start] + Text[Skip(comma + 1)..]
                : before > found.Parent.Start ? Text[..before] + Text[end..]
                : Text[..start] + Text[end..];
        }
        else
        {
            int lineStart = LineStart(start);
            int lineEnd = LineEnd(end);
            string front = Text[lineStart..start];
            if (front.Trim().Length > 0 && front.Trim() != "-")
            {
                throw Conflict(path);
            }

            bool hasComment = Text[end..lineEnd].Trim().Length > 0;
            text = hasComment ? Text[..start] + Text[(end + (lineEnd - end) - Text[end..lineEnd].TrimStart().Length)..]
                : lineEnd < Text.Length ? Text[..lineStart] + Text[(lineEnd + BreakAt(lineEnd))..]
                : Text[..Math.Max(lineStart - LineBreak.Length, 0)];
        }

        JsonNode? expected = Content!.DeepClone();
        JsonNode? parent = Walk(expected, [.. path.SkipLast(1)]);
        bool isLast = parent is JsonObject { Count: 1 } or JsonArray { Count: 1 } && !found.Parent.IsFlow;
        _ = parent is JsonObject map ? map.Remove(path[^1]) : parent is JsonArray list && RemoveAt(list, path[^1]);

        // The last one of a block leaves its key without a value.
        return Checked(path, text, isLast ? Replace(expected, [.. path.SkipLast(1)], null) : expected);
    }

    private string LineBreak => Text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";

    private static bool RemoveAt(JsonArray list, string index)
    {
        list.RemoveAt(int.Parse(index, CultureInfo.InvariantCulture));
        return true;
    }

    private static JsonNode? Walk(JsonNode? node, IReadOnlyList<string> path)
    {
        foreach (string key in path)
        {
            node = node switch
            {
                JsonObject map => map[key],
                JsonArray list when int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out int i) && i < list.Count => list[i],
                _ => null,
            };
        }

        return node;
    }

    /// <summary>The same tree with another value at a path.</summary>
    private JsonNode? Replace(JsonNode? node, IReadOnlyList<string> path, JsonNode? value)
    {
        if (path.Count == 0)
        {
            return value?.DeepClone();
        }

        IReadOnlyList<string> rest = [.. path.Skip(1)];
        if (node is JsonArray list)
        {
            if (path[0] == "-")
            {
                list.Add(Replace(null, rest, value));
            }
            else
            {
                if (!int.TryParse(path[0], NumberStyles.None, CultureInfo.InvariantCulture, out int i) || i >= list.Count)
                {
                    throw Conflict(path);
                }

                JsonNode? entry = list[i];
                list[i] = null;
                list[i] = Replace(entry, rest, value);
            }

            return list;
        }

        JsonObject map = node as JsonObject ?? [];
        map.Remove(path[0], out JsonNode? inner);
        map[path[0]] = Replace(inner, rest, value);
        return map;
    }

    private bool IsInFlow(IReadOnlyList<string> path) => Locate(path).Mapping is { IsFlow: true };

    private YamlText Put(IReadOnlyList<string> path, string written, JsonNode? value)
    {
        (YamlPlace? mapping, YamlEntry? entry, int rest, _) = Locate(path);
        JsonNode? expected = Replace(Content?.DeepClone(), path, value);
        if (rest == 0)
        {
            return Checked(path, Text[..ColonOf(entry!)] + written + Text[EndOf(entry!)..], expected);
        }

        string[] missing = [.. path.Skip(path.Count - rest)];
        if (mapping is null)
        {
            // Nothing in the file, or a key without a value, whose comment stays on its line.
            if (_root is null)
            {
                string gap = Text.Length == 0 || Text.EndsWith('\n') ? "" : LineBreak;
                return Checked(path, Text + gap + Lines(missing, written, 0) + LineBreak, expected);
            }

            YamlEntry empty = entry ?? throw Conflict(path);
            if (empty.Value.End > empty.Value.Start || IsJson || empty.IsInFlow)
            {
                return empty.Value is { IsNull: true } || empty.Value.IsFlow
                    ? Checked(path, Text[..ColonOf(empty)] + " " + Nested(missing, written) + Text[EndOf(empty)..], expected)
                    : throw Conflict(path);
            }

            int line = LineEnd(empty.KeyEnd);
            return Checked(path, Text[..line] + LineBreak + Lines(missing, written, Column(empty.KeyStart) + UsualIndent) + Text[line..], expected);
        }

        if (mapping.IsFlow)
        {
            string added = mapping.IsList ? Nested(missing[1..], written) : $"{YamlWriter.Word(missing[0], isJson: true)}: {Nested(missing[1..], written)}";
            int at = mapping.Entries.Count > 0 ? EndOf(mapping.Entries[^1]) : mapping.Start + 1;
            return Checked(path, Text[..at] + (mapping.Entries.Count > 0 ? ", " : "") + added + Text[at..], expected);
        }

        int end = LineEnd(EndOf(mapping.Entries[^1]));
        string lines = mapping.IsList
            ? new string(' ', ColumnOf(mapping)) + "- " + Nested(missing[1..], written)
            : Lines(missing, written, ColumnOf(mapping));
        return Checked(path, Text[..end] + LineBreak + lines + Text[end..], expected);
    }

    /// <summary>A value within the mappings that lead to it, in flow style.</summary>
    private static string Nested(IReadOnlyList<string> keys, string written) =>
        keys.Count == 0 ? written.Trim() : $"{{{YamlWriter.Word(keys[0], isJson: true)}: {Nested([.. keys.Skip(1)], written)}}}";

    private string Lines(string[] keys, string written, int indent) => string.Join(
        LineBreak,
        keys.Select((k, i) => new string(' ', indent + (i * UsualIndent)) + YamlWriter.Word(k) + ":" + (i == keys.Length - 1 ? written : "")));

    private YamlText Checked(IReadOnlyList<string> path, string text, JsonNode? expected)
    {
        try
        {
            var edited = new YamlText(Name, text);
            return JsonNode.DeepEquals(edited.Content, expected) ? edited : throw Conflict(path);
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.ClairConfigInvalid)
        {
            throw Conflict(path, e);
        }
    }

    private FeedException Conflict(IReadOnlyList<string> path, Exception? cause = null) => new(
        ErrorIds.ClairConfigConflict, $"'{string.Join(".", path)}' in '{Name}' cannot be changed without touching more than it.", Name,
        "Nothing was changed. Write this part of the file in plain block style, without anchors, and run the command again.", cause);

    /// <summary>
    /// As far as a path is there: the innermost mapping or list to add to (null where a key has no value yet), the last entry that was
    /// found, how many keys are missing, and the mapping in which that entry is.
    /// </summary>
    private (YamlPlace? Mapping, YamlEntry? Entry, int Missing, YamlPlace? Parent) Locate(IReadOnlyList<string> path)
    {
        YamlPlace? at = _root;
        YamlPlace? parent = null;
        YamlEntry? entry = null;
        for (int i = 0; i < path.Count; i++)
        {
            if (at is null || !at.IsCollection || (at.Entries.Count == 0 && !at.IsFlow))
            {
                return (null, entry, path.Count - i, parent);
            }

            if (at.Find(path[i]) is not { } next)
            {
                return (at, entry, path.Count - i, parent);
            }

            parent = at;
            entry = next;
            at = next.Value;
        }

        return (parent, entry, 0, parent);
    }

    /// <summary>The place behind the colon of an entry; for a list's entry, its value's own.</summary>
    private int ColonOf(YamlEntry entry)
    {
        if (entry.Key is null)
        {
            return entry.Value.Start;
        }

        int at = entry.KeyEnd;
        while (at < Text.Length && Text[at] is ' ' or '\t')
        {
            at++;
        }

        return at < Text.Length && Text[at] == ':' ? at + 1 : throw Conflict([entry.Key]);
    }

    private int EndOf(YamlEntry entry) => entry.Value.End > entry.Value.Start ? entry.Value.End : ColonOf(entry);

    private int ColumnOf(YamlPlace mapping)
    {
        if (!mapping.IsList)
        {
            return Column(mapping.Entries[0].KeyStart);
        }

        int dash = Text.LastIndexOf('-', Math.Max(mapping.Entries[0].Value.Start - 1, 0));
        return Column(dash);
    }

    private int Column(int at) => at - LineStart(at) - (LineStart(at) == 0 && Text.StartsWith('\uFEFF') ? 1 : 0);

    private int LineStart(int at) => at == 0 ? 0 : Text.LastIndexOf('\n', at - 1) + 1;

    private int LineEnd(int at)
    {
        int end = Text.IndexOf('\n', at);
        return end < 0 ? Text.Length : end > at && Text[end - 1] == '\r' ? end - 1 : end;
    }

    private int BreakAt(int at) => Text[at] == '\r' ? 2 : 1;

    private int Skip(int at)
    {
        while (at < Text.Length && char.IsWhiteSpace(Text[at]))
        {
            at++;
        }

        return at;
    }
}

/// <summary>An entry of a mapping or a list, and where it stands.</summary>
/// <param name="Key">Null in a list.</param>
/// <param name="KeyStart">In a list, where the value begins.</param>
/// <param name="KeyEnd">Behind the key.</param>
/// <param name="Value">The value.</param>
/// <param name="IsInFlow">Whether it is within braces or brackets.</param>
internal sealed record YamlEntry(string? Key, int KeyStart, int KeyEnd, YamlPlace Value, bool IsInFlow);

/// <summary>Where a value stands in its text: [Start, End). An empty one has no length.</summary>
internal sealed record YamlPlace(int Start, int End, bool IsCollection, bool IsList, bool IsFlow, bool IsNull, IReadOnlyList<YamlEntry> Entries)
{
    public YamlEntry? Find(string key) => !IsList
        ? Entries.FirstOrDefault(e => e.Key == key)
        : int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out int i) && i < Entries.Count ? Entries[i] : null;

    /// <summary>The first document, or null where it is empty.</summary>
    /// <exception cref="YamlException">It is no YAML.</exception>
    public static YamlPlace? Read(string text)
    {
        int mark = text.StartsWith('\uFEFF') ? 1 : 0;
        List<ParsingEvent> events = [];
        var parser = new Parser(new StringReader(text[mark..]));
        while (parser.MoveNext())
        {
            events.Add(parser.Current!);
        }

        int next = 2;
        return events[1] is StreamEnd || events[2] is Scalar { Value: "" } ? null : ReadNode(text, events, mark, ref next);
    }

    private static YamlPlace ReadNode(string text, List<ParsingEvent> events, int mark, ref int next)
    {
        ParsingEvent read = events[next++];
        int start = mark + (int)read.Start.Index;
        switch (read)
        {
            case MappingStart or SequenceStart:
                bool isFlow = read is MappingStart { Style: MappingStyle.Flow } or SequenceStart { Style: SequenceStyle.Flow };
                List<YamlEntry> entries = [];
                while (events[next] is not (MappingEnd or SequenceEnd))
                {
                    YamlPlace? key = read is MappingStart ? ReadNode(text, events, mark, ref next) : null;
                    string? name = key is null ? null : (events[next - 1] as Scalar)?.Value ?? "";
                    YamlPlace value = ReadNode(text, events, mark, ref next);
                    entries.Add(new YamlEntry(name, key?.Start ?? value.Start, key?.End ?? value.Start, value, isFlow));
                }

                // A flow's end event stands at its brace; a block's stands wherever the next thing begins.
                int end = isFlow ? mark + (int)events[next].Start.Index + 1
                    : entries.Count == 0 ? start
                    : entries[^1].Value is { } last && last.End > last.Start ? last.End : entries[^1].KeyEnd;
                next++;
                return new YamlPlace(start, end, true, read is SequenceStart, isFlow, false, entries);
            case Scalar { Style: ScalarStyle.Plain, Value: "" }:
                return new YamlPlace(start, start, false, false, false, true, []);
            case Scalar scalar:
                int stop = mark + (int)scalar.End.Index;
                while (stop > start && char.IsWhiteSpace(text[stop - 1]))
                {
                    stop--;
                }

                return new YamlPlace(
                    start, stop, false, false, false, scalar.Style == ScalarStyle.Plain && ClairYaml.Resolve(scalar.Value) is null, []);
            default:
                return new YamlPlace(start, mark + (int)read.End.Index, false, false, false, false, []);
        }
    }
}
