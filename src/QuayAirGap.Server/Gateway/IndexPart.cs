using System.Buffers;
using System.Text;
using System.Text.Json;

namespace QuayAirGap.Server.Gateway;

/// <summary>What a report of vulnerabilities repeats of the index report, by which an image is judged.</summary>
internal static class IndexPart
{
    private static readonly byte[] s_warning = Encoding.ASCII.GetBytes(ReportWarning.Id);

    /// <summary>The members that an index report has too, as a document.</summary>
    /// <param name="report">As far as it is there.</param>
    /// <param name="scanned">Where its members are.</param>
    /// <param name="length">Bytes of the document.</param>
    /// <returns>Of the shared pool: a megabyte a report would have the collector look through everything again and again.</returns>
    public static byte[] Of(ReadOnlySpan<byte> report, ReportScanner scanned, out int length)
    {
        (string Name, ReportMember Member)[] members =
        [
            ("{\"manifest_hash\":", scanned[ReportScanner.ManifestHash]), (",\"packages\":", scanned[ReportScanner.Packages]), (",\"distributions\":", scanned[ReportScanner.Distributions]),
            (",\"repository\":", scanned[ReportScanner.Repository]), (",\"environments\":", scanned[ReportScanner.Environments]),
        ];
        length = members.Sum(m => m.Name.Length + (m.Member.WasSeen ? (int)(m.Member.End - m.Member.Start) : 4)) + 1;
        byte[] part = ArrayPool<byte>.Shared.Rent(length);
        int at = 0;
        foreach ((string name, ReportMember member) in members)
        {
            at += Encoding.ASCII.GetBytes(name, part.AsSpan(at));
            ReadOnlySpan<byte> value = member.WasSeen ? Value(report, member) : "null"u8;
            value.CopyTo(part.AsSpan(at));
            at += value.Length;
        }

        part[at] = (byte)'}';
        return part;
    }

    /// <summary>Whether one of its packages has the id of a warning: another gateway has been there before.</summary>
    public static bool HasWarning(ReadOnlySpan<byte> report, ReportScanner scanned)
    {
        ReadOnlySpan<byte> packages = Value(report, scanned[ReportScanner.Packages]);
        if (packages.IndexOf(s_warning) < 0)
        {
            return false;
        }

        var reader = new Utf8JsonReader(packages);
        while (reader.Read())
        {
            if (reader is { TokenType: JsonTokenType.PropertyName, CurrentDepth: 1 } && reader.ValueTextEquals(s_warning))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The first layer that a package was introduced in; the manifest where no package says.</summary>
    public static string Layer(ReadOnlySpan<byte> report, ReportScanner scanned)
    {
        var reader = new Utf8JsonReader(Value(report, scanned[ReportScanner.Environments]));
        while (reader.Read())
        {
            if (reader is { TokenType: JsonTokenType.PropertyName, CurrentDepth: 3 } && reader.ValueTextEquals("introduced_in"u8) && reader.Read() && reader.TokenType == JsonTokenType.String)
            {
                return reader.GetString()!;
            }
        }

        reader = new Utf8JsonReader(Value(report, scanned[ReportScanner.ManifestHash]));
        reader.Read();
        return reader.GetString()!;
    }

    private static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> report, ReportMember member) => report[(int)member.Start..(int)member.End];
}
