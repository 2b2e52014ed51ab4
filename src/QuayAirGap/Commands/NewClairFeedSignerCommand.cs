using System.Management.Automation;
using System.Security;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>New-ClairFeedSigner.</summary>
[Cmdlet(VerbsCommon.New, "ClairFeedSigner", SupportsShouldProcess = true)]
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
    public TimeSpan ValidFor { get; set; } = TimeSpan.FromDays(3 * 365);

    /// <inheritdoc/>
    protected override void Begin()
    {
        string path = FilePath(Path);
        if (!ShouldProcess(path, $"Create a signer '{Subject}'"))
        {
            return;
        }

        CreatedSigner signer = SignerFactory.Create(path, Subject, SecretText.Of(Password), ValidFor, TimeProvider.System);
        if (Password is null)
        {
            WriteVerbose($"The key in '{signer.PfxPath}' has no password: the file's access rights alone protect it.");
        }

        WriteObject(OutputMapper.Signer(signer));
    }
}
