using Microsoft.Win32.SafeHandles;

namespace QuayAirGap.Core.Bundles;

/// <summary>Where one named piece of a bundle lies: a run of bytes within the archive, or a file of the folder.</summary>
internal readonly record struct ContentExtent(string File, long Offset, long Size)
{
    public SafeFileHandle Open() => System.IO.File.OpenHandle(File, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.SequentialScan);

    /// <summary>All of it, for the small documents.</summary>
    public byte[] ReadAll()
    {
        using SafeFileHandle handle = Open();
        byte[] content = new byte[Size];
        for (int done = 0; done < content.Length;)
        {
            int read = RandomAccess.Read(handle, content.AsSpan(done), Offset + done);
            done += read > 0 ? read : throw BundleErrors.Truncated(File, "it became shorter while it was read");
        }

        return content;
    }
}
