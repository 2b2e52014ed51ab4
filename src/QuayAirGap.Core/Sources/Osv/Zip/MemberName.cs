using System.Globalization;

namespace QuayAirGap.Core.Sources.Osv.Zip;

/// <summary>Names out of an archive are anybody's text: in messages they are cut and cannot break a line or a terminal.</summary>
internal static class MemberName
{
    private const int LongestShown = 120;

    public static string ForPeople(string name)
    {
        string shown = name.Length > LongestShown ? name[..LongestShown] + "…" : name;
        return string.Create(shown.Length, shown, static (text, from) =>
        {
            for (int i = 0; i < from.Length; i++)
            {
                bool unseen = char.IsControl(from[i]) || char.GetUnicodeCategory(from[i]) == UnicodeCategory.Format;
                text[i] = unseen ? '\uFFFD' : from[i];
            }
        });
    }
}
