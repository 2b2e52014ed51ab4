namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// Which CVSS vectors end the process of Clair v4.9.0 (claircore v1.5.48, toolkit/types/cvss): updater/osv scores a vector even when
/// parsing it failed, and the v2 and v3 scores panic when a base metric is missing from what had been parsed up to the error. The v4
/// score takes anything.
/// </summary>
internal static class CvssVector
{
    private static readonly (string Name, string Values)[] s_version3 =
    [
        ("AV", "NALP"), ("AC", "LH"), ("PR", "NLH"), ("UI", "NR"), ("S", "UC"), ("C", "HLN"), ("I", "HLN"), ("A", "HLN"),
        ("E", "XHFPU"), ("RL", "XUWTO"), ("RC", "XCRU"), ("CR", "XHML"), ("IR", "XHML"), ("AR", "XHML"),
        ("MAV", "XNALP"), ("MAC", "XLH"), ("MPR", "XNLH"), ("MUI", "XNR"), ("MS", "XUC"),
        ("MC", "XNLH"), ("MI", "XNLH"), ("MA", "XNLH"),
    ];

    private static readonly (string Name, string Values)[] s_version2Base =
        [("AV", "LAN"), ("AC", "HML"), ("Au", "MSN"), ("C", "NPC"), ("I", "NPC"), ("A", "NPC")];

    /// <summary>Whether scoring it panics.</summary>
    /// <param name="type">The type that the advisory gives it: <c>CVSS_V2</c>, <c>CVSS_V3</c> or <c>CVSS_V4</c>; others are not scored.</param>
    /// <param name="vector">The vector.</param>
    public static bool Panics(string type, string vector) => type switch
    {
        "CVSS_V3" => BaseMetricsOfVersion3(vector) < 8,
        "CVSS_V2" => !HasBaseOfVersion2(vector),
        _ => false,
    };

    private static int BaseMetricsOfVersion3(string vector)
    {
        if (vector is not ['C', 'V', 'S', 'S', ':', '3', '.', '0' or '1', .. var rest])
        {
            return 0;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (rest is ['/', .. var metric] && metric.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon)
        {
            var name = metric[..colon];
            var known = Array.Find(s_version3, m => m.Name == name);
            if (known.Name is null
                || colon + 1 >= metric.Length
                || !known.Values.Contains(metric[colon + 1], StringComparison.Ordinal)
                || !seen.Add(name))
            {
                break;
            }

            rest = metric[(colon + 2)..];
        }

        return s_version3[..8].Count(m => seen.Contains(m.Name));
    }

    private static bool HasBaseOfVersion2(string vector)
    {
        var rest = vector;
        foreach (var (name, values) in s_version2Base)
        {
            var first = name == "AV" ? string.Empty : "/";
            var prefix = first + name + ":";
            if (!rest.StartsWith(prefix, StringComparison.Ordinal) || rest.Length == prefix.Length
                || !values.Contains(rest[prefix.Length], StringComparison.Ordinal))
            {
                return false;
            }

            rest = rest[(prefix.Length + 1)..];
        }

        // The last value is only taken over when the next character is read as a separator, or at the end.
        return rest.Length == 0 || rest[0] == '/';
    }
}
