using System.Management.Automation;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>Get-ClairFeedTrust.</summary>
[Cmdlet(VerbsCommon.Get, "ClairFeedTrust")]
[OutputType(typeof(ClairFeedTrust))]
public sealed class GetClairFeedTrustCommand : ClairFeedCmdlet
{
    /// <inheritdoc/>
    protected override void Begin()
    {
        foreach (TrustedSigner signer in new TrustStore(OpenSite()).List())
        {
            WriteObject(OutputMapper.Trust(signer, TimeProvider.System.GetUtcNow()));
        }
    }
}
