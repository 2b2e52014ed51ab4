using System.Globalization;
using System.Xml;

namespace QuayAirGap.Core.Sources.Aws;

/// <summary>An unpacked updateinfo.xml (claircore aws/internal/alas/updates.go).</summary>
internal static class UpdateInfo
{
    // Clair fails the release on any other.
    private static readonly string[] s_dates = ["yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss"];

    /// <summary>Reads it to its end, one advisory at a time.</summary>
    /// <param name="content">XML.</param>
    /// <param name="census">Told of each advisory with its date of change, else of issue; upstream gives no zone, and UTC is meant.</param>
    /// <param name="cancellationToken">Looked at between advisories.</param>
    /// <returns>How many advisories there were.</returns>
    /// <exception cref="XmlException">It is not XML, is cut short, or has a document type.</exception>
    /// <exception cref="InvalidDataException">Clair could not read it.</exception>
    public static long Read(Stream content, AdvisoryCensus census, CancellationToken cancellationToken)
    {
        using var reader = XmlReader.Create(content, SafeXml.Settings);
        if (reader.MoveToContent() != XmlNodeType.Element || reader.LocalName != "updates")
        {
            throw new InvalidDataException($"its root is '{reader.LocalName}' where 'updates' belongs");
        }

        long count = 0;
        string? id = null;
        DateTimeOffset? issued = null;
        DateTimeOffset? updated = null;
        while (reader.Read())
        {
            if (reader is { NodeType: XmlNodeType.Element, Depth: 1, LocalName: "update" })
            {
                cancellationToken.ThrowIfCancellationRequested();
                (id, issued, updated) = (null, null, null);
            }

            while (reader is { NodeType: XmlNodeType.Element, Depth: 2 })
            {
                switch (reader.LocalName)
                {
                    case "id":
                        id = reader.ReadElementContentAsString();
                        continue;
                    case "issued":
                        issued = DateOf(reader);
                        break;
                    case "updated":
                        updated = DateOf(reader);
                        break;
                }

                break;
            }

            if (reader is { Depth: 1, LocalName: "update" } and ({ NodeType: XmlNodeType.EndElement } or { IsEmptyElement: true }))
            {
                count++;
                census.Add(
                    string.IsNullOrWhiteSpace(id) ? throw new InvalidDataException($"its advisory {count} has no id") : id.Trim(), updated ?? issued);
            }
        }

        return count;
    }

    private static DateTimeOffset? DateOf(XmlReader reader) => reader.GetAttribute("date") is not { } text
        ? null
        : DateTimeOffset.TryParseExact(text, s_dates, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset date)
            ? date
            : throw new InvalidDataException($"it has a date that Clair cannot read: '{text}'");
}
