using System.Formats.Tar;
using System.IO.Compression;

namespace QuayAirGap.Package;

/// <summary>One file of an archive.</summary>
/// <param name="Name">With slashes.</param>
/// <param name="Content">Its bytes.</param>
/// <param name="IsExecutable">Whether people run it.</param>
internal sealed record TreeFile(string Name, byte[] Content, bool IsExecutable = false);

/// <summary>Archives whose bytes depend on nothing but their files and one time: ordinal order, no owner, no extra fields.</summary>
internal static class FileTree
{
    private const int Regular = 0x8000;
    private const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Executable = Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public static IReadOnlyList<TreeFile> Read(string folder, string prefix, Func<string, bool>? isExecutable = null) =>
    [
        .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(f => (File: f, Name: Path.GetRelativePath(folder, f).Replace(Path.DirectorySeparatorChar, '/')))
            .OrderBy(f => f.Name, StringComparer.Ordinal)
            .Select(f => new TreeFile(prefix + f.Name, File.ReadAllBytes(f.File), isExecutable?.Invoke(f.Name) ?? false)),
    ];

    /// <param name="path">Replaced where it is there.</param>
    /// <param name="files">In the archive's order.</param>
    /// <param name="time">Of every file; a ZIP knows no time zone and no odd second: it is written as UTC.</param>
    public static void WriteZip(string path, IEnumerable<TreeFile> files, DateTimeOffset time)
    {
        using var zip = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
        foreach (TreeFile file in files)
        {
            ZipArchiveEntry entry = zip.CreateEntry(file.Name, CompressionLevel.SmallestSize);
            entry.LastWriteTime = new DateTimeOffset(time.UtcDateTime, TimeSpan.Zero);

            // The same on Windows, which would leave the mode out.
            entry.ExternalAttributes = (Regular | (int)(file.IsExecutable ? Executable : Plain)) << 16;
            using Stream stream = entry.Open();
            stream.Write(file.Content);
        }
    }

    public static void WriteTarGzip(string path, IEnumerable<TreeFile> files, DateTimeOffset time)
    {
        using var gzip = new GZipStream(File.Create(path), CompressionLevel.SmallestSize);
        using var tar = new TarWriter(gzip, TarEntryFormat.Ustar);
        foreach (TreeFile file in files)
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, file.Name)
            {
                ModificationTime = time,
                Mode = file.IsExecutable ? Executable : Plain,
                DataStream = new MemoryStream(file.Content),
            });
        }
    }
}
