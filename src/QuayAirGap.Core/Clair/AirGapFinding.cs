namespace QuayAirGap.Core.Clair;

/// <summary>How bad a finding is.</summary>
public enum FindingSeverity
{
    /// <summary>Worth knowing; nothing is lost by it.</summary>
    Information,

    /// <summary>Something is slower, fuller or more fragile than it need be, or will break on a known day.</summary>
    Warning,

    /// <summary>Clair does not start, cannot scan, asks the Internet, or calls images clean that it did not check.</summary>
    Error,
}

/// <summary>Something that is wrong with how a Clair is configured.</summary>
/// <param name="Id">What kind of finding it is; never renamed.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Where">"file:line", a key, or an address.</param>
/// <param name="What">What is so.</param>
/// <param name="Why">Why it matters.</param>
/// <param name="Remedy">The command that mends it, or what to write where no command can.</param>
public sealed record AirGapFinding(string Id, FindingSeverity Severity, string Where, string What, string Why, string Remedy);
