using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>Add-ClairFeedTrust.</summary>
[Cmdlet(VerbsCommon.Add, "ClairFeedTrust", SupportsShouldProcess = true, DefaultParameterSetName = "Path")]
[OutputType(typeof(ClairFeedTrust))]
public sealed class AddClairFeedTrustCommand : PathCmdlet
{
    /// <summary>Writes the trusted certificate to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override string NotFoundId => ErrorIds.TrustNotFound;

    /// <inheritdoc/>
    protected override void ProcessFile(string path)
    {
        if (!ShouldProcess(ResolvedSitePath, $"Trust the certificate in '{path}'"))
        {
            return;
        }

        var site = Site.OpenOrCreate(ResolvedSitePath);
        using SiteLock held = site.Lock();
        var store = new TrustStore(site);
        IReadOnlyList<TrustedSigner> before = store.List();
        TrustedSigner added = store.Add(path);
        if (!before.Any(t => t.Thumbprint == added.Thumbprint && !t.IsRevoked))
        {
            LedgerLine.Append(site, LedgerEvents.TrustAdded, ("thumbprint", added.Thumbprint), ("subject", added.Subject));
        }

        WriteVerbose($"The site now trusts {added.Subject}, SHA-256 {added.Thumbprint}. Compare these digits with the signer's owner.");
        if (PassThru)
        {
            WriteObject(OutputMapper.Trust(added, TimeProvider.System.GetUtcNow()));
        }
    }
}
