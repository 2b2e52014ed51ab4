using System.Globalization;
using System.Management.Automation;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace QuayAirGap.Tests;

/// <summary>What people see of the module's objects on a screen of 80 and of 120 columns.</summary>
public sealed partial class ViewTests
{
    private static readonly string s_samples = Path.Combine(Built.Root, "tests", "QuayAirGap.Tests", "ViewSamples.ps1");

    [Theory]
    [InlineData(80, "")]
    [InlineData(80, "en-US")]
    [InlineData(120, "")]
    [InlineData(120, "en-US")]
    public void Every_table_shows_whole_words_and_cuts_nothing(int width, string culture)
    {
        using var screen = new Screen(width, culture);
        Dictionary<string, Table> tables = Tables(width);
        var seen = new HashSet<string>();
        var faults = new List<string>();
        foreach (PSObject sample in screen.Run(File.ReadAllText(s_samples)))
        {
            Table table = tables[sample.TypeNames[0]];
            seen.Add(sample.TypeNames[0]);
            IReadOnlyList<string> lines = screen.Show(sample);
            faults.AddRange(table.Faults(screen, sample, lines).Select(f => $"{table.Name}: {f}\n{string.Join('\n', lines)}\n"));
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.Equal(tables.Keys.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
    }

    private static Dictionary<string, Table> Tables(int width) =>
        XDocument.Load(Path.Combine(Built.Module, "QuayAirGap.Format.ps1xml")).Descendants("View").Where(v => v.Element("TableControl") is not null)
            .Select(v => new Table(v, width)).ToDictionary(t => t.Name);

    private sealed partial class Table
    {
        private readonly List<Column> _columns = [];

        public Table(XElement view, int width)
        {
            Name = view.Element("Name")!.Value;
            int start = 0;
            foreach ((XElement head, XElement item) in view.Descendants("TableColumnHeader").Zip(view.Descendants("TableColumnItem")))
            {
                int size = (int?)head.Element("Width") ?? width - 1 - start; // the engine leaves the last column of a screen free
                _columns.Add(new Column(
                    head.Element("Label")!.Value, start, size, head.Element("Alignment")?.Value == "Right",
                    item.Element("ScriptBlock")?.Value ?? $"$_.{item.Element("PropertyName")!.Value}"));
                start += size + 1;
            }
        }

        public string Name { get; }

        public IEnumerable<string> Faults(Screen screen, PSObject sample, IReadOnlyList<string> lines)
        {
            string[] values = [.. sample.Properties.SelectMany(p => p.Value is string[] many ? many : [p.Value as string ?? ""]).Where(t => t.Length > 0)];
            foreach (Column column in _columns)
            {
                string[] cells = [.. lines.Select(column.Cell)];
                if (cells[0].Trim() != column.Label)
                {
                    yield return $"the head '{column.Label}' is not where it belongs";
                }

                if (column.IsRight && cells.Any(c => c.Length > 0 && c.Length < column.Width))
                {
                    yield return $"'{column.Label}' is not aligned to the right";
                }

                string[] shown = [.. cells.Skip(2).SelectMany(c => c.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
                if (Name.EndsWith("ClairFeedLedgerEntry", StringComparison.Ordinal) && column.Label == "Details")
                {
                    continue; // a line for each entry: what follows is cut
                }

                string text = string.Concat(screen.Run("param($o) $_ = $o; & { " + column.Script + " }", sample).Select(o => Convert.ToString(o?.BaseObject, CultureInfo.InvariantCulture)));
                if (!text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).SequenceEqual(shown))
                {
                    yield return $"'{column.Label}' should say '{text}' and says '{string.Join('|', shown)}'";
                }

                // A word that the column has room for stands in one line; in one that it has no room for (a path, a digest), each part between signs does.
                string all = string.Concat(shown);
                HashSet<string> parts = [.. shown.SelectMany(Parts)];
                foreach (string word in values.Where(v => all.Contains(string.Concat(v.Where(c => !char.IsWhiteSpace(c))), StringComparison.Ordinal)).SelectMany(v => v.Split(' ')))
                {
                    if (word.Length <= column.Width ? !shown.Any(s => s.Contains(word, StringComparison.Ordinal)) : Parts(word).Any(p => p.Length <= column.Width && !parts.Contains(p)))
                    {
                        yield return $"'{column.Label}' breaks '{word}'";
                    }
                }
            }
        }

        private static IEnumerable<string> Parts(string word) => Letters().Matches(word).Select(m => m.Value);

        [GeneratedRegex(@"[\p{L}\p{N}]+")]
        private static partial Regex Letters();
    }

    private sealed record Column(string Label, int Start, int Width, bool IsRight, string Script)
    {
        /// <summary>What a line says in this column, with the spaces before it.</summary>
        public string Cell(string line) => line.Length <= Start ? "" : line.Substring(Start, Math.Min(Width, line.Length - Start)).TrimEnd();
    }
}
