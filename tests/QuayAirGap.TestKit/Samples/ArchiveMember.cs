namespace QuayAirGap.TestKit.Samples;

/// <summary>One file to go into an archive.</summary>
/// <param name="Path">Its path in the archive, with slashes.</param>
/// <param name="Content">Its content.</param>
/// <param name="Time">Its time; whole seconds, and in a zip even ones.</param>
public sealed record ArchiveMember(string Path, byte[] Content, DateTimeOffset Time);
