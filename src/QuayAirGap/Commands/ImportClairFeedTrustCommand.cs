using System.Globalization;
using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>Import-ClairFeedTrust.</summary>
[Cmdlet(VerbsData.Import, "ClairFeedTrust", SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedTrustDocument))]
public sealed class ImportClairFeedTrustCommand : ClairFeedCmdlet
{
    /// <summary>The trust document.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>The root's SHA-256, or its first 8 digits or more: whose word is taken is said, and not read from the file.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Root { get; set; } = "";

    /// <summary>Writes what the document says and changed to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        string path = FilePath(Path);
        Site site = OpenSite();
        var signed = SignedTrustDocument.Read(path);
        var documents = new TrustDocuments(site);
        TrustChange change = documents.Plan(signed, TimeProvider.System.GetUtcNow());
        change.ThrowUnlessOf(Root);
        foreach ((string subject, string thumbprint) in change.Added)
        {
            WriteVerbose($"It vouches for {subject}, SHA-256 {thumbprint}.");
        }

        foreach ((string subject, string thumbprint) in change.Revoked)
        {
            WriteVerbose($"It revokes {subject}, SHA-256 {thumbprint}.");
        }

        string action = string.Create(
            CultureInfo.InvariantCulture,
            $"Take document {change.Document.Number} of '{change.RootSubject}': trust {change.Added.Count} more certificate(s), revoke {change.Revoked.Count}");
        if (!ShouldProcess(site.Root, action))
        {
            return;
        }

        using SiteLock held = site.Lock();
        bool isNew = documents.IsNew(signed);
        change = documents.Apply(signed, TimeProvider.System.GetUtcNow());
        if (isNew)
        {
            new Ledger(site, TimeProvider.System).Append(LedgerEvents.TrustDocument, change.Details());
        }

        if (PassThru)
        {
            WriteObject(OutputMapper.TrustDocument(path, change.Document, change));
        }
    }
}
