using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace QuayAirGap.Core.Sites;

/// <summary>
/// sources.yaml as text and as mappings with their places. Only what settings need is taken: one document of mappings, one-line scalars
/// and lists of these; no tags, anchors or aliases, which have no meaning here and make a file mean something else than it looks like.
/// </summary>
internal sealed class SettingsDocument
{
    private const int LargestFile = 256 << 10;
    private const int Deepest = 8;

    private readonly string _path;

    private SettingsDocument(string path, string text)
    {
        _path = path;
        Text = text;
        Root = Parse();
    }

    public string Path => _path;

    public string Text { get; }

    /// <summary>Null where the file says nothing.</summary>
    public SettingsMapping? Root { get; }

    /// <exception cref="FeedException"><see cref="ErrorIds.SettingsInvalid"/></exception>
    public static SettingsDocument Load(string path)
    {
        try
        {
            if (new FileInfo(path).Length > LargestFile)
            {
                throw Invalid(path, 1, $"the file has more than {LargestFile >> 10} KiB");
            }

            return new SettingsDocument(path, new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path)));
        }
        catch (DecoderFallbackException e)
        {
            throw Invalid(path, 1, "the file is not UTF-8", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(path, 1, $"the file cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The same file with another text.</summary>
    public SettingsDocument With(string text) => new(_path, text);

    public FeedException Invalid(int line, string what, Exception? cause = null) => Invalid(_path, line, what, cause);

    private static FeedException Invalid(string path, long line, string what, Exception? cause = null) => new(
        ErrorIds.SettingsInvalid, $"'{path}', line {line}: {what}.", path,
        "Correct the line. Get-ClairFeedSource shows what is understood; a source that is not named has its defaults.", cause);

    private SettingsMapping? Parse()
    {
        // A byte order mark is no part of the first key; the places must count it all the same.
        int mark = Text.StartsWith('\uFEFF') ? 1 : 0;
        List<ParsingEvent> events = [];
        try
        {
            var parser = new Parser(new StringReader(Text[mark..]));
            while (parser.MoveNext())
            {
                events.Add(parser.Current!);
            }
        }
        catch (YamlException e)
        {
            throw Invalid(_path, e.End.Line, $"this is not YAML: {e.Message.TrimEnd('.')}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            // What the parser throws at some malformed input instead of its own kind.
            throw Invalid(_path, events.Count == 0 ? 1 : events[^1].End.Line, $"this is not YAML: {e.Message.TrimEnd('.')}", e);
        }

        return new Builder(this, events, mark).ReadDocument();
    }

    private sealed class Builder(SettingsDocument document, List<ParsingEvent> events, int offset)
    {
        private int _next = 1; // past the start of the stream

        public SettingsMapping? ReadDocument()
        {
            if (events[_next] is StreamEnd)
            {
                return null;
            }

            _next++;
            SettingsNode root = ReadNode(0);
            _next++;
            if (events[_next] is not StreamEnd)
            {
                throw document.Invalid((int)events[_next].Start.Line, "a second document begins");
            }

            return root switch
            {
                SettingsMapping mapping => mapping,
                SettingsScalar { IsNull: true } => null,
                _ => throw document.Invalid(root.Line, "settings are written as 'key: value'"),
            };
        }

        private SettingsNode ReadNode(int depth)
        {
            ParsingEvent at = events[_next++];
            int line = (int)at.Start.Line;
            if (at is NodeEvent node && (!node.Anchor.IsEmpty || !node.Tag.IsEmpty))
            {
                throw document.Invalid(line, "anchors and tags are not used in settings");
            }

            return at switch
            {
                Scalar scalar => ReadScalar(scalar),
                MappingStart when depth == Deepest => throw document.Invalid(line, "settings are not nested as deeply"),
                MappingStart mapping => ReadMapping(mapping, depth),
                SequenceStart list => ReadList(list),
                _ => throw document.Invalid(line, "aliases are not used in settings"),
            };
        }

        private SettingsScalar ReadScalar(Scalar scalar)
        {
            if (scalar.Style is ScalarStyle.Literal or ScalarStyle.Folded || scalar.Start.Line != scalar.End.Line)
            {
                throw document.Invalid((int)scalar.Start.Line, "a value stands on one line");
            }

            return new SettingsScalar(
                scalar.Value, scalar.Style == ScalarStyle.Plain, offset + (int)scalar.Start.Index, offset + (int)scalar.End.Index, (int)scalar.Start.Line);
        }

        private SettingsList ReadList(SequenceStart start)
        {
            List<SettingsScalar> items = [];
            while (events[_next] is not SequenceEnd)
            {
                SettingsNode item = ReadNode(Deepest);
                items.Add(item as SettingsScalar ?? throw document.Invalid(item.Line, "a list holds words"));
            }

            bool isFlow = start.Style == SequenceStyle.Flow;
            int end = isFlow || items.Count == 0 ? offset + (int)events[_next].Start.Index + 1 : items[^1].End;
            _next++;
            return new SettingsList(isFlow, items, offset + (int)start.Start.Index, end, (int)start.Start.Line);
        }

        private SettingsMapping ReadMapping(MappingStart start, int depth)
        {
            List<SettingsEntry> entries = [];
            while (events[_next] is not MappingEnd)
            {
                SettingsEntry entry = ReadEntry(depth);
                if (entries.Any(e => e.Key.Value == entry.Key.Value))
                {
                    throw document.Invalid(entry.Key.Line, $"'{entry.Key.Value}' is said twice");
                }

                entries.Add(entry);
            }

            // A flow mapping's end event stands at its brace; a block's stands wherever the next thing begins.
            bool isFlow = start.Style == MappingStyle.Flow;
            int end = isFlow
                ? offset + (int)events[_next].Start.Index + 1
                : Math.Max(entries[^1].Key.End, entries[^1].Value.End);
            _next++;
            return new SettingsMapping(isFlow, entries, offset + (int)start.Start.Index, end, (int)start.Start.Line);
        }

        private SettingsEntry ReadEntry(int depth)
        {
            SettingsNode node = ReadNode(depth + 1);
            if (node is not SettingsScalar key)
            {
                throw document.Invalid(node.Line, "a key is a word");
            }

            SettingsNode value = ReadNode(depth + 1);
            return value is SettingsScalar && value.Line != key.Line
                ? throw document.Invalid(value.Line, $"the value of '{key.Value}' stands on the line of its key")
                : new SettingsEntry(key, value);
        }
    }
}
