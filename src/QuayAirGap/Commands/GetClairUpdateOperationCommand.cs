using System.Management.Automation;
using System.Security;
using QuayAirGap.Core;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Quay;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Get-ClairUpdateOperation.</summary>
[Cmdlet(VerbsCommon.Get, "ClairUpdateOperation", DefaultParameterSetName = "Psk")]
[OutputType(typeof(ClairUpdateOperation))]
public sealed class GetClairUpdateOperationCommand : ClairFeedCmdlet
{
    /// <summary>Clair's API, as Quay has it.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNull]
    public Uri Uri { get; set; } = new("http://localhost/");

    /// <summary>auth.psk.key of Clair's configuration, base64.</summary>
    [Parameter(ParameterSetName = "Psk")]
    [ValidateNotNull]
    public SecureString? Psk { get; set; }

    /// <summary>A file with that key.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "PskPath")]
    [ValidateNotNullOrEmpty]
    public string PskPath { get; set; } = "";

    /// <summary>One of auth.psk.iss of Clair's configuration.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string Issuer { get; set; } = "quay";

    /// <inheritdoc/>
    protected override void Begin()
    {
        string? key = ParameterSetName == "PskPath" ? ReadKey(FilePath(PskPath)) : SecretText.Of(Psk);
        var clair = new ClairClient(Uri, key, Issuer, TimeProvider.System);
        IReadOnlyList<ClairOperation> operations = Await((_, token) => clair.LatestAsync(token));
        foreach (Ingestion ingestion in Compare(operations))
        {
            WriteObject(new ClairUpdateOperation
            {
                Source = ingestion.Source,
                Updater = ingestion.Updater,
                State = ingestion.State.ToString(),
                Generation = ingestion.Generation,
                Date = ingestion.Operation?.Date.ToUniversalTime(),
                Kind = ingestion.Operation is { } operation ? operation.IsEnrichment ? "enrichment" : "vulnerability" : null,
                Fingerprint = ingestion.Operation?.Fingerprint,
                Ref = ingestion.Operation?.Ref,
                Reason = ingestion.Reason,
            });
        }
    }

    private IReadOnlyList<Ingestion> Compare(IReadOnlyList<ClairOperation> operations)
    {
        if (!MyInvocation.BoundParameters.ContainsKey(nameof(SitePath)) && !Site.Exists(ResolvedSitePath))
        {
            return IngestionEvaluator.WithoutSite(operations);
        }

        Site site = OpenSite();
        var store = new GenerationStore(site);
        if (store.CurrentNumber is not { } current)
        {
            return IngestionEvaluator.WithoutSite(operations);
        }

        if (SiteSettings.Load(site).Clair is { } watched && watched.IsAt(Uri))
        {
            // It is the Clair that the site watches: what it said counts for the site's freshness too.
            KnownClair.Keep(this, site, ClairWatch.Learn(site, ClairRecord.Load(site, watched), operations, TimeProvider.System.GetUtcNow()));
        }

        Generation Load(int number) => Generation.LoadIndex(store.FolderOf(number)); // the tables of single documents prove nothing here
        return IngestionEvaluator.Evaluate(
            operations, Load(current), store.Numbers().Reverse().Where(n => n != current).Select(n => (Func<Generation>)(() => Load(n))), site.Store,
            TimeProvider.System.GetUtcNow());
    }

    private static string ReadKey(string path) => ConfigFile.ReadIfThere(path)?.Trim() ?? throw new FeedException(
        ErrorIds.ClairConfigNotFound, $"There is no file '{path}'.", path, "Check the name.");
}
