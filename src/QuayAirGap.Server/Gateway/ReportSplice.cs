using System.Buffers;
using System.Text.Json;

namespace QuayAirGap.Server.Gateway;

/// <summary>Puts members into the maps of a report; every other byte stays where it is.</summary>
internal static class ReportSplice
{
    private static readonly byte[] s_open = "{"u8.ToArray();
    private static readonly byte[] s_close = "}"u8.ToArray();
    private static readonly byte[] s_comma = ","u8.ToArray();

    /// <summary>The report's bytes and the additions, in order.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Insert(
        ReadOnlyMemory<byte> report, ReportScanner scanned, (byte[] Package, byte[] Environment, byte[] Vulnerability, byte[] PackageVulnerability) added)
    {
        (ReportMember Member, byte[] Added)[] places =
        [
            (scanned[ReportScanner.Packages], added.Package), (scanned[ReportScanner.Environments], added.Environment),
            (scanned[ReportScanner.Vulnerabilities], added.Vulnerability), (scanned[ReportScanner.PackageVulnerabilities], added.PackageVulnerability),
        ];
        List<ReadOnlyMemory<byte>> pieces = [];
        int at = 0;
        foreach ((ReportMember member, byte[] addition) in places.OrderBy(p => p.Member.Start))
        {
            if (member.Kind == JsonTokenType.Null)
            {
                // A nil map of Go: Quay takes an object alone.
                pieces.AddRange([report[at..(int)member.Start], s_open, addition, s_close]);
                at = (int)member.End;
            }
            else
            {
                int inside = (int)member.Start + 1;
                pieces.AddRange([report[at..inside], addition]);
                if (!member.IsEmpty)
                {
                    pieces.Add(s_comma);
                }

                at = inside;
            }
        }

        pieces.Add(report[at..]);
        return pieces;
    }

    /// <summary>The members that an index report has too, as a document.</summary>
    /// <param name="report">As far as it is there.</param>
    /// <param name="scanned">Where its members are.</param>
    /// <param name="length">Bytes of the document.</param>
    /// <returns>Of the shared pool: a megabyte a report would have the collector look through everything again and again.</returns>
    public static byte[] IndexPart(ReadOnlySpan<byte> report, ReportScanner scanned, out int length)
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
            at += System.Text.Encoding.ASCII.GetBytes(name, part.AsSpan(at));
            ReadOnlySpan<byte> value = member.WasSeen ? report[(int)member.Start..(int)member.End] : "null"u8;
            value.CopyTo(part.AsSpan(at));
            at += value.Length;
        }

        part[at] = (byte)'}';
        return part;
    }
}
