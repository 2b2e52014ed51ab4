using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace QuayAirGap.Core.Store;

/// <summary>
/// Sends a large file to the disk while it is still being written, so that the barrier at the end has little left to wait for; and gives
/// the memory of a very large one back. Gigabytes then neither push what a machine works with out of its cache nor take gigabytes of fresh
/// pages, whose first touch costs a virtual machine more than hashing what is copied into them.
/// </summary>
/// <remarks>
/// Promises nothing: <see cref="Durable"/> flushes as if this were not there. Linux only: where it is not, everything waits at the barrier.
/// </remarks>
internal sealed partial class WriteBehind(SafeFileHandle file)
{
    /// <summary>Smaller files are left to the barrier.</summary>
    private const long Step = 8 << 20;

    /// <summary>So much of a file stays in memory. Behind it the disk has had time: waiting for it costs nothing, unless it is the disk that is slow.</summary>
    private const long Kept = 64 << 20;

    private const uint WaitBefore = 1;
    private const uint Write = 2;
    private const uint WaitAfter = 4;
    private const int DontNeed = 4;

    private static readonly bool s_works = OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    private long _begun;
    private long _gone;

    /// <param name="length">How much of the file is written, from its beginning.</param>
    public void Advance(long length)
    {
        if (!s_works || length - _begun < Step)
        {
            return;
        }

        _ = SyncFileRange(file, _begun, length - _begun, Write);
        _begun = length;
        while (_begun - _gone >= Kept + Step)
        {
            _ = SyncFileRange(file, _gone, Step, WaitBefore | Write | WaitAfter);
            _ = Advise(file, _gone, Step, DontNeed);
            _gone += Step;
        }
    }

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncFileRange(SafeFileHandle descriptor, long offset, long count, uint flags);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle descriptor, long offset, long count, int advice);
}
