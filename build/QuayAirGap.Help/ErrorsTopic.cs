using System.Text;

namespace QuayAirGap.Help;

/// <summary>about_QuayAirGap_Errors, made of the page docs/reference/errors.md: one text for people at a browser and for people at a prompt.</summary>
public static class ErrorsTopic
{
    private const int Width = 120;
    private const string Indent = "    ";

    public static string PathIn(string repositoryRoot) => Path.Combine(repositoryRoot, "module", "en-US", "about_QuayAirGap_Errors.help.txt");

    public static string Generate(string repositoryRoot) =>
        Create(File.ReadAllText(Path.Combine(repositoryRoot, "docs", "reference", "errors.md")).ReplaceLineEndings("\n"));

    /// <exception cref="FormatException">A row has not the three cells that all rows have.</exception>
    public static string Create(string page)
    {
        var text = new StringBuilder("""
            TOPIC
                about_QuayAirGap_Errors

            SHORT DESCRIPTION
                Every error of QuayAirGap by its id: what happened, and what to do.

            LONG DESCRIPTION
                Each error has an id that never changes its meaning: in brackets at the end of the message, as the first part of
                FullyQualifiedErrorId, in the ledger, and in warnings of refused bundles. The message itself says what happened to what, and the next
                line what to do. Scripts branch on the id, never on the text:

                    try { Import-ClairFeed E:\clairfeed.tar -ErrorAction Stop }
                    catch { if ($_.FullyQualifiedErrorId.Split(',')[0] -ne 'BundleNotFound') { throw } }

                An error leaves things as they were unless it says otherwise.

            """.ReplaceLineEndings("\n"));
        foreach (string line in page.Split('\n'))
        {
            if (line.StartsWith("## ", StringComparison.Ordinal))
            {
                text.Append('\n').Append(line[3..].Trim().ToUpperInvariant()).Append('\n');
            }
            else if (line.StartsWith("| `", StringComparison.Ordinal))
            {
                string[] cells = [.. line.Trim().Trim('|').Split(" | ").Select(c => c.Replace("`", "", StringComparison.Ordinal).Trim())];
                if (cells.Length != 3)
                {
                    throw new FormatException($"A row of the errors page has {cells.Length} cells: {line}");
                }

                text.Append(Indent).Append(cells[0]).Append('\n');
                Wrap(text, cells[1]);
                Wrap(text, cells[2]);
                text.Append('\n');
            }
        }

        return text.Append("SEE ALSO\n").Append(Indent).Append("about_QuayAirGap, Get-ClairFeedLedger\n").ToString();
    }

    private static void Wrap(StringBuilder text, string paragraph)
    {
        int column = 0;
        foreach (string word in paragraph.Split(' '))
        {
            if (column == 0 || column + 1 + word.Length > Width)
            {
                text.Append(column == 0 ? "" : "\n").Append(Indent).Append(Indent).Append(word);
                column = (2 * Indent.Length) + word.Length;
            }
            else
            {
                text.Append(' ').Append(word);
                column += 1 + word.Length;
            }
        }

        text.Append('\n');
    }
}
