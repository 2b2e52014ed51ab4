namespace QuayAirGap.Core.Coverage;

/// <summary>One image of many.</summary>
/// <param name="Name">"registry/namespace/repository:tag"; may be redacted.</param>
/// <param name="Coverage">What the feeds can say of it.</param>
public sealed record FleetImage(string Name, ImageCoverage Coverage);
