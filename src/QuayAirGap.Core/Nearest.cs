namespace QuayAirGap.Core;

/// <summary>What somebody may have meant.</summary>
public static class Nearest
{
    /// <summary>A candidate that begins with it, else the one with the fewest letters to change (Levenshtein); the first one of several.</summary>
    public static string To(string text, IEnumerable<string> candidates)
    {
        string wanted = text.ToLowerInvariant();
        return candidates.MinBy(c => wanted.Length > 1 && c.StartsWith(wanted, StringComparison.OrdinalIgnoreCase) ? -1 : Distance(c, wanted)) ?? throw new ArgumentException("There is nothing to choose from.", nameof(candidates));
    }

    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[b.Length];
    }
}
