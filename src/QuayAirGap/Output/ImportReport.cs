using System.Globalization;
using System.Management.Automation;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Commands;

/// <summary>Says what of a publication is missing, old or held back: a good exit alone must not look like complete feeds.</summary>
internal static class ImportReport
{
    public static void Write(Cmdlet cmdlet, ImportResult result)
    {
        cmdlet.WriteVerbose(string.Create(
            CultureInfo.InvariantCulture,
            $"Generation {result.Generation.Number} is served{(result.Changed ? "" : ", as before: nothing was changed")}; sequence {result.Generation.Sequence}."));
        foreach (SourceSnapshot source in result.Generation.Sources.Where(s => s.State is CaptureState.Failed or CaptureState.Missing))
        {
            cmdlet.WriteWarning(OutputMapper.IncompleteText(source));
        }

        foreach (SourceSnapshot source in result.Generation.Sources.Where(s => s.Note is not null))
        {
            cmdlet.WriteWarning($"{source.Name}: {source.Note}.");
        }

        foreach (IGrouping<string, HeldBackItem> source in result.Generation.HeldBack.GroupBy(h => h.Source, StringComparer.Ordinal))
        {
            HeldBackItem first = source.First();
            cmdlet.WriteWarning(string.Create(
                CultureInfo.InvariantCulture, $"{source.Key}: {source.Count()} held back, e.g. {first.Item}: {first.Reason.TrimEnd('.')}. -Verbose lists all."));
            foreach (HeldBackItem item in source)
            {
                cmdlet.WriteVerbose($"{item.Source}: {item.Item}: {item.Reason}");
            }
        }
    }
}
