using System.Collections.Concurrent;
using System.Text;
using QuayAirGap.TestKit.Samples;

namespace QuayAirGap.Core.Tests.Oval;

/// <summary>OVAL documents as small as they can be, and packed as upstreams pack them.</summary>
internal static class OvalText
{
    public const string Empty = "<oval_definitions><definitions/></oval_definitions>";

    // Packing takes bzip2 far longer than unpacking, and most documents here are the same.
    private static readonly ConcurrentDictionary<string, byte[]> s_packed = new(StringComparer.Ordinal);

    /// <summary>A document with one definition for each id.</summary>
    public static string With(params string[] ids) =>
        "<?xml version=\"1.0\"?>\n<oval_definitions xmlns=\"http://oval.mitre.org/XMLSchema/oval-definitions-5\"><definitions>"
        + string.Concat(ids.Select(id => $"<definition id=\"oval:x:def:{id}\" class=\"patch\"><metadata><title>{id}</title><advisory>"
            + "<severity>Low</severity><issued date=\"2026-01-02\"/></advisory></metadata><criteria/></definition>"))
        + "</definitions></oval_definitions>\n";

    /// <summary>A document with one definition whose advisory holds some XML.</summary>
    public static string WithAdvisory(string xml) =>
        $"<oval_definitions><definitions><definition id=\"a\"><metadata><advisory>{xml}</advisory></metadata></definition></definitions></oval_definitions>";

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static byte[] Bz2(string text) => s_packed.GetOrAdd(text, t => ArchiveBuilder.Bzip2(Bytes(t)));

    public static byte[] Gz(string text) => ArchiveBuilder.Gzip(Bytes(text));
}
