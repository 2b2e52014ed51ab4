using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Bundles;

/// <summary>A bundle that was written.</summary>
/// <param name="Path">The file.</param>
/// <param name="Snapshot">With the layers that it got.</param>
/// <param name="SnapshotBytes">The document as it was signed.</param>
/// <param name="SnapshotSha256">SHA-256 of the document.</param>
/// <param name="Signatures">Detached CMS signatures in DER.</param>
/// <param name="Size">Bytes of the file.</param>
public sealed record WrittenBundle(
    string Path, Snapshot Snapshot, ReadOnlyMemory<byte> SnapshotBytes, string SnapshotSha256, IReadOnlyList<byte[]> Signatures, long Size);
