using QuayAirGap.Core.Bundles;

namespace QuayAirGap.Commands;

/// <summary>How large the parts of a bundle may be.</summary>
/// <param name="Bytes">As it was given.</param>
/// <param name="IsMedium">A medium's size by name, as "25GB": the medium's file system needs some of it.</param>
public readonly record struct VolumeSize(long Bytes, bool IsMedium)
{
    /// <summary>The most bytes that a part's file may have.</summary>
    public long PartSize => IsMedium ? VolumeWriter.PartSizeOf(Bytes) : Bytes;

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Bytes}");
}
