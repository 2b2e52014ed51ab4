using System.Globalization;
using System.Text;

namespace QuayAirGap.Server.Http;

/// <summary>What a client sends must not be able to end a line or a field of a log, nor to control a terminal.</summary>
internal static class LogText
{
    public static string Clean(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~') && !text.Contains('"'))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            if (c is < ' ' or > '~' or '"')
            {
                clean.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            }
            else
            {
                clean.Append(c);
            }
        }

        return clean.ToString();
    }
}
