using System.Management.Automation;
using System.Security;
using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core.Bundles;

namespace QuayAirGap.Commands;

/// <summary>Add-ClairFeedSignature.</summary>
[Cmdlet(VerbsCommon.Add, "ClairFeedSignature", SupportsShouldProcess = true, DefaultParameterSetName = "Path")]
[OutputType(typeof(ClairFeedBundle))]
public sealed class AddClairFeedSignatureCommand : PathCmdlet
{
    private SignerSet? _signers;

    /// <summary>The signers' PFX or PEM files.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string[] Signer { get; set; } = [];

    /// <summary>The password of the signers' files.</summary>
    [Parameter]
    public SecureString? SignerPassword { get; set; }

    /// <summary>Certificates with their keys, from the platform's store, a card or an HSM.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public X509Certificate2[] SignerCertificate { get; set; } = [];

    /// <summary>Writes the bundle to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        SignerParameters.ThrowIfNone(Signer, SignerCertificate);
        _signers = new SignerSet(Signer.Select(FilePath), SecretText.Of(SignerPassword), SignerCertificate);
    }

    /// <inheritdoc/>
    protected override void ProcessFile(string path)
    {
        if (BundleCosigner.IsInterrupted(path) && ShouldProcess(path, "Take away what an interrupted signing has left"))
        {
            BundleCosigner.FinishInterrupted(path);
        }

        var cosigner = new BundleCosigner(OpenSite(), TimeProvider.System);
        Bundle verified = Await((progress, token) => cosigner.VerifyAsync(path, _signers!.All, progress, token));
        if (!ShouldProcess(path, $"Sign sequence {verified.Snapshot.Sequence}, which was verified, as {string.Join(", ", _signers!.All.Select(s => s.Subject))}"))
        {
            return;
        }

        Bundle signed = Await((_, token) => cosigner.SignAsync(verified, _signers.All, token));
        WriteVerbose($"'{path}' has {signed.Signatures.Count} signatures now.");
        if (PassThru)
        {
            WriteObject(OutputMapper.Bundle(signed, OutputMapper.NotChecked));
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _signers?.Dispose();
        base.Dispose(disposing);
    }
}
