using System.Management.Automation;
using QuayAirGap.Core.Publishing;

namespace QuayAirGap.Commands;

/// <summary>Says what a check of the store has found, for both commands that check it.</summary>
internal static class StoreReport
{
    public static void Write(Cmdlet cmdlet, StoreCheck check, string remedy)
    {
        cmdlet.WriteVerbose($"{check.Contents} contents, {ByteText.Of(check.Bytes)} read; {check.Faults.Count} faults.");
        if (check.Faults.Count > 0)
        {
            string[] served = [.. check.Faults.Where(f => f.IsServed).SelectMany(f => f.Sources).Distinct().Order(StringComparer.Ordinal)];
            cmdlet.WriteWarning(
                $"{check.Faults.Count} contents of the store are damaged or missing{(served.Length == 0 ? "" : "; served, and not well until they are back: " + string.Join(", ", served))}. {remedy}");
        }
    }
}
