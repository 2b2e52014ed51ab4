using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace QuayAirGap.Core.Store;

/// <summary>
/// Order on disk. A rename that makes new state real must come after everything it refers to has reached the disk, or a power cut
/// leaves a name without content. One barrier before each such rename does it, instead of a flush for every small file.
/// </summary>
/// <remarks>
/// What a power cut can do: a file system may keep a rename and lose what was written into the file before it, or keep the later of two renames and lose the
/// earlier one; what was flushed before stays. So each step below may only rest on steps that were flushed:
/// <list type="number">
/// <item>A single file that replaces another (a ledger's start, settings, "current", a snapshot's document and signatures, the index of a layout): written
/// beside, flushed, renamed, the folder flushed. Before the rename the old one is whole; behind it, the new one. A document comes after its signatures.</item>
/// <item>A bundle, a part of one, and a part that a site keeps: under another name until its last byte is flushed, then renamed. A name without all of its
/// content never exists. Of several parts each says which others there are, so that their order is free.</item>
/// <item>A bundle's contents: staged, one barrier, renamed into the store, so that under its digest none is ever torn. Nothing refers to them yet: a cut
/// here leaves contents that the next sweep removes, or the next run finds and does not write again. What is collected or derived is renamed at once and
/// rests on the barrier before whatever refers to it; one that a cut tears before has another size on file systems that write content before sizes
/// (ext4, XFS, NTFS), and is written again. Elsewhere Test-ClairFeedStore finds it.</item>
/// <item>A generation: another barrier, so that the renames before it, the snapshot's and its own files are on disk; then its folder is renamed to its
/// number, and that is flushed; only then does "current" name it (as 1). A cut before leaves the previous generation serving; one between the two is finished by
/// the next command (<see cref="Publishing.GenerationStore.FinishSwitch"/>).</item>
/// <item>What goes, goes last: kept parts, old generations and contents that only they needed, after the new generation is served.</item>
/// </list>
/// The order is held by a test that records the operations of real commands (<see cref="Trace"/>); the kill tests cut the same commands anywhere.
/// </remarks>
public static partial class Durable
{
    /// <summary>For tests: gets every operation that a crash's outcome depends on, in order, of the flow of control that set it.</summary>
    internal static AsyncLocal<ICollection<string>?> Trace { get; } = new();

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
        Note("barrier");
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
                Flush(file);
            }

            Rename(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }

        FlushFolder(folder);
    }

    /// <summary>Returns when what was written to the file is on disk.</summary>
    public static void Flush(FileStream file)
    {
        file.Flush(flushToDisk: true);
        Note("flush", file.Name);
    }

    /// <summary>Gives a file its name: what it holds is real from here on.</summary>
    public static void Rename(string from, string to, bool overwrite)
    {
        File.Move(from, to, overwrite);
        Note("rename", from, to);
    }

    /// <summary>As <see cref="Rename"/>, of a folder.</summary>
    public static void RenameFolder(string from, string to)
    {
        Directory.Move(from, to);
        Note("rename", from, to);
    }

    private static void Note(params string[] words)
    {
        if (Trace.Value is { } trace)
        {
            lock (trace)
            {
                trace.Add(string.Join('|', words));
            }
        }
    }

    /// <summary>Makes renames within a folder survive a power cut.</summary>
    public static void FlushFolder(string folder)
    {
        Note("folder", folder);
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
