using System.Globalization;
using System.Management.Automation;
using System.Text.RegularExpressions;

namespace QuayAirGap.Commands;

/// <summary>
/// Takes a medium's size as its box says it: "4.7GB" is 4,700,000,000 bytes, as discs and sticks are sold, and not PowerShell's 4.7GB, which no disc of that
/// name has room for. "4.4GiB" are powers of 1024; a bare number is bytes, and the most that a file may have.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed partial class VolumeSizeTransformationAttribute : TextTransformationAttribute<VolumeSize>
{
    private protected override VolumeSize Read(string text)
    {
        Match match = Size().Match(text);
        if (match.Success && decimal.TryParse(match.Groups[1].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number))
        {
            string unit = match.Groups[2].Value.ToUpperInvariant();
            int power = unit.Length == 0 ? 0 : "KMGT".IndexOf(unit[0], StringComparison.Ordinal) + 1;
            decimal bytes = number;
            for (int i = 0; i < power; i++)
            {
                bytes *= unit.Length == 3 ? 1024 : 1000;
            }

            if (bytes is >= 1 and <= 1L << 50)
            {
                return new VolumeSize((long)bytes, IsMedium: power > 1);
            }
        }

        throw new ArgumentTransformationMetadataException($"'{text}' is not the size of a medium. Write it with its unit (4.7GB, 25GB, 650MB, 4.4GiB), or as a number of bytes.");
    }

    [GeneratedRegex(@"\A([0-9]{1,16}(?:\.[0-9]{1,6})?)\s*([KMGT]i?B)?\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Size();
}
