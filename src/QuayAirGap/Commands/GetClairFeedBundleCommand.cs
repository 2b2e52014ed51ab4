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
        var bundle = Bundle.Open(path);
        WriteObject(OutputMapper.Bundle(bundle.Path, bundle.Size, bundle.Snapshot, bundle.SnapshotSha256, bundle.SignerSubjects, VerdictOn(bundle)));
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
