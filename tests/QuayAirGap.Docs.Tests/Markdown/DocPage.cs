using System.Text.RegularExpressions;
using QuayAirGap.TestKit.Samples;

namespace QuayAirGap.Docs.Tests.Markdown;

/// <summary>A Markdown document of the repository: what of it can be held to the product.</summary>
internal sealed partial record DocPage
{
    /// <summary>What a comment before a block may be called; anything else is a misspelt one.</summary>
    private static readonly string[] s_markers = ["not run", "file", "output", "silent", "fails", "exit", "whole powershell"];

    /// <summary>From the repository's root, with slashes.</summary>
    public required string Path { get; init; }

    public required string Text { get; init; }

    public required IReadOnlyList<DocBlock> Blocks { get; init; }

    /// <summary>The document whose end this one begins with, from the repository's root; null where it begins with nothing.</summary>
    public string? BeginsAfter { get; init; }

    /// <summary>The text without fenced blocks: where links and headings are.</summary>
    public required string Prose { get; init; }

    /// <summary>Every document that people read: the front page, everything in docs, and what stands beside packages and tests.</summary>
    public static IReadOnlyList<string> AllPaths { get; } =
    [
        .. new[] { "README.md", "CONTRIBUTING.md", "SECURITY.md" },
        .. Directory.GetFiles(System.IO.Path.Combine(RepositoryFolders.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(f => System.IO.Path.GetRelativePath(RepositoryFolders.Root, f).Replace('\\', '/')).Order(StringComparer.Ordinal),
        .. new[] { "packaging/README.md", "packaging/nginx/README.md" },
    ];

    public static DocPage Load(string path) => Parse(path, System.IO.File.ReadAllText(System.IO.Path.Combine(RepositoryFolders.Root, path)).ReplaceLineEndings("\n"));

    /// <exception cref="FormatException">A fence is not closed, or a comment before a block has no known name.</exception>
    public static DocPage Parse(string path, string text)
    {
        string[] lines = text.Split('\n');
        var blocks = new List<DocBlock>();
        var prose = new List<string>();
        var markers = new Dictionary<string, string>(StringComparer.Ordinal);
        string? beginsAfter = null;
        for (int i = 0; i < lines.Length; i++)
        {
            Match fence = Fence().Match(lines[i]);
            if (fence.Success)
            {
                int end = Array.FindIndex(lines, i + 1, l => l.Trim() == fence.Groups["fence"].Value);
                if (end < 0)
                {
                    throw new FormatException($"{path}:{i + 1}: the block has no end.");
                }

                int indent = fence.Groups["indent"].Length;
                string code = string.Join('\n', lines[(i + 1)..end].Select(l => l.Length >= indent && string.IsNullOrWhiteSpace(l[..indent]) ? l[indent..] : l.TrimStart()));
                blocks.Add(new DocBlock(i + 1, fence.Groups["language"].Value, code, markers));
                markers = new Dictionary<string, string>(StringComparer.Ordinal);
                i = end;
                continue;
            }

            Match comment = Comment().Match(lines[i]);
            if (comment.Success && comment.Groups["name"].Value == "begins after")
            {
                beginsAfter = Resolve(path, comment.Groups["value"].Value);
            }
            else if (comment.Success && s_markers.Contains(comment.Groups["name"].Value))
            {
                markers.Add(comment.Groups["name"].Value, comment.Groups["value"].Value);
            }
            else if (lines[i].Trim().Length > 0 && markers.Count > 0)
            {
                throw new FormatException($"{path}:{i + 1}: the comment before this line belongs to no block.");
            }

            prose.Add(lines[i]);
        }

        return new DocPage { Path = path, Text = text, Blocks = blocks, BeginsAfter = beginsAfter, Prose = string.Join('\n', prose) };
    }

    /// <summary>What a relative link on a page leads to, from the repository's root.</summary>
    public static string Resolve(string page, string link)
    {
        string folder = System.IO.Path.GetDirectoryName(page) ?? "";
        string full = System.IO.Path.GetFullPath(System.IO.Path.Combine("/", folder, link));
        return full[(System.IO.Path.GetPathRoot(full) ?? "").Length..].Replace('\\', '/');
    }

    /// <summary>The anchors that its headings have where the page is shown.</summary>
    public IReadOnlyList<string> Anchors()
    {
        var anchors = new List<string>();
        foreach (string title in Prose.Split('\n').Select(l => Heading().Match(l)).Where(m => m.Success).Select(m => m.Groups["title"].Value))
        {
            string plain = Link().Replace(title, "${text}").ToLowerInvariant();
            string anchor = string.Concat(plain.Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');
            int count = anchors.Count(a => a == anchor || Regex.IsMatch(a, $"^{Regex.Escape(anchor)}-[0-9]+$"));
            anchors.Add(count == 0 ? anchor : $"{anchor}-{count}");
        }

        return anchors;
    }

    /// <summary>The targets of its links and images.</summary>
    public IEnumerable<string> Links() => Link().Matches(CodeSpan().Replace(Prose, "")).Select(m => m.Groups["target"].Value);

    [GeneratedRegex(@"^(?<indent>\s*([0-9]+\.\s+|[-*]\s+)?)(?<fence>`{3,})(?<language>[A-Za-z0-9+-]*)\s*$")]
    private static partial Regex Fence();

    [GeneratedRegex(@"^\s*([0-9]+\.\s+|[-*]\s+)?<!--\s*(?<name>[a-z][a-z ]*?)\s*(:\s*(?<value>.*?))?\s*-->\s*$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^#{1,6}\s+(?<title>.*?)\s*$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"!?\[(?<text>[^\]]*)\]\((?<target>[^()\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`[^`\n]*`")]
    private static partial Regex CodeSpan();
}
