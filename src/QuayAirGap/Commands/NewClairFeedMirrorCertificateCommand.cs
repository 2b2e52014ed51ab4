using System.Management.Automation;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Tls;

namespace QuayAirGap.Commands;

/// <summary>New-ClairFeedMirrorCertificate.</summary>
[Cmdlet(VerbsCommon.New, "ClairFeedMirrorCertificate", SupportsShouldProcess = true, DefaultParameterSetName = EnsureSet)]
[OutputType(typeof(ClairFeedMirrorCertificate))]
public sealed class NewClairFeedMirrorCertificateCommand : ClairFeedCmdlet
{
    private const string EnsureSet = "Ensure";
    private const string StartSet = "StartRotation";
    private const string CompleteSet = "CompleteRotation";

    /// <summary>Names of the mirror itself.</summary>
    [Parameter(Position = 0, ParameterSetName = EnsureSet)]
    [Parameter(Position = 0, ParameterSetName = StartSet)]
    [ValidateNotNullOrEmpty]
    public string[]? DnsName { get; set; }

    /// <summary>Makes the authority that is to replace the present one.</summary>
    [Parameter(Mandatory = true, ParameterSetName = StartSet)]
    public SwitchParameter StartRotation { get; set; }

    /// <summary>Lets the new authority take over.</summary>
    [Parameter(Mandatory = true, ParameterSetName = CompleteSet)]
    public SwitchParameter CompleteRotation { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        Site site = OpenSite();
        string action = ParameterSetName switch
        {
            StartSet => "Make a second certificate authority",
            CompleteSet => "Let the second certificate authority take over, and end the first",
            _ => "Make or renew the mirror's certificates",
        };
        if (!ShouldProcess(site.TlsFolder, action))
        {
            return;
        }

        var certificates = new MirrorCertificates(site, TimeProvider.System);
        using SiteLock held = site.Lock();
        MirrorCertificateState state = ParameterSetName switch
        {
            StartSet => certificates.StartRotation(DnsName),
            CompleteSet => certificates.CompleteRotation(),
            _ => certificates.Ensure(DnsName),
        };
        if (state.HostsNotPermitted is { Count: > 0 } hosts)
        {
            WriteWarning(
                $"The authority was made before these hosts were known, and may not vouch for them: {string.Join(", ", hosts)}. "
                + "Exchange it: -StartRotation, then -CompleteRotation once Clair trusts both.");
        }

        WriteObject(OutputMapper.MirrorCertificate(state));
    }
}
