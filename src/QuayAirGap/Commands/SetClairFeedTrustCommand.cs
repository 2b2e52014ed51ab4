using System.Globalization;
using System.Management.Automation;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>Set-ClairFeedTrust.</summary>
[Cmdlet(VerbsCommon.Set, "ClairFeedTrust", SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedTrustPolicy))]
public sealed class SetClairFeedTrustCommand : ClairFeedCmdlet
{
    /// <summary>How many different trusted signers must have signed a bundle.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateRange(1, 16)]
    public int RequiredSigners { get; set; }

    /// <summary>Writes the policy to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        if (!ShouldProcess(ResolvedSitePath, string.Create(CultureInfo.InvariantCulture, $"Ask for {RequiredSigners} different signers of each bundle")))
        {
            return;
        }

        var site = Site.OpenOrCreate(ResolvedSitePath);
        using SiteLock held = site.Lock();
        var store = new TrustStore(site);
        int before = store.SetRequiredSigners(RequiredSigners);
        if (before != RequiredSigners)
        {
            LedgerLine.Append(
                site, LedgerEvents.TrustPolicyChanged, ("requiredSigners", RequiredSigners.ToString(CultureInfo.InvariantCulture)),
                ("before", before.ToString(CultureInfo.InvariantCulture)));
        }

        ClairFeedTrustPolicy policy = OutputMapper.TrustPolicy(store);
        if (policy.TrustedCertificates < RequiredSigners)
        {
            WriteWarning($"The site trusts {policy.TrustedCertificates} certificate(s) and asks for {RequiredSigners} signers: unless an authority is among them, no bundle can be imported.");
        }

        if (PassThru)
        {
            WriteObject(policy);
        }
    }
}
