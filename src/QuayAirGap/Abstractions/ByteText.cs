using System.Globalization;

namespace QuayAirGap.Commands;

/// <summary>Bytes for people: "512 B", "1.5 MB" (powers of 1024, as PowerShell's own MB).</summary>
internal static class ByteText
{
    private static readonly string[] s_units = ["B", "KB", "MB", "GB", "TB"];

    public static string Of(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < s_units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{(unit == 0 ? value : Math.Round(value, 1))} {s_units[unit]}");
    }
}
