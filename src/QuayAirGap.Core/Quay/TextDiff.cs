using System.Text;
using System.Text.RegularExpressions;

namespace QuayAirGap.Core.Quay;

/// <summary>What a change does to a text, line by line, for people. Passwords and keys are not shown.</summary>
internal static partial class TextDiff
{
    private const int Context = 2;

    // Beyond that the table of lines would not fit into memory; a configuration is far from it.
    private const int MostLines = 2_000;

    /// <param name="before">Null where there was nothing.</param>
    /// <param name="after">Null where there is to be nothing.</param>
    public static string Of(string? before, string? after)
    {
        string[] old = Lines(before);
        string[] now = Lines(after);
        if (old.Length > MostLines || now.Length > MostLines)
        {
            return $"({old.Length} lines become {now.Length})";
        }

        List<(char Mark, string Line)> all = Compare(old, now);
        var text = new StringBuilder();
        bool gap = false;
        for (int i = 0; i < all.Count; i++)
        {
            if (all.Skip(Math.Max(0, i - Context)).Take(i - Math.Max(0, i - Context) + Context + 1).Any(l => l.Mark != ' '))
            {
                text.Append(gap ? "  ...\n" : "").Append(all[i].Mark).Append(' ').Append(Secret().Replace(all[i].Line, "$1(not shown)")).Append('\n');
                gap = false;
            }
            else
            {
                gap = true;
            }
        }

        return text.ToString();
    }

    private static string[] Lines(string? text) => string.IsNullOrEmpty(text) ? [] : text.TrimEnd('\n').ReplaceLineEndings("\n").Split('\n');

    private static List<(char Mark, string Line)> Compare(string[] old, string[] now)
    {
        int[,] common = new int[old.Length + 1, now.Length + 1];
        for (int i = old.Length - 1; i >= 0; i--)
        {
            for (int j = now.Length - 1; j >= 0; j--)
            {
                common[i, j] = old[i] == now[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        List<(char Mark, string Line)> lines = [];
        for (int i = 0, j = 0; i < old.Length || j < now.Length;)
        {
            if (i < old.Length && j < now.Length && old[i] == now[j])
            {
                lines.Add((' ', old[i]));
                i++;
                j++;
            }
            else if (j == now.Length || (i < old.Length && common[i + 1, j] >= common[i, j + 1]))
            {
                lines.Add(('-', old[i++]));
            }
            else
            {
                lines.Add(('+', now[j++]));
            }
        }

        return lines;
    }

    [GeneratedRegex(
        @"^([\s\-""]*(?:connstring|key|[\w.-]*(?:password|secret|psk|token|_key|_uri))""?\s*:\s*)\S.*$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Secret();
}
