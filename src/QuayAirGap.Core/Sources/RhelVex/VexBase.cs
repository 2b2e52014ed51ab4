using System.Buffers;
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
    public static List<SeekableArchiveDocument> Index(VexArchive archive, CancellationToken cancellationToken)
    {
        var documents = new List<SeekableArchiveDocument>();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        Span<byte> digest = stackalloc byte[32];
        try
        {
            while (archive.MoveNext())
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!VexPath.IsRead(archive.Path))
                {
                    continue;
                }

                int read;
                while ((read = archive.Content.Read(buffer)) > 0)
                {
                    hash.AppendData(buffer, 0, read);
                }

                hash.GetHashAndReset(digest);
                documents.Add(new SeekableArchiveDocument(archive.Path, SeekableArchiveDigest.Of(digest), archive.Size));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
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
