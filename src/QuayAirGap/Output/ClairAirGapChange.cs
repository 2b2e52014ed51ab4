namespace QuayAirGap;

/// <summary>What Set-ClairAirGap changed, or would change, in one file.</summary>
public sealed class ClairAirGapChange
{
    public required string Path { get; init; }

    /// <summary>"DropIn", "ConfigBundleSecret", "QuayRegistry", "QuayConfig" or "Environment".</summary>
    public required string Kind { get; init; }

    /// <summary>"Mirror", "Upstream", "Offline" or "Connected".</summary>
    public required string Mode { get; init; }

    /// <summary>Whether the file is not yet as it is to be.</summary>
    public required bool Changed { get; init; }

    /// <summary>Whether it was written; false with -WhatIf and where somebody said no.</summary>
    public required bool Applied { get; init; }

    /// <summary>The copy of what was there before; null where nothing was.</summary>
    public string? Backup { get; init; }

    /// <summary>The change line by line. Passwords and keys are not shown.</summary>
    public required string Diff { get; init; }

    /// <summary>What whoever applies it must know.</summary>
    public required string[] Notes { get; init; }

    /// <summary>What is left to be done, in order.</summary>
    public required string[] NextSteps { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Path;
}
