using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Get-ClairFeedBundle.</summary>
[Cmdlet(VerbsCommon.Get, "ClairFeedBundle", DefaultParameterSetName = "Path")]
[OutputType(typeof(ClairFeedBundle))]
public sealed class GetClairFeedBundleCommand : PathCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessFile(string path)
    {
        // Of one in volumes also where some are missing: each says what it is a part of.
        var bundle = Bundle.OpenOrPart(path);
        WriteObject(OutputMapper.Bundle(bundle, VerdictOn(bundle)));
    }

    private string VerdictOn(Bundle bundle)
    {
        if (!Site.Exists(ResolvedSitePath))
        {
            return OutputMapper.NotChecked;
        }

        Site site = OpenSite();
        try
        {
            if (!bundle.IsWhole)
            {
                return ErrorIds.BundleVolumeMissing;
            }

            BundlePolicy policy = new BundleVerifier(site, TimeProvider.System).CheckPolicy(bundle, new GenerationStore(site).LoadNewest());
            return policy.AlreadyImported ? "AlreadyImported" : "Acceptable";
        }
        catch (FeedException e)
        {
            WriteVerbose($"{e.ErrorId}: {e.Message}");
            return e.ErrorId;
        }
    }
}
