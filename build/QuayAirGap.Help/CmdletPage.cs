namespace QuayAirGap.Help;

/// <summary>One example of a page.</summary>
public sealed record PageExample(string Title, string Code, IReadOnlyList<string> Remarks);

/// <summary>One documented item under a heading: a parameter, an input or an output.</summary>
public sealed record PageItem(string Name, IReadOnlyList<string> Paragraphs);

/// <summary>A page of docs/cmdlets: a title, the synopsis, and the sections that help needs.</summary>
public sealed record CmdletPage
{
    public required string Name { get; init; }

    public required string Synopsis { get; init; }

    public required IReadOnlyList<string> Description { get; init; }

    public required IReadOnlyList<PageItem> Parameters { get; init; }

    public required IReadOnlyList<PageItem> Inputs { get; init; }

    public required IReadOnlyList<PageItem> Outputs { get; init; }

    public required IReadOnlyList<string> Errors { get; init; }

    public required IReadOnlyList<PageExample> Examples { get; init; }

    public required IReadOnlyList<string> Related { get; init; }

    /// <exception cref="FormatException">The page is not in the form that all pages have.</exception>
    public static CmdletPage Parse(string text)
    {
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        if (lines.Length == 0 || !lines[0].StartsWith("# ", StringComparison.Ordinal))
        {
            throw new FormatException("A page begins with '# ' and the cmdlet's name.");
        }

        Dictionary<string, List<string>> sections = Split(lines.Skip(1), "## ");
        List<string> Section(string name) => sections.TryGetValue(name, out List<string>? found) ? found : [];
        IReadOnlyList<PageItem> Items(string name) =>
            [.. Split(Section(name), "### ").Where(s => s.Key.Length > 0).Select(s => new PageItem(s.Key, Paragraphs(s.Value)))];

        return new CmdletPage
        {
            Name = lines[0][2..].Trim(),
            Synopsis = string.Join(' ', Paragraphs(Section(""))),
            Description = Paragraphs(Section("Description")),
            Parameters = [.. Items("Parameters").Select(p => p with { Name = p.Name.TrimStart('-') })],
            Inputs = Items("Inputs"),
            Outputs = Items("Outputs"),
            Errors = Paragraphs(Section("Errors")),
            Examples = [.. Split(Section("Examples"), "### ").Where(s => s.Key.Length > 0).Select(s => Example(s.Key, s.Value))],
            Related = [.. Paragraphs(Section("Related")).Select(p => p.TrimStart('-', ' '))],
        };
    }

    private static Dictionary<string, List<string>> Split(IEnumerable<string> lines, string heading)
    {
        var sections = new Dictionary<string, List<string>>(StringComparer.Ordinal) { [""] = [] };
        List<string> current = sections[""];
        foreach (string line in lines)
        {
            if (line.StartsWith(heading, StringComparison.Ordinal))
            {
                current = [];
                sections.Add(line[heading.Length..].Trim(), current);
            }
            else
            {
                current.Add(line);
            }
        }

        return sections;
    }

    private static PageExample Example(string title, List<string> lines)
    {
        int start = lines.FindIndex(l => l.StartsWith("```", StringComparison.Ordinal));
        int end = lines.FindIndex(start + 1, l => l.StartsWith("```", StringComparison.Ordinal));
        return start < 0 || end < 0
            ? throw new FormatException($"The example '{title}' has no code.")
            : new PageExample(title, string.Join('\n', lines[(start + 1)..end]), Paragraphs([.. lines[..start], .. lines[(end + 1)..]]));
    }

    /// <summary>Runs of lines, joined; each "- " begins one of its own, and indented lines, what a file says, stay lines. Back quotes are for readers of the page.</summary>
    private static List<string> Paragraphs(IEnumerable<string> lines)
    {
        var paragraphs = new List<string>();
        bool open = false;
        bool quoted = false;
        foreach (string raw in lines)
        {
            string line = raw.Trim();
            if (!open && line.Length > 0 && raw.StartsWith("    ", StringComparison.Ordinal))
            {
                if (quoted)
                {
                    paragraphs[^1] += "\n" + raw[4..].TrimEnd();
                }
                else
                {
                    paragraphs.Add(raw[4..].TrimEnd());
                }

                quoted = true;
                continue;
            }

            quoted = false;

            // Comments are for the documents' tests.
            if (line.Length == 0 || (line.StartsWith("<!--", StringComparison.Ordinal) && line.EndsWith("-->", StringComparison.Ordinal)))
            {
                open = false;
            }
            else if (open && !line.StartsWith("- ", StringComparison.Ordinal))
            {
                paragraphs[^1] += " " + line;
            }
            else
            {
                paragraphs.Add(line);
                open = true;
            }
        }

        return [.. paragraphs.Select(p => p.Replace("`", "", StringComparison.Ordinal))];
    }
}
