using System.Xml;

namespace QuayAirGap.Core.Sources.Aws;

/// <summary>How XML from outside is read: nothing is fetched, nothing expands.</summary>
internal static class SafeXml
{
    /// <summary>No document types, no entities of its own, no resolver. The size is bounded by what is read from.</summary>
    public static XmlReaderSettings Settings { get; } = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
        IgnoreWhitespace = true,
    };
}
