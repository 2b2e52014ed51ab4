using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace QuayAirGap.Core.Store;

/// <summary>
/// Order on disk. A rename that makes new state real must come after everything it refers to has reached the disk, or a power cut
/// leaves a name without content. One barrier before each such rename does it, instead of a flush for every small file.
/// </summary>
public static partial class Durable
{
    private static readonly ConcurrentBag<string> s_written = [];

    /// <summary>Says that a file was written that a later barrier must cover.</summary>
    public static void Wrote(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            s_written.Add(path);
        }
    }

    /// <summary>Returns when everything written so far on the volume of <paramref name="folder"/> is on disk.</summary>
    public static void Barrier(string folder)
    {
        if (OperatingSystem.IsLinux())
        {
            // One call for the whole file system: as fast as the disk, where an fsync for each of 50,000 documents takes minutes.
            int descriptor = Open(folder, 0);
            if (descriptor >= 0)
            {
                try
                {
                    if (SyncFileSystem(descriptor) == 0)
                    {
                        return;
                    }
                }
                finally
                {
                    _ = Close(descriptor);
                }
            }

            throw new IOException($"'{folder}' could not be flushed to disk (errno {Marshal.GetLastPInvokeError()}).");
        }

        while (s_written.TryTake(out string? path))
        {
            if (File.Exists(path))
            {
                using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
                file.Flush(flushToDisk: true);
            }
        }
    }

    /// <summary>Replaces a small file as a whole: written beside, flushed, renamed, and the rename flushed too.</summary>
    /// <param name="ownerOnly">For secrets: nobody else may read it, from its first moment. On Windows the folder's access rights decide.</param>
    public static void ReplaceFile(string path, ReadOnlySpan<byte> content, bool ownerOnly = false)
    {
        string folder = Path.GetDirectoryName(path)!;
        string beside = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.new");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 1 };
            if (ownerOnly && !OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var file = new FileStream(beside, options))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }

        FlushFolder(folder);
    }

    /// <summary>Makes renames within a folder survive a power cut.</summary>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return; // NTFS journals the rename; a folder cannot be flushed by name
        }

        int descriptor = Open(folder, 0);
        if (descriptor >= 0)
        {
            _ = SyncFile(descriptor);
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFileSystem(int descriptor);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int SyncFile(int descriptor);
}
