using System.Globalization;
using System.Text;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Publishing;

/// <summary>
/// Serves documents of which Clair keeps the Last-Modified alone (claircore debian/updater.go, rhel/internal/common/updater.go). Clair
/// asks again with the stamp of whichever generation it saw last, however long ago: so one stamp never stands for two contents.
/// </summary>
internal static class DistinctLastModified
{
    public const string Rule = "last-modified";

    private const string StateName = "last-modified";

    /// <summary>Years of daily publications; what was served before that is forgotten.</summary>
    private const int Remembered = 4000;

    /// <summary>
    /// Serves a file verbatim with the upstream's stamp where that tells it apart from everything served here before; else the same bytes
    /// with a stamp of their own, said to be derived. One file for each source: the state is kept by source.
    /// </summary>
    public static async Task AddAsync(IPublication publication, SnapshotFile file, string contentType, CancellationToken cancellationToken)
    {
        List<(long Stamp, string Sha256)> served = await ReadAsync(publication, cancellationToken).ConfigureAwait(false);
        long stamp = Choose(served, file, publication.PublishedAt);
        if (stamp == file.LastModified?.ToUnixTimeSeconds())
        {
            publication.AddVerbatim(file, contentType);
        }
        else
        {
            await using Stream content = publication.OpenRead(file);
            await publication.AddDerivedAsync(
                MirrorPath.Of(file.Url), content, contentType, DateTimeOffset.FromUnixTimeSeconds(stamp),
                new Derivation(Rule, served.Count == 0 ? [file.Url] : [file.Url, "the stamps of earlier generations"]),
                validators: true, cancellationToken).ConfigureAwait(false);
        }

        if (!served.Contains((stamp, file.Sha256)))
        {
            served.Add((stamp, file.Sha256));
        }

        await using var state = new StreamWriter(publication.CreateState(StateName), new UTF8Encoding(false)) { NewLine = "\n" };
        foreach ((long s, string sha256) in served.TakeLast(Remembered))
        {
            await state.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{s} {sha256}").AsMemory(), cancellationToken).ConfigureAwait(false);
        }
    }

    private static long Choose(List<(long Stamp, string Sha256)> served, SnapshotFile file, DateTimeOffset publishedAt)
    {
        bool IsFree(long stamp) => served.All(s => s.Stamp != stamp || s.Sha256 == file.Sha256);

        if (file.LastModified?.ToUnixTimeSeconds() is { } upstream && IsFree(upstream))
        {
            return upstream;
        }

        if (served.FindLast(s => s.Sha256 == file.Sha256) is { Sha256: not null } before)
        {
            return before.Stamp;
        }

        long stamp = publishedAt.ToUnixTimeSeconds();
        while (!IsFree(stamp))
        {
            stamp++;
        }

        return stamp;
    }

    private static async Task<List<(long Stamp, string Sha256)>> ReadAsync(IPublication publication, CancellationToken cancellationToken)
    {
        List<(long, string)> served = [];
        if (publication.OpenPreviousState(StateName) is not { } state)
        {
            return served;
        }

        using var reader = new StreamReader(state, Encoding.UTF8);
        while (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            string[] fields = line.Split(' ');
            if (fields.Length != 2 || !long.TryParse(fields[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long stamp))
            {
                throw new InvalidDataException($"The record of the stamps that {publication.Definition.Name} was served with is damaged: '{line}'.");
            }

            served.Add((stamp, fields[1]));
        }

        return served;
    }
}
