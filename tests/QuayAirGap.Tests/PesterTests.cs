using System.Diagnostics;
using QuayAirGap.TestKit.PowerShell;

namespace QuayAirGap.Tests;

/// <summary>The suite in tests/pester, run by a whole PowerShell as a process of its own.</summary>
public sealed class PesterTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task The_module_passes_in_PowerShell_itself()
    {
        PowerShellTool powerShell = await PowerShellTool.RestoreAsync(Built.Root);
        Assert.SkipWhen(powerShell.Missing is not null, powerShell.Missing ?? "");
        ProcessStartInfo start = powerShell.Prepare("-File", Path.Combine(Built.Root, "tests", "pester", "run.ps1"), "-Pester", Built.Pester);
        start.Environment["QUAYAIRGAP_EXECUTABLE"] = Built.Executable;
        (int exitCode, string output, string error) = await PowerShellTool.RunAsync(start, s_limit);
        Assert.True(exitCode == 0, output + error);
        TestContext.Current.SendDiagnosticMessage("{0}", output[output.LastIndexOf("Tests completed", StringComparison.Ordinal)..].Trim());
    }
}
