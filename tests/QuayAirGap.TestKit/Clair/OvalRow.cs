namespace QuayAirGap.TestKit.Clair;

/// <summary>One vulnerability that Clair stores from an OVAL document: one for each package, module and distribution of a definition.</summary>
/// <param name="Distribution">DID and version: <c>ol 8</c>, <c>photon 3.0</c>, <c>sles 15</c>, <c>ubuntu 22.04</c>.</param>
/// <param name="Title">The definition's title, as it stands there.</param>
/// <param name="Severity">As given.</param>
/// <param name="Package">Binary package.</param>
/// <param name="Module">Module and stream; empty where the definition names none.</param>
/// <param name="FixedVersion">As given; empty where nothing fixes it.</param>
/// <param name="Arch">Operation and value; empty where the state names none.</param>
public sealed record OvalRow(string Distribution, string Title, string Severity, string Package, string Module, string FixedVersion, string Arch);
