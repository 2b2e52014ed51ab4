using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Win32.SafeHandles;
using QuayAirGap.Core;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Server.Contents;

/// <summary>
/// A folder laid out host/path, served as it is: a stand-in for the upstreams in a lab, or a cache for collectors. It makes none of the
/// corrections that Clair needs; for Clair, serve a site.
/// </summary>
internal sealed class FolderContent : IMirrorContent
{
    private static readonly FileExtensionContentTypeProvider s_types = new();

    /// <summary>A file that changed this recently may change again without its time showing it.</summary>
    private static readonly TimeSpan s_settled = TimeSpan.FromSeconds(2);

    private readonly string _root;
    private readonly FolderPath _paths;
    private readonly DateTimeOffset? _lastModified;
    private readonly IReadOnlyDictionary<string, DateTimeOffset> _times;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, Known> _digests = new(StringComparer.Ordinal);

    /// <param name="root">An absolute path.</param>
    /// <param name="lastModified">What every file is said to be of that <see cref="FolderTimes"/> does not name; null for the files' own times.</param>
    public FolderContent(string root, DateTimeOffset? lastModified, TimeProvider time)
    {
        _root = root;
        _paths = new FolderPath(root);
        _lastModified = lastModified;
        _times = FolderTimes.Read(root);
        _time = time;
    }

    public bool IsReady => true;

    public ValueTask LookAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public Generation? Published => null;

    public Task PrepareAsync(CancellationToken cancellationToken) => Directory.Exists(_root)
        ? Task.CompletedTask
        : throw new FeedException(ErrorIds.MirrorNotStarted, $"There is no folder '{_root}'.", _root, "Name the folder to serve with --folder.");

    public ValueTask<Found?> FindAsync(string path, CancellationToken cancellationToken)
    {
        bool slash = path.EndsWith('/');
        return new ValueTask<Found?>(_paths.Resolve(slash ? path[..^1] : path) switch
        {
            DirectoryInfo when !slash => new DirectoryWithoutSlash(),
            DirectoryInfo folder => _paths.Resolve(path + "index.html") is FileInfo index ? Open(index) : List(path, folder),
            FileInfo file when !slash => Open(file),
            _ => null,
        });
    }

    private Resource Open(FileInfo file)
    {
        FileBody body = FileBody.Open(file.FullName);
        try
        {
            DateTimeOffset modified = File.GetLastWriteTimeUtc(body.Handle);

            // As the site's mirror does: a Clair that gets an ETag for this list stops updating OSV (claircore's osv.go on 304).
            bool validators = file.Name != "ecosystems.txt";
            return new Resource(body)
            {
                ContentType = s_types.TryGetContentType(file.Name, out string? type) ? type : "application/octet-stream",
                ETag = validators ? $"\"{DigestOf(file.FullName, body, modified)}\"" : null,
                LastModified = validators ? WholeSeconds(TimeOf(file.FullName, modified)) : null,
            };
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    private DateTimeOffset TimeOf(string path, DateTimeOffset own) =>
        _times.TryGetValue(path, out DateTimeOffset said) ? said : _lastModified ?? own;

    /// <summary>
    /// Relative, escaped, double-quoted references, one for each name, none to the parent: claircore's Debian and SUSE readers need it so.
    /// </summary>
    private Resource List(string path, DirectoryInfo folder)
    {
        var html = new StringBuilder("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Index of ")
            .Append(HtmlEncoder.Default.Encode(path)).Append("</title></head><body>\n<ul>\n");
        foreach (string name in folder.EnumerateFileSystemInfos().Select(i => i.Name).Order(StringComparer.Ordinal))
        {
            if (_paths.Resolve(path + name) is { } item)
            {
                string slash = item is DirectoryInfo ? "/" : "";
                html.Append("<li><a href=\"").Append(Uri.EscapeDataString(name)).Append(slash).Append("\">")
                    .Append(HtmlEncoder.Default.Encode(name)).Append(slash).Append("</a></li>\n");
            }
        }

        byte[] content = Encoding.UTF8.GetBytes(html.Append("</ul>\n</body></html>\n").ToString());
        return new Resource(new MemoryBody(content))
        {
            ContentType = "text/html; charset=utf-8",
            ETag = $"\"{Sha256Digest.Of(content)}\"",
        };
    }

    private string DigestOf(string path, FileBody body, DateTimeOffset modified)
    {
        if (_digests.TryGetValue(path, out Known? known) && known.Modified == modified && known.Size == body.Length)
        {
            return known.Sha256;
        }

        string sha256 = Hash(body.Handle, body.Length);
        if (_time.GetUtcNow() - modified > s_settled)
        {
            _digests[path] = new Known(modified, body.Length, sha256);
        }

        return sha256;
    }

    private static string Hash(SafeFileHandle file, long length)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[64 * 1024];
        for (long offset = 0; offset < length;)
        {
            int read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - offset)), offset);
            if (read == 0)
            {
                throw new EndOfStreamException("The file became shorter while it was read.");
            }

            hash.AppendData(buffer, 0, read);
            offset += read;
        }

        return Sha256Digest.ToText(hash.GetHashAndReset());
    }

    private static DateTimeOffset WholeSeconds(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    private sealed record Known(DateTimeOffset Modified, long Size, string Sha256);
}
