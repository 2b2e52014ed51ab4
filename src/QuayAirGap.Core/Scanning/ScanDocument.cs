using System.Text.Json;

namespace QuayAirGap.Core.Scanning;

/// <summary>What the JSON forms of a scan report have in common: an object with a head, and a list with a member for each image.</summary>
internal static class ScanDocument
{
    /// <param name="output">Gets the document, UTF-8, and a line end after it.</param>
    /// <param name="report">Whose images are written.</param>
    /// <param name="head">Writes what comes before the list.</param>
    /// <param name="list">The list's name.</param>
    /// <param name="image">Writes one image.</param>
    public static void Write(Stream output, ScanReport report, Action<Utf8JsonWriter> head, string list, Action<Utf8JsonWriter, ScannedImage> image)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        head(json);
        json.WriteStartArray(list);
        foreach (ScannedImage one in report.Images)
        {
            image(json, one);
            json.Flush(); // else the writer holds a whole fleet
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        output.Write("\n"u8);
    }
}
