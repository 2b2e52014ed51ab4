namespace QuayAirGap.Core.Sources.Osv;

/// <summary>
/// Which CVSS vectors kill Clair. claircore up to v1.5.48 (Clair 4.9.0) asks a vector for its score before it looks whether the vector could
/// be parsed, and scoring one of version 2 or 3 that lacks a base metric panics: the whole process dies, with every updater in it
/// (claircore: updater/osv/osv.go, toolkit/types/cvss; quay/claircore#2017). What counts is therefore not whether a vector is right,
/// but whether its parser had met all base metrics when it stopped. Version 4 scores whatever it is given.
/// </summary>
internal static class CvssVector
{
    private static readonly (string Metric, string Values)[] s_v2Base =
        [("AV", "LAN"), ("AC", "HML"), ("Au", "MSN"), ("C", "NPC"), ("I", "NPC"), ("A", "NPC")];

    /// <summary>The eight base metrics first: their bits are the low ones.</summary>
    private static readonly (string Metric, string Values)[] s_v3 =
    [
        ("AV", "NALP"), ("AC", "LH"), ("PR", "NLH"), ("UI", "NR"), ("S", "UC"), ("C", "HLN"), ("I", "HLN"), ("A", "HLN"),
        ("E", "XHFPU"), ("RL", "XUWTO"), ("RC", "XCRU"), ("CR", "XHML"), ("IR", "XHML"), ("AR", "XHML"),
        ("MAV", "XNALP"), ("MAC", "XLH"), ("MPR", "XNLH"), ("MUI", "XNR"), ("MS", "XUC"), ("MC", "XNLH"), ("MI", "XNLH"), ("MA", "XNLH"),
    ];

    /// <param name="type">The severity's type in the advisory: "CVSS_V2", "CVSS_V3", "CVSS_V4"; any other is not scored.</param>
    /// <param name="score">The vector.</param>
    public static bool CrashesClair(string type, string score) => type switch
    {
        "CVSS_V2" => !MeetsV2Base(score),
        "CVSS_V3" => !MeetsV3Base(score),
        _ => false,
    };

    /// <summary>In this order, each closed by a slash or the end; what follows the last one does not matter any more.</summary>
    private static bool MeetsV2Base(ReadOnlySpan<char> rest)
    {
        for (int i = 0; i < s_v2Base.Length; i++)
        {
            (string metric, string values) = s_v2Base[i];
            int value = metric.Length + 1;
            if (rest.Length <= value || !rest.StartsWith(metric, StringComparison.Ordinal) || rest[metric.Length] != ':'
                || !values.Contains(rest[value], StringComparison.Ordinal))
            {
                return false;
            }

            bool last = i == s_v2Base.Length - 1;
            rest = rest[(value + 1)..];
            if (rest.IsEmpty ? !last : rest[0] != '/')
            {
                return false;
            }

            rest = rest.IsEmpty ? rest : rest[1..];
        }

        return true;
    }

    /// <summary>In any order; the parser stops at an unknown metric or value, a second value of a metric, or anything but a slash.</summary>
    private static bool MeetsV3Base(ReadOnlySpan<char> rest)
    {
        const string Prefix = "CVSS:3.";
        if (rest.Length <= Prefix.Length || !rest.StartsWith(Prefix, StringComparison.Ordinal) || rest[Prefix.Length] is not ('0' or '1'))
        {
            return false;
        }

        uint met = 0;
        rest = rest[(Prefix.Length + 1)..];
        while (rest.Length > 0 && rest[0] == '/')
        {
            rest = rest[1..];
            int colon = rest.IndexOf(':');
            int metric = colon < 0 ? -1 : IndexOf(rest[..colon]);
            if (metric < 0 || (met & (1u << metric)) != 0 || colon + 1 >= rest.Length
                || !s_v3[metric].Values.Contains(rest[colon + 1], StringComparison.Ordinal))
            {
                break;
            }

            met |= 1u << metric;
            rest = rest[(colon + 2)..];
        }

        return (met & 0xFF) == 0xFF;
    }

    private static int IndexOf(ReadOnlySpan<char> metric)
    {
        for (int i = 0; i < s_v3.Length; i++)
        {
            if (metric.SequenceEqual(s_v3[i].Metric))
            {
                return i;
            }
        }

        return -1;
    }
}
