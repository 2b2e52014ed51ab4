using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Sites;

/// <summary>One line of the ledger.</summary>
/// <param name="N">Counts from 1.</param>
/// <param name="Time">UTC.</param>
/// <param name="Event">"feed.saved", "feed.imported", "feed.restored", "bundle.refused", "trust.added", "trust.removed", "trust.revoked", "settings.changed".</param>
/// <param name="Actor">The account and host that did it: "user@host".</param>
/// <param name="Details">What it was done to; the keys depend on the event.</param>
/// <param name="Previous">SHA-256 of the previous line's bytes without its newline; 64 zeros for the first.</param>
public sealed record LedgerEntry(
    long N, DateTimeOffset Time, string Event, string Actor, IReadOnlyDictionary<string, string> Details, string Previous);

/// <summary>
/// ledger.jsonl: who did what to this site. Append-only; each line carries the hash of the one before, so that a line that was changed
/// or taken out shows. Appending needs the site's lock or must be the only writer.
/// </summary>
public sealed class Ledger(Site site, TimeProvider clock)
{
    private static readonly string s_nothing = new('0', 64);

    /// <summary>Adds a line, on disk before this returns.</summary>
    public void Append(string @event, IReadOnlyDictionary<string, string> details)
    {
        using var file = new FileStream(site.LedgerFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        (byte[] last, bool torn) = LastLine(file);
        long n = last.Length == 0 ? 1 : TryRead(last)?.N + 1 ?? CountLines(file) + 1;
        var entry = new LedgerEntry(
            n, clock.GetUtcNow(), @event, $"{Environment.UserName}@{Environment.MachineName}", details, last.Length == 0 ? s_nothing : Sha256Digest.Of(last));
        using var line = new MemoryStream();
        if (torn)
        {
            // A kill left half a line. It stays as it is, as a line of its own that the chain goes on from: nothing here is ever rewritten.
            line.WriteByte((byte)'\n');
        }

        JsonSerializer.Serialize(line, entry, LedgerJson.Readable.LedgerEntry);
        line.WriteByte((byte)'\n');
        file.Seek(0, SeekOrigin.End);
        file.Write(line.GetBuffer(), 0, (int)line.Length);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Every readable line, in order. Lines that a kill tore are left out; <see cref="VerifyChain"/> tells about them.</summary>
    public IEnumerable<LedgerEntry> Read() => Lines().Select(TryRead).OfType<LedgerEntry>();

    /// <summary>The first line (from 1) that does not follow from the one before, or null where the chain holds.</summary>
    public long? VerifyChain()
    {
        string expected = s_nothing;
        long number = 0;
        foreach (byte[] line in Lines())
        {
            number++;

            // A torn line proves nothing itself, and the next one must vouch for it.
            if (TryRead(line) is { } entry && entry.Previous != expected)
            {
                return number;
            }

            expected = Sha256Digest.Of(line);
        }

        return null;
    }

    private IEnumerable<byte[]> Lines()
    {
        if (!File.Exists(site.LedgerFile))
        {
            yield break;
        }

        using var file = new FileStream(site.LedgerFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        using var line = new MemoryStream();
        int b;
        while ((b = file.ReadByte()) >= 0)
        {
            if (b == '\n')
            {
                yield return line.ToArray();
                line.SetLength(0);
            }
            else
            {
                line.WriteByte((byte)b);
            }
        }

        if (line.Length > 0)
        {
            yield return line.ToArray();
        }
    }

    private static (byte[] Line, bool Torn) LastLine(FileStream file)
    {
        if (file.Length == 0)
        {
            return ([], false);
        }

        file.Seek(-1, SeekOrigin.End);
        bool torn = file.ReadByte() != '\n';
        long end = torn ? file.Length : file.Length - 1;
        long start = end;
        byte[] block = new byte[4096];
        while (start > 0)
        {
            int size = (int)Math.Min(block.Length, start);
            file.Seek(start - size, SeekOrigin.Begin);
            file.ReadExactly(block, 0, size);
            int newline = block.AsSpan(0, size).LastIndexOf((byte)'\n');
            if (newline >= 0)
            {
                start = start - size + newline + 1;
                break;
            }

            start -= size;
        }

        byte[] line = new byte[end - start];
        file.Seek(start, SeekOrigin.Begin);
        file.ReadExactly(line);
        return (line, torn);
    }

    private static long CountLines(FileStream file)
    {
        file.Seek(0, SeekOrigin.Begin);
        byte[] block = new byte[1 << 16];
        long lines = 0;
        int last = '\n';
        int n;
        while ((n = file.Read(block)) > 0)
        {
            lines += block.AsSpan(0, n).Count((byte)'\n');
            last = block[n - 1];
        }

        return last == '\n' ? lines : lines + 1;
    }

    private static LedgerEntry? TryRead(byte[] line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, LedgerJson.Readable.LedgerEntry);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LedgerEntry))]
internal sealed partial class LedgerJson : JsonSerializerContext
{
    /// <summary>People read the file: "it's" stays as it is. The file is not a web page.</summary>
    public static LedgerJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
