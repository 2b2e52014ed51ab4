using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>
/// What upstream's archive holds, in its order. Kept between publications, so that the archive is read again only when it is another.
/// </summary>
internal static class VexBase
{
    private const string Format = "rhel-vex-base/1";

    /// <summary>Reads an archive for the documents that Clair reads.</summary>
    /// <param name="pack">Offered each with its content, while it is read; where it takes it, it also finds its digest. Null to read only.</param>
    public static List<SeekableArchiveDocument> Index(
        VexArchive archive, Func<SeekableArchiveDocument, Stream, bool>? pack, CancellationToken cancellationToken)
    {
        var documents = new List<SeekableArchiveDocument>();
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        while (archive.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!VexPath.IsRead(archive.Path))
            {
                continue;
            }

            var document = new SeekableArchiveDocument(archive.Path, digest: null, archive.Size);
            if (pack is null || !pack(document, archive.Content))
            {
                SHA256.HashData(archive.Content, digest);
                document.Found(SeekableArchiveDigest.Of(digest));
            }

            documents.Add(document);
        }

        return documents;
    }

    /// <summary>The inventory that the last publication left, or null where it is of another archive.</summary>
    /// <param name="state">Disposed.</param>
    public static List<SeekableArchiveDocument>? Load(Stream? state, string archiveSha256)
    {
        if (state is null)
        {
            return null;
        }

        using var reader = new StreamReader(state, Encoding.ASCII, false, 64 << 10);
        if (reader.ReadLine() != Format + "\t" + archiveSha256)
        {
            return null;
        }

        var documents = new List<SeekableArchiveDocument>();
        while (reader.ReadLine() is { } line)
        {
            int first = line.IndexOf('\t', StringComparison.Ordinal);
            int second = line.LastIndexOf('\t');
            if (first < 0 || first == second)
            {
                throw new FormatException($"line {documents.Count + 2} of the inventory cannot be read");
            }

            documents.Add(new SeekableArchiveDocument(
                line[..first], SeekableArchiveDigest.Parse(line.AsSpan(first + 1, second - first - 1)),
                long.Parse(line.AsSpan(second + 1), NumberStyles.None, CultureInfo.InvariantCulture)));
        }

        return documents;
    }

    /// <param name="state">Disposed.</param>
    public static void Save(Stream state, string archiveSha256, List<SeekableArchiveDocument> documents)
    {
        using var writer = new StreamWriter(state, Encoding.ASCII, 64 << 10) { NewLine = "\n" };
        writer.WriteLine($"{Format}\t{archiveSha256}");
        foreach (SeekableArchiveDocument document in documents)
        {
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{document.Path}\t{document.Digest}\t{document.Size}"));
        }
    }
}
