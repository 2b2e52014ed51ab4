using System.Management.Automation;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>Remove-ClairFeedTrust.</summary>
[Cmdlet(VerbsCommon.Remove, "ClairFeedTrust", SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedTrust))]
public sealed class RemoveClairFeedTrustCommand : ClairFeedCmdlet
{
    /// <summary>The certificates' SHA-256, or its first 8 digits or more.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Thumbprint { get; set; } = [];

    /// <summary>Keeps the certificate listed as revoked.</summary>
    [Parameter]
    public SwitchParameter Revoke { get; set; }

    /// <summary>Writes the certificate to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        Site site = OpenSite();
        foreach (string thumbprint in Thumbprint)
        {
            ForOne(() =>
            {
                if (!ShouldProcess(site.Root, Revoke ? $"Revoke the certificate {thumbprint}" : $"Forget the certificate {thumbprint}"))
                {
                    return;
                }

                using SiteLock held = site.Lock();
                TrustedSigner removed = new TrustStore(site).Remove(thumbprint, Revoke);
                LedgerLine.Append(
                    site, Revoke ? LedgerEvents.TrustRevoked : LedgerEvents.TrustRemoved, ("thumbprint", removed.Thumbprint), ("subject", removed.Subject));
                if (PassThru)
                {
                    WriteObject(OutputMapper.Trust(removed, TimeProvider.System.GetUtcNow()));
                }
            });
        }
    }
}
