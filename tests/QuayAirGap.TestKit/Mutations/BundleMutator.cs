using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;

namespace QuayAirGap.TestKit.Mutations;

/// <summary>
/// Damages an OCI layout in a tar archive: bits, cuts, swaps, repeats, false headers whose checksums hold, and documents that were changed and
/// whose digests were then put right wherever they stand. Equal seeds give equal damage.
/// </summary>
public sealed class BundleMutator(byte[] whole, int seed)
{
    private const int Block = 512;
    private const string BlobPrefix = "blobs/sha256/";

    private readonly Random _random = new(seed);

    /// <summary>
    /// What an archive means, as another tar reader reads it: every blob by its content's digest, but the manifest, whose bytes nobody signs.
    /// </summary>
    /// <exception cref="Exception">The other reader cannot read it.</exception>
    public static string MeaningOf(byte[] archive)
    {
        using var reader = new TarReader(new MemoryStream(archive));
        var blobs = new SortedSet<string>(StringComparer.Ordinal);
        while (reader.GetNextEntry(copyData: true) is { } entry)
        {
            using var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            byte[] bytes = content.ToArray();
            if (entry.Name.Contains(BlobPrefix, StringComparison.Ordinal) && !IsManifest(bytes))
            {
                blobs.Add(Convert.ToHexStringLower(SHA256.HashData(bytes)));
            }
        }

        return string.Join('\n', blobs);
    }

    /// <summary>The next damaged archive, and what was done to it.</summary>
    public (byte[] Archive, string How) Next()
    {
        byte[] changed = [.. whole];
        var how = new StringBuilder();
        for (int left = _random.Next(1, 4); left > 0 && changed.Length >= Block; left--)
        {
            (changed, string what) = Once(changed);
            how.Append(what).Append("; ");
        }

        return (changed, how.ToString());
    }

    /// <summary>Makes a header's checksum right again (POSIX.1-1988 ustar).</summary>
    private static void Seal(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        int sum = 0;
        foreach (byte b in header[..Block])
        {
            sum += b;
        }

        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0')).CopyTo(header[148..]);
        header[154] = 0;
        header[155] = (byte)' ';
    }

    private static bool IsManifest(byte[] content) =>
        content.Length is > 0 and < 100_000 && content[0] == '{' && content.AsSpan().IndexOf("\"layers\":"u8) >= 0;

    private (byte[] Archive, string How) Once(byte[] bytes)
    {
        int blocks = bytes.Length / Block;
        int a = _random.Next(blocks) * Block;
        int b = _random.Next(blocks) * Block;
        int run = Math.Min(_random.Next(1, 5) * Block, bytes.Length - Math.Max(a, b));
        int at = _random.Next(bytes.Length);
        byte[] changed = [.. bytes];
        switch (_random.Next(10))
        {
            case 0:
                changed[at] ^= (byte)(1 << _random.Next(8));
                return (changed, $"a bit of byte {at}");
            case 1:
                int many = Math.Min(_random.Next(1, 64), bytes.Length - at);
                _random.NextBytes(changed.AsSpan(at, many));
                return (changed, $"{many} bytes at {at}");
            case 2:
                return (changed[..at], $"cut to {at} bytes");
            case 3:
                return ([.. changed[..a], .. changed[(a + run)..]], $"{run} bytes at {a} taken out");
            case 4:
                return ([.. changed[..a], .. bytes[b..(b + run)], .. changed[a..]], $"{run} bytes of {b} repeated at {a}");
            case 5:
                bytes.AsSpan(a, run).CopyTo(changed.AsSpan(b));
                bytes.AsSpan(b, run).CopyTo(changed.AsSpan(a));
                return (changed, $"{run} bytes at {a} and {b} swapped");
            case 6:
                int field = _random.Next(4) switch { 0 => _random.Next(100), 1 => 124 + _random.Next(12), 2 => 156, _ => 157 + _random.Next(108) };
                changed[a + field] = (byte)_random.Next(256);
                Seal(changed.AsSpan(a, Block));
                return (changed, $"field {field} of the header at {a}");
            case 7:
                return ([.. changed, .. bytes[a..]], $"the end from {a} repeated");
            case 8:
                return ([.. changed, .. new byte[_random.Next(1, 40) * (_random.Next(2) == 0 ? 1 : Block)]], "zeros behind the end");
            default:
                return Reforge(changed);
        }
    }

    /// <summary>Changes a byte of one blob, names it by its new digest, and puts that right wherever the old one stood, up to the index.</summary>
    private (byte[] Archive, string How) Reforge(byte[] bytes)
    {
        List<(string Name, int At, int Size)> blobs = [.. Entries(bytes).Where(e => e.Name.StartsWith(BlobPrefix, StringComparison.Ordinal) && e.Size > 0)];
        if (blobs.Count == 0)
        {
            return (bytes, "nothing");
        }

        (string name, int at, int size) = blobs[_random.Next(blobs.Count)];
        int changedAt = at + _random.Next(size);
        bytes[changedAt] = (byte)_random.Next(256);
        Rename(bytes, name, at, size);
        foreach ((string manifest, int manifestAt, int manifestSize) in blobs.Where(e => IsManifest(bytes[e.At..(e.At + e.Size)])))
        {
            Rename(bytes, manifest, manifestAt, manifestSize);
        }

        foreach ((_, int contentAt, _) in blobs)
        {
            Seal(bytes.AsSpan(contentAt - Block, Block));
        }

        return (bytes, $"byte {changedAt - at} of '{name}' changed, and every digest put right");
    }

    private static void Rename(byte[] bytes, string name, int at, int size)
    {
        byte[] old = Encoding.ASCII.GetBytes(name[BlobPrefix.Length..]);
        byte[] now = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(at, size))));
        if (old.Length != now.Length)
        {
            return;
        }

        for (int from = 0, found; (found = bytes.AsSpan(from).IndexOf(old)) >= 0; from += found + 1)
        {
            now.CopyTo(bytes.AsSpan(from + found));
        }
    }

    private static IEnumerable<(string Name, int At, int Size)> Entries(byte[] bytes)
    {
        for (int at = 0; at + Block <= bytes.Length;)
        {
            string name = Encoding.Latin1.GetString(bytes, at, 100).TrimEnd('\0');
            string digits = Encoding.Latin1.GetString(bytes, at + 124, 11);
            if (name.Length == 0 || digits.Any(c => c is < '0' or > '7') || Convert.ToInt64(digits, 8) is var size && size > bytes.Length - at - Block)
            {
                yield break;
            }

            yield return (name, at + Block, (int)size);
            at += Block + (int)((size + Block - 1) / Block * Block);
        }
    }
}
