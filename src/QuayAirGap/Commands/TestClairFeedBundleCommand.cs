using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Test-ClairFeedBundle.</summary>
[Cmdlet(VerbsDiagnostic.Test, "ClairFeedBundle", DefaultParameterSetName = "Path")]
[OutputType(typeof(bool))]
public sealed class TestClairFeedBundleCommand : PathCmdlet
{
    /// <summary>Checks each named part of a split bundle by itself, whether or not the others are there.</summary>
    [Parameter]
    public SwitchParameter PartOnly { get; set; }

    /// <inheritdoc/>
    protected override void ProcessFile(string path)
    {
        if (PartOnly)
        {
            TestPart(path);
            return;
        }

        Site site = OpenSite();
        try
        {
            var bundle = Bundle.Open(path);
            var verifier = new BundleVerifier(site, TimeProvider.System);
            BundlePolicy policy = verifier.CheckPolicy(bundle, new GenerationStore(site).LoadNewest());
            WriteVerbose($"'{path}': signed by {string.Join(", ", policy.Signers.Select(s => s.Subject))}.");
            Await(async (progress, token) =>
            {
                await verifier.VerifyContentAsync(bundle, null, progress, token);
                return true;
            });
            string kind = bundle.Snapshot.BaseSequence is { } from ? $"a delta on number {from}, whose content this site has" : "a full bundle";
            WriteVerbose($"'{path}': sequence {bundle.Snapshot.Sequence}, {kind}; every size and digest holds.");
            foreach (ClairFeedBundlePart part in OutputMapper.Parts(bundle.Snapshot))
            {
                WriteVerbose(
                    $"{part.Source}: {ByteText.Of(part.Size)} for {ByteText.Of(part.ContentSize)}: {part.Whole} whole, {part.Patched} as differences, {part.FromBase} in the base.");
            }

            WriteObject(true);
        }
        catch (FeedException e) when (IsRefusal(e.ErrorId))
        {
            WriteWarning($"'{path}' is refused: {e.Message} [{e.ErrorId}]");
            WriteVerbose(e.Remedy ?? "");
            WriteObject(false);
        }
    }

    /// <summary>A courier's check of one medium: that the part is as it was split. Whose it is and whether it may be imported is the whole bundle's matter.</summary>
    private void TestPart(string path)
    {
        try
        {
            var part = VolumePart.Read(path);
            Await((progress, token) =>
            {
                part.Verify(null, progress, token);
                return Task.FromResult(true);
            });
            WriteVerbose($"'{path}': part {part.Number} of {part.Count} of sequence {part.Sequence}, set {part.SetId[..12]}, is as it was split. Nothing is said of the others.");
            WriteObject(true);
        }
        catch (FeedException e) when (IsRefusal(e.ErrorId))
        {
            WriteWarning($"'{path}' is refused: {e.Message} [{e.ErrorId}]");
            WriteVerbose(e.Remedy ?? "");
            WriteObject(false);
        }
    }

    /// <summary>A bundle that is there and is not good; anything else, a missing file above all, is an error and not an answer.</summary>
    private static bool IsRefusal(string errorId) => errorId.StartsWith("Bundle", StringComparison.Ordinal) && errorId != ErrorIds.BundleNotFound;
}
