using QuayAirGap.Core.Publishing;

namespace QuayAirGap.Core.Store;

/// <summary>Where one document stands in an archive, in the space of a few words: there can be hundreds of thousands.</summary>
/// <param name="Digest">SHA-256 of the document.</param>
/// <param name="Size">Bytes of the document.</param>
/// <param name="FrameOffset">Where its frame begins in the archive.</param>
/// <param name="FrameLength">Compressed bytes of that frame.</param>
/// <param name="Skip">Bytes before the document within the unpacked frame.</param>
/// <param name="Sha256">The digest as a table has it in memory already, or null.</param>
internal readonly record struct SeekableArchivePlace(
    string Path, SeekableArchiveDigest Digest, long Size, long FrameOffset, long FrameLength, long Skip, string? Sha256 = null)
{
    /// <summary>Bytes of the unpacked frame up to the document's end.</summary>
    public long End => Skip - SeekableArchive.BlockSize + SeekableArchive.SizeInTar(Size);

    public static SeekableArchivePlace Of(ArchiveMember member) => new(
        member.Path, SeekableArchiveDigest.Parse(member.Sha256), member.Size, member.FrameOffset, member.FrameLength, member.Skip, member.Sha256);

    public ArchiveMember ToMember(DateTimeOffset? lastModified) =>
        new(Path, Sha256 ?? Digest.ToString(), Size, FrameOffset, FrameLength, Skip, lastModified);
}
