using System.Text.Json;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Osv.Zip;

namespace QuayAirGap.Core.Sources.Osv;

/// <summary>A member that must not reach Clair.</summary>
/// <param name="Index">Its position within <see cref="ZipIndex.Members"/>.</param>
/// <param name="Item">The advisory's id, or the member's name where it has none.</param>
/// <param name="Reason">Why, for people.</param>
internal sealed record UnsafeMember(int Index, string Item, string Reason);

/// <summary>One ecosystem's all.zip, read to its end.</summary>
/// <param name="Zip">Its structure.</param>
/// <param name="AdvisoryCount">Members that are advisories with an id, harmful ones included; null where they were not read.</param>
/// <param name="Unsafe">In the directory's order.</param>
internal sealed record OsvArchive(ZipIndex Zip, int? AdvisoryCount, IReadOnlyList<UnsafeMember> Unsafe)
{
    /// <summary>Something in it does no harm any more once its withdrawal is a day old.</summary>
    public bool ChangesWithTime { get; private init; }

    /// <summary>
    /// Reads every member to its end, one at a time: memory is bounded by <see cref="ZipLimits"/>, whatever the archive's size.
    /// </summary>
    /// <param name="stream">Seekable; disposed.</param>
    /// <param name="publishedAt">When Clair will read it, UTC: an advisory withdrawn by then is passed over by Clair.</param>
    /// <param name="limits">What is refused.</param>
    /// <param name="cancellationToken">Looked at between members.</param>
    /// <param name="census">Told of every advisory, or null.</param>
    /// <exception cref="InvalidDataException">It is no zip file, is cut short or damaged, or exceeds a limit.</exception>
    public static OsvArchive Read(Stream stream, DateTimeOffset publishedAt, ZipLimits limits, CancellationToken cancellationToken, AdvisoryCensus? census = null)
    {
        using (stream)
        {
            var zip = ZipIndex.Read(stream, limits);
            using var reader = new ZipMemberReader(zip, stream);
            int advisories = 0;
            bool changes = false;
            var harmful = new List<UnsafeMember>();

            // In the order of the file, not of the directory: one pass over the disk.
            foreach (int i in Enumerable.Range(0, zip.Members.Count).OrderBy(i => zip.Members[i].Offset))
            {
                cancellationToken.ThrowIfCancellationRequested();
                ZipMember member = zip.Members[i];
                (string? id, string? hazard, DateTime? modified, bool isWithdrawn) = Examine(zip, reader, member, publishedAt);
                if (id is not null)
                {
                    advisories++;
                    census?.Add(id, modified);
                }

                if (hazard is not null)
                {
                    changes |= isWithdrawn;
                    harmful.Add(new UnsafeMember(i, MemberName.ForPeople(id ?? zip.Name(member)), hazard));
                }
            }

            return new OsvArchive(zip, advisories, [.. harmful.OrderBy(m => m.Index)]) { ChangesWithTime = changes };
        }
    }

    /// <summary>The archive as the collector read it: only its directory is looked at here.</summary>
    /// <param name="stream">Seekable; disposed.</param>
    /// <exception cref="InvalidDataException">It is no zip file, or the findings are not of it.</exception>
    public static OsvArchive Of(Stream stream, ContentFindings findings, ZipLimits limits)
    {
        using (stream)
        {
            var zip = ZipIndex.Read(stream, limits);
            UnsafeMember[] harmful =
            [
                .. findings.HeldBack.Select(h => h.Member < zip.Members.Count
                    ? new UnsafeMember(h.Member.Value, h.Item, h.Reason)
                    : throw new InvalidDataException("its collector's findings name a member that it does not have")),
            ];
            return new OsvArchive(zip, AdvisoryCount: null, harmful);
        }
    }

    private static (string? Id, string? Hazard, DateTime? Modified, bool IsWithdrawn) Examine(ZipIndex zip, ZipMemberReader reader, in ZipMember member, DateTimeOffset publishedAt)
    {
        ReadOnlyMemory<byte>? content = reader.Read(member);
        if (zip.RawName(member).EndsWith("/"u8))
        {
            return (null, "it is a folder: Clair takes every entry for an advisory, and fails the ecosystem", null, false);
        }

        if (content is null)
        {
            return (null, "it is encrypted or packed in a way that Clair cannot unpack: Clair fails the ecosystem", null, false);
        }

        OsvAdvisory advisory;
        try
        {
            advisory = OsvAdvisoryReader.Read(content.Value.Span);
        }
        catch (JsonException e)
        {
            return (null, $"Clair cannot decode it, and fails the ecosystem: {MemberName.ForPeople(e.Message)}", null, false);
        }

        return (advisory.Id.Length == 0 ? null : advisory.Id, OsvHazards.Find(advisory, publishedAt), advisory.Modified, advisory.Withdrawn is { Ticks: > 0 });
    }
}
