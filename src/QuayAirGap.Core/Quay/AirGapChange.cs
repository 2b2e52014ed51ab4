namespace QuayAirGap.Core.Quay;

/// <summary>One text that a mode changes; nothing is written until <see cref="ConfigFile.Apply"/>.</summary>
public sealed record AirGapChange
{
    /// <summary>"DropIn", "ConfigBundleSecret", "QuayRegistry", "QuayConfig" or "Environment".</summary>
    public required string Kind { get; init; }

    /// <summary>The file; for a text from the pipeline, what it is.</summary>
    public required string Path { get; init; }

    /// <summary>What it says; null where there is none.</summary>
    public string? Before { get; init; }

    /// <summary>What it is to say; null where it is to go.</summary>
    public string? After { get; init; }

    /// <summary>Line by line, for people; empty where nothing changes. Passwords and keys are not shown.</summary>
    public string Diff { get; init; } = "";

    /// <summary>What the person who applies it must know.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What is left to be done, in order.</summary>
    public IReadOnlyList<string> NextSteps { get; init; } = [];

    public bool IsChange => Before != After;
}
