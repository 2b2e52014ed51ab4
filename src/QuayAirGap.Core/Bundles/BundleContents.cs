using System.Globalization;
using System.Text;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// What lies in a bundle, by name, without a look at what it means. The reader is strict because the archive comes over a security
/// boundary: nothing but the files of an OCI image layout, each once, and nothing between or behind them.
/// </summary>
internal static class BundleContents
{
    private const byte File = (byte)'0';
    private const byte OldFile = 0;
    private const byte HardLink = (byte)'1';
    private const byte SymbolicLink = (byte)'2';
    private const byte Folder = (byte)'5';
    private const byte Extended = (byte)'x';

    private const int MaxExtendedBytes = 8 * 1024;

    /// <summary>Zeros behind the end: tar programs fill up to 10 KiB, tapes to more.</summary>
    private const int MaxTail = 1024 * 1024;

    /// <summary>Every file of the archive.</summary>
    public static Dictionary<string, ContentExtent> ReadArchive(ArchiveBytes archive)
    {
        try
        {
            using ArchiveBytes.Reader reader = archive.Open();
            return ReadArchive(archive, reader);
        }
        catch (FormatException e)
        {
            throw BundleErrors.Invalid(archive.Name, e.Message, e);
        }
    }

    /// <summary>Every file of the folder.</summary>
    public static Dictionary<string, ContentExtent> ReadFolder(string path)
    {
        var found = new Dictionary<string, ContentExtent>(StringComparer.Ordinal);
        var left = new Stack<(DirectoryInfo Folder, string Prefix)>();
        left.Push((new DirectoryInfo(path), ""));
        while (left.TryPop(out (DirectoryInfo Folder, string Prefix) at))
        {
            foreach (FileSystemInfo item in at.Folder.EnumerateFileSystemInfos())
            {
                string name = at.Prefix + item.Name;
                if (item.LinkTarget is not null || (item.Attributes & FileAttributes.ReparsePoint) != 0)
                {
                    throw BundleErrors.Link(path, $"'{name}'");
                }

                if (item is DirectoryInfo folder && IsFolderName(name))
                {
                    left.Push((folder, name + "/"));
                }
                else if (item is FileInfo file && IsFileName(name))
                {
                    found.Add(name, new ContentExtent(ArchiveBytes.OfFile(file.FullName, file.Length), 0, file.Length));
                }
                else
                {
                    throw BundleErrors.Extra(path, $"'{name}' does not belong into it");
                }

                if (found.Count > BundleFormat.MaxEntries)
                {
                    throw BundleErrors.Limit(path, $"it has more than {BundleFormat.MaxEntries} files");
                }
            }
        }

        return found;
    }

    private static Dictionary<string, ContentExtent> ReadArchive(ArchiveBytes archive, ArchiveBytes.Reader handle)
    {
        string path = archive.Name;
        long length = archive.Length;
        var found = new Dictionary<string, ContentExtent>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        Span<byte> block = stackalloc byte[UstarHeader.BlockSize];
        Extension? extension = null;
        int entries = 0;
        for (long at = 0; ;)
        {
            ReadExactly(path, handle, block, at);
            if (!block.ContainsAnyExcept((byte)0))
            {
                if (extension is not null)
                {
                    throw new FormatException("it ends within an entry");
                }

                CheckEnd(path, handle, at, length);
                return found;
            }

            UstarHeader header = UstarHeader.Parse(block);
            at += UstarHeader.BlockSize;
            if (++entries > BundleFormat.MaxEntries)
            {
                throw BundleErrors.Limit(path, $"it has more than {BundleFormat.MaxEntries} entries");
            }

            long size = extension?.Size ?? header.Size;
            if (size > length - at)
            {
                throw BundleErrors.Truncated(path, $"an entry of {size} bytes begins {length - at} bytes before the end");
            }

            if (header.Type == Extended)
            {
                if (extension is not null || size > MaxExtendedBytes)
                {
                    throw new FormatException("it has too many extended attributes");
                }

                byte[] attributes = new byte[size];
                ReadExactly(path, handle, attributes, at);
                extension = ReadExtended(attributes);
            }
            else
            {
                if (extension?.Name is { } name && name != header.Name)
                {
                    throw new FormatException($"'{header.Name}' has another name in its extended attributes");
                }

                AddEntry(archive, header, size, at, names, found);
                extension = null;
            }

            Span<byte> padding = block[..UstarHeader.Padding(size)];
            ReadExactly(path, handle, padding, at + size);
            if (padding.ContainsAnyExcept((byte)0))
            {
                throw BundleErrors.Extra(path, $"there is something behind '{header.Name}'");
            }

            at += size + padding.Length;
        }
    }

    private static void AddEntry(
        ArchiveBytes archive, UstarHeader header, long size, long at, HashSet<string> names, Dictionary<string, ContentExtent> found)
    {
        string path = archive.Name;
        string name = header.Name.StartsWith("./", StringComparison.Ordinal) ? header.Name[2..] : header.Name;
        if (UstarHeader.Escapes(name))
        {
            throw BundleErrors.Escape(path, $"'{header.Name}'");
        }

        switch (header.Type)
        {
            case Folder:
                name = name.TrimEnd('/');
                if (size != 0 || !(name is "" or "." || IsFolderName(name)))
                {
                    throw BundleErrors.Extra(path, $"the folder '{header.Name}' does not belong into it");
                }

                break;
            case File or OldFile:
                if (!IsFileName(name))
                {
                    throw BundleErrors.Extra(path, $"'{header.Name}' does not belong into it");
                }

                found[name] = new ContentExtent(archive, at, size);
                break;
            case HardLink or SymbolicLink:
                throw BundleErrors.Link(path, $"'{header.Name}'");
            default:
                throw new FormatException($"'{header.Name}' is neither a file nor a folder");
        }

        if (!names.Add(name))
        {
            throw BundleErrors.Duplicate(path, $"'{name}' is there twice");
        }
    }

    private static bool IsFileName(string name) =>
        name is BundleFormat.LayoutName or BundleFormat.IndexName
        || (name.StartsWith(BundleFormat.BlobPrefix, StringComparison.Ordinal) && Sha256Digest.IsValid(name.AsSpan(BundleFormat.BlobPrefix.Length)));

    private static bool IsFolderName(string name) => name is "blobs" or "blobs/sha256";

    /// <summary>
    /// PAX records (POSIX.1-2001, pax, "Extended Header"): "length key=value\n". Go's archive/tar, which skopeo uses, writes them for
    /// times, owners and sizes that do not fit. Only a size changes what is read; a name must be the one that the header has, because
    /// none in a bundle is too long for it.
    /// </summary>
    private static Extension ReadExtended(ReadOnlySpan<byte> records)
    {
        var extension = new Extension(null, null);
        while (records.Length > 0)
        {
            int space = records.IndexOf((byte)' ');
            if (space is < 1 or > 5 || !TryReadNumber(records[..space], out long length) || length > records.Length || length < space + 4
                || records[(int)length - 1] != (byte)'\n')
            {
                throw new FormatException("its extended attributes are damaged");
            }

            ReadOnlySpan<byte> record = records[(space + 1)..((int)length - 1)];
            int equals = record.IndexOf((byte)'=');
            string key = equals > 0 ? Encoding.UTF8.GetString(record[..equals]) : "";
            switch (key)
            {
                case "size" when TryReadNumber(record[(equals + 1)..], out long number):
                    extension = extension with { Size = number };
                    break;
                case "path":
                    extension = extension with { Name = Encoding.UTF8.GetString(record[(equals + 1)..]) };
                    break;
                case "mtime" or "atime" or "ctime" or "uid" or "gid" or "uname" or "gname":
                case { } when key.StartsWith("SCHILY.xattr.", StringComparison.Ordinal):
                    break;
                default:
                    throw new FormatException($"the extended attribute '{key}' is not expected");
            }

            records = records[(int)length..];
        }

        return extension;
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> digits, out long number) =>
        long.TryParse(Encoding.ASCII.GetString(digits), NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <summary>Two blocks of zeros end an archive; what follows may fill it up, but not say anything.</summary>
    private static void CheckEnd(string path, ArchiveBytes.Reader handle, long at, long length)
    {
        long tail = length - at;
        if (tail < 2 * UstarHeader.BlockSize || tail % UstarHeader.BlockSize != 0)
        {
            throw BundleErrors.Truncated(path, "its end mark is incomplete");
        }

        if (tail > MaxTail)
        {
            throw BundleErrors.Extra(path, $"{tail} bytes follow its end (a file named .partial is an unfinished bundle)");
        }

        byte[] rest = new byte[tail];
        ReadExactly(path, handle, rest, at);
        if (rest.AsSpan().ContainsAnyExcept((byte)0))
        {
            throw BundleErrors.Extra(path, "something follows its end");
        }
    }

    private static void ReadExactly(string path, ArchiveBytes.Reader handle, Span<byte> buffer, long at)
    {
        while (buffer.Length > 0)
        {
            int read = handle.Read(buffer, at);
            if (read == 0)
            {
                throw BundleErrors.Truncated(path, $"it ends after {at} bytes, in the middle of its entries");
            }

            buffer = buffer[read..];
            at += read;
        }
    }

    /// <summary>What extended attributes say of the entry after them.</summary>
    private sealed record Extension(long? Size, string? Name);
}
