using System.Globalization;
using System.Text;
using QuayAirGap.TestKit.Upstream;

namespace QuayAirGap.TestKit.Samples;

/// <summary>What the folder with real feed data lacks of an upstream that a Clair finds whole.</summary>
public static class RealFeeds
{
    /// <summary>Oracle's years before the first real one, and the third release of Photon: documents without a definition.</summary>
    /// <param name="server">Set to layers of real feeds; to be called again after its layers were set anew.</param>
    public static void FillGaps(UpstreamServer server)
    {
        var empty = Encoding.ASCII.GetBytes(
            "<oval_definitions xmlns=\"http://oval.mitre.org/XMLSchema/oval-definitions-5\"><definitions></definitions></oval_definitions>");
        var packed = ArchiveBuilder.Bzip2(empty);
        foreach (var year in Enumerable.Range(2007, 11))
        {
            server.Replace(string.Create(CultureInfo.InvariantCulture, $"linux.oracle.com/security/oval/com.oracle.elsa-{year}.xml.bz2"), packed);
        }

        server.Replace("packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon3.xml", empty);
    }
}
