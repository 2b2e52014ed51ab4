using System.Globalization;
using System.Text.RegularExpressions;

namespace QuayAirGap.Core.Clair;

/// <summary>Lengths of time as Go writes them: "24h", "1h30m", "500ms".</summary>
internal static partial class GoDuration
{
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        Match match = Whole().Match(text);
        if (!match.Success)
        {
            return text == "0";
        }

        double seconds = 0;
        for (int i = 0; i < match.Groups["n"].Captures.Count; i++)
        {
            double number = double.Parse(match.Groups["n"].Captures[i].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
            seconds += number * match.Groups["u"].Captures[i].Value switch { "h" => 3600, "m" => 60, "s" => 1, "ms" => 1e-3, "us" or "µs" => 1e-6, _ => 1e-9 };
        }

        if (seconds > TimeSpan.MaxValue.TotalSeconds / 2)
        {
            return false;
        }

        duration = TimeSpan.FromSeconds(text.StartsWith('-') ? -seconds : seconds);
        return true;
    }

    [GeneratedRegex(@"\A[-+]?(?:(?<n>[0-9]{1,12}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})(?<u>h|ms|m|s|us|µs|ns))+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Whole();
}
