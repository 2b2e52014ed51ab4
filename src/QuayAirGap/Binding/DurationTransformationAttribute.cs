using System.Globalization;
using System.Management.Automation;
using System.Text.RegularExpressions;

namespace QuayAirGap.Commands;

/// <summary>
/// Takes "3d", "12h" and "30m" as well as what TimeSpan itself takes. A bare number is refused: PowerShell would read 3 as three ticks of
/// a hundred nanoseconds, and every feed would be expired.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed partial class DurationTransformationAttribute : TextTransformationAttribute<TimeSpan>
{
    private protected override TimeSpan Read(string text)
    {
        Match match = Short().Match(text);
        if (match.Success && double.TryParse(match.Groups[1].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
        {
            return char.ToLowerInvariant(match.Groups[2].Value[0]) switch
            {
                'd' => TimeSpan.FromDays(number),
                'h' => TimeSpan.FromHours(number),
                _ => TimeSpan.FromMinutes(number),
            };
        }

        return text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan span)
            ? span
            : throw new ArgumentTransformationMetadataException($"'{text}' is not a duration. Write it with its unit: 3d, 12h, 30m or 3.12:30:00.");
    }

    [GeneratedRegex(@"\A([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*([dhm])\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Short();
}
