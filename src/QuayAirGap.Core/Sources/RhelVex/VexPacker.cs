using System.Text.Json;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Streams;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>
/// Packs the documents of upstream's archive into frames that can be opened and copied one at a time, with a table of all of them behind.
/// The collector does it, once for each archive: every site would have to unpack tens of gigabytes otherwise.
/// </summary>
internal static class VexPacker
{
    /// <param name="archive">Upstream's.</param>
    /// <param name="takes">Whether a document that Clair reads is packed.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamContent"/>: the archive is damaged, or a document in it is not JSON.</exception>
    public static void Pack(VexArchive archive, Func<string, bool> takes, Stream output, CancellationToken cancellationToken)
    {
        using var writer = new SeekableArchiveWriter(output, cancellationToken);
        while (archive.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!VexPath.IsRead(archive.Path) || !takes(archive.Path))
            {
                continue;
            }

            try
            {
                using var content = new ReadDocument(archive.Content);
                writer.Add(new SeekableArchiveDocument(archive.Path, digest: null, archive.Size), content);
                content.Complete();
            }
            catch (JsonException e)
            {
                throw archive.Refuse($"'{archive.Path}' in it is not JSON", e);
            }
        }

        writer.CompleteWithTable();
    }

    /// <summary>A document that is read as JSON while its bytes go by.</summary>
    private sealed class ReadDocument(Stream inner) : ReadOnlyStream
    {
        private readonly VexDocument _document = new();

        public void Complete() => _document.Complete();

        public override int Read(Span<byte> buffer)
        {
            int read = inner.Read(buffer);
            _document.Append(buffer[..read]);
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _document.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
