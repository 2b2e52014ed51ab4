using QuayAirGap.Core.Pages;

namespace QuayAirGap.Core.Scanning;

/// <summary>The forms of a scan report.</summary>
public enum ScanReportFormat
{
    Html,
    Json,
    Csv,
    Sarif,
}

/// <summary>A scan report as a file.</summary>
public static class ScanReportFile
{
    public static byte[] Render(ScanReport report, ScanReportFormat format)
    {
        if (format == ScanReportFormat.Html)
        {
            return ImagesPage.Render(report).ToUtf8();
        }

        using var output = new MemoryStream();
        switch (format)
        {
            case ScanReportFormat.Json:
                ScanJson.Write(output, report);
                break;
            case ScanReportFormat.Csv:
                ScanCsv.Write(output, report);
                break;
            default:
                ScanSarif.Write(output, report);
                break;
        }

        return output.ToArray();
    }
}
