namespace QuayAirGap;

/// <summary>What Set-ClairImageLabel did, or would do, to the label of one image.</summary>
public sealed class ClairImageLabel
{
    /// <summary>As in the input.</summary>
    public required string Image { get; init; }

    /// <summary>"namespace/repository".</summary>
    public required string Repository { get; init; }

    /// <summary>"sha256:…".</summary>
    public required string ManifestDigest { get; init; }

    /// <summary>"None", "Set", "Update" or "Remove".</summary>
    public required string Action { get; init; }

    /// <summary>Whether it was done; false with -WhatIf, where somebody said no, and where there was nothing to do.</summary>
    public required bool Applied { get; init; }

    public required string Key { get; init; }

    /// <summary>What the label says in the end; null for none.</summary>
    public string? Value { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Image}: {Action}";
}
