using System.Globalization;
using System.Management.Automation;
using System.Text.RegularExpressions;

namespace QuayAirGap.Commands;

/// <summary>
/// Takes "3d", "12h" and "30m" as well as what TimeSpan itself takes. A bare number is refused: PowerShell would read 3 as three ticks of
/// a hundred nanoseconds, and every feed would be expired.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed partial class DurationTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object bare = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        if (bare is TimeSpan)
        {
            return bare;
        }

        // The engine reads an unquoted 3d as the decimal number 3, but its conversion to text remembers how it was written.
        string text = ((string)LanguagePrimitives.ConvertTo(inputData, typeof(string), CultureInfo.InvariantCulture)).Trim();
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
