using System.Management.Automation;
using System.Security;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>New-ClairFeedSigner.</summary>
[Cmdlet(VerbsCommon.New, "ClairFeedSigner", SupportsShouldProcess = true, DefaultParameterSetName = "Alone")]
[OutputType(typeof(ClairFeedSigner))]
public sealed class NewClairFeedSignerCommand : ClairFeedCmdlet
{
    /// <summary>Where the PFX file goes.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>A distinguished name, or plain text for the common name.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Subject { get; set; } = "";

    /// <summary>Protects the private key in the file.</summary>
    [Parameter]
    public SecureString? Password { get; set; }

    /// <summary>How long the certificate is valid.</summary>
    [Parameter]
    [DurationTransformation]
    public TimeSpan? ValidFor { get; set; }

    /// <summary>Makes a root: it signs no bundles, but vouches for those who do.</summary>
    [Parameter(ParameterSetName = "Root", Mandatory = true)]
    public SwitchParameter Root { get; set; }

    /// <summary>The PFX or PEM file of the root that vouches for the new signer.</summary>
    [Parameter(ParameterSetName = "IssuedBy", Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string? IssuedBy { get; set; }

    /// <summary>The password of the root's file.</summary>
    [Parameter(ParameterSetName = "IssuedBy")]
    public SecureString? IssuerPassword { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        string path = FilePath(Path);
        using BundleSigner? issuer = IssuedBy is null ? null : BundleSigner.LoadRoot(FilePath(IssuedBy), SecretText.Of(IssuerPassword));
        if (!ShouldProcess(path, Root ? $"Create a root '{Subject}'" : $"Create a signer '{Subject}'"))
        {
            return;
        }

        CreatedSigner signer = SignerFactory.Create(path, Subject, SecretText.Of(Password), ValidFor, TimeProvider.System, Root, issuer);
        if (Password is null)
        {
            WriteVerbose($"The key in '{signer.PfxPath}' has no password: the file's access rights alone protect it.");
        }

        WriteObject(OutputMapper.Signer(signer));
    }
}
