using System.Management.Automation;
using System.Security;
using QuayAirGap.Core;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>New-ClairFeedTrustDocument.</summary>
[Cmdlet(VerbsCommon.New, "ClairFeedTrustDocument", SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedTrustDocument))]
public sealed class NewClairFeedTrustDocumentCommand : ClairFeedCmdlet
{
    /// <summary>Where the document goes.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>The root's PFX or PEM file.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Root { get; set; } = "";

    /// <summary>The password of the root's file.</summary>
    [Parameter]
    public SecureString? RootPassword { get; set; }

    /// <summary>Certificates to vouch for.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] Signer { get; set; } = [];

    /// <summary>Certificates to revoke, for ever.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] Revoke { get; set; } = [];

    /// <summary>The root's last document, which this one goes on from.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Previous { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        string path = FilePath(Path);
        SignedTrustDocument? previous = Previous is null ? null : SignedTrustDocument.Read(FilePath(Previous));
        using BundleSigner root = BundleSigner.LoadRoot(FilePath(Root), SecretText.Of(RootPassword));
        SignedTrustDocument signed = TrustDocuments.Create(root, previous, Signer.Select(FilePath), Revoke.Select(FilePath), TimeProvider.System);
        if (ShouldProcess(path, $"Write a trust document signed by '{root.Subject}'"))
        {
            signed.Write(path);
            WriteObject(OutputMapper.TrustDocument(path, signed.Parse()));
        }
    }
}
