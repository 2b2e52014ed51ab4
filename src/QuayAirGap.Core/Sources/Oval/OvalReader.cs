using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;

namespace QuayAirGap.Core.Sources.Oval;

/// <summary>
/// Reads an OVAL document to its end without keeping it, and counts its definitions. Refuses what Clair would refuse as a whole or would
/// crash at (goval-parser oval/types.go, claircore pkg/ovalutil/dpkg.go), so that it fails here, where it is seen.
/// </summary>
internal sealed partial class OvalReader
{
    private const string RootName = "oval_definitions";

    private readonly AdvisoryCensus _census;
    private readonly StringBuilder _text = new();
    private long _count;
    private string _section = "";
    private string? _parent;
    private string? _definition;
    private DateTimeOffset? _newest;
    private string? _dateAttribute;
    private bool _inDate;
    private string? _package;
    private bool _isNamed;

    private OvalReader(AdvisoryCensus census) => _census = census;

    /// <param name="content">Seekable; disposed.</param>
    /// <param name="packing">How it is packed.</param>
    /// <param name="limits">Against bombs.</param>
    /// <param name="census">Gets every definition that is an advisory, with its newest date.</param>
    /// <returns>How many definitions are advisories: a release's own "is installed" does not count.</returns>
    /// <exception cref="InvalidDataException">It is no such document, or not to its end. The message says what is wrong, to go on a sentence.</exception>
    public static long Read(Stream content, OvalPacking packing, OvalLimits limits, AdvisoryCensus census, CancellationToken cancellationToken)
    {
        using var unpacked = new UnpackedStream(content, packing, limits, cancellationToken);
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            IgnoreWhitespace = true,
        };
        var reader = new OvalReader(census);
        try
        {
            using var xml = XmlReader.Create(unpacked, settings);
            while (xml.Read())
            {
                unpacked.Mark();
                if (xml.Depth > limits.Depth)
                {
                    throw new InvalidDataException($"its elements are more than {limits.Depth} levels deep");
                }

                reader.Take(xml);
            }
        }
        catch (XmlException e)
        {
            throw new InvalidDataException(e.Message.TrimEnd('.'), e);
        }

        return reader._count;
    }

    private void Take(XmlReader xml)
    {
        switch (xml.NodeType)
        {
            case XmlNodeType.Element:
                Open(xml);
                if (xml.IsEmptyElement)
                {
                    Close(xml.Depth);
                }

                break;
            case XmlNodeType.Text or XmlNodeType.CDATA when _inDate:
                _text.Append(xml.Value);
                break;
            case XmlNodeType.EndElement:
                Close(xml.Depth);
                break;
        }
    }

    private void Open(XmlReader xml)
    {
        switch (xml.Depth)
        {
            case 0 when xml.LocalName != RootName:
                throw new InvalidDataException($"its root is <{xml.LocalName}>, not <{RootName}>");
            case 1:
                _section = xml.LocalName;
                break;
            case 2 when _section == "definitions" && xml.LocalName == "definition" && xml.GetAttribute("class") != "inventory":
                _definition = xml.GetAttribute("id") is { Length: > 0 } id ? id : throw new InvalidDataException("a definition has no id");
                _newest = null;
                break;
            case 2 when xml.LocalName is "dpkginfo_object" or "dpkginfo_state":
                _package = xml.GetAttribute("id") ?? "";
                _isNamed = xml.LocalName == "dpkginfo_state";
                break;
            case 3 when _package is not null && xml.LocalName == "name":
                _isNamed = true;
                break;
            case 3 when _package is not null && _section == "states" && xml.LocalName == "arch":
                throw new InvalidDataException($"the state '{_package}' names an architecture, at which Clair crashes");
            case 4 when _definition is not null:
                _parent = xml.LocalName;
                break;
            case 5 when _definition is not null && _parent == "advisory" && xml.LocalName is "issued" or "updated" or "public_date":
                _inDate = true;
                _dateAttribute = xml.GetAttribute("date");
                _text.Clear();
                break;
        }
    }

    private void Close(int depth)
    {
        if (depth == 5 && _inDate)
        {
            _inDate = false;
            if (ReadDate(_dateAttribute, _text.ToString()) is { } date && (_newest is null || date > _newest))
            {
                _newest = date;
            }
        }
        else if (depth == 2 && _definition is { } id)
        {
            _census.Add(id, _newest);
            _count++;
            _definition = null;
        }
        else if (depth == 2 && _package is { } package)
        {
            if (!_isNamed)
            {
                throw new InvalidDataException($"the object '{package}' names no package, at which Clair crashes");
            }

            _package = null;
        }
    }

    /// <summary>One date that Clair cannot read makes it refuse the document. A little more is let through here than there.</summary>
    private DateTimeOffset? ReadDate(string? attribute, string text)
    {
        if (attribute is { Length: 0 })
        {
            return null;
        }

        string value = text.Length > 0 ? text : attribute ?? "";
        return DateTimeOffset.TryParse(
            Zone().Replace(value, ""), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset date)
            ? date
            : throw new InvalidDataException($"the definition '{_definition}' has the date '{Short(value)}', at which Clair gives up the document");
    }

    private static string Short(string text) => text.Length <= 40 ? text : text[..40] + "…";

    /// <summary>"2026-01-16 04:15:00 UTC", as Ubuntu writes it.</summary>
    [GeneratedRegex(@"(?<=[0-9]) (?:[A-Z]{3,5}|GMT[+-][0-9]{1,2})$", RegexOptions.CultureInvariant)]
    private static partial Regex Zone();
}
