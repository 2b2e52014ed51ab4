using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Keeps what a reading command learned of Clair, for whoever does not ask. Somebody who may only read the site may ask too.</summary>
internal static class KnownClair
{
    public static void Keep(Cmdlet cmdlet, Site site, ClairRecord record)
    {
        try
        {
            record.Save(site);
        }
        catch (FeedException e)
        {
            cmdlet.WriteVerbose(e.Message);
        }
    }
}
