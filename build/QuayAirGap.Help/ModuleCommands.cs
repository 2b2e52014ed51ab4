using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace QuayAirGap.Help;

/// <summary>The cmdlets of the laid-out module, as the engine sees them after an import.</summary>
public static class ModuleCommands
{
    public static IReadOnlyList<CmdletInfo> Load(string moduleLayout)
    {
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
        using Runspace runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        runspace.Open();
        using var engine = PowerShell.Create(runspace);
        engine.AddCommand("Import-Module")
            .AddParameter("Name", Path.Combine(moduleLayout, "QuayAirGap.psd1"))
            .AddParameter("PassThru").AddParameter("ErrorAction", ActionPreference.Stop);
        PSModuleInfo module = engine.Invoke<PSModuleInfo>().Single(m => m.Name == "QuayAirGap");
        return [.. module.ExportedCmdlets.Values.OrderBy(c => c.Name, StringComparer.Ordinal)];
    }
}
