namespace QuayAirGap.Docs.Tests.Running;

/// <summary>What a reader runs the PowerShell blocks of a document in.</summary>
public enum DocHost
{
    /// <summary>quayairgap -File.</summary>
    Executable,

    /// <summary>pwsh, with the module imported.</summary>
    PowerShell,
}
