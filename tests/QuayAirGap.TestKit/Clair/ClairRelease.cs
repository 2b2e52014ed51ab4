namespace QuayAirGap.TestKit.Clair;

/// <summary>Which Clair to act as.</summary>
public enum ClairRelease
{
    /// <summary>Clair v4.9.0 with claircore v1.5.48.</summary>
    V490,

    /// <summary>Clair's main branch with claircore v1.5.52: trims the archive's name, survives malformed CVSS vectors.</summary>
    Main,
}
