using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Quay;

/// <summary>Files of configuration, replaced as a whole, with a copy of what was there beside them.</summary>
public static partial class ConfigFile
{
    private const int CurrentFolder = -100;
    private const uint OwnerAndGroup = 0x18;

    /// <summary>The text of a file, or null where there is none.</summary>
    public static string? ReadIfThere(string path) => File.Exists(path) ? File.ReadAllText(path) : null;

    /// <summary>Does what a change says. The file keeps its mode and its owner; a link stays one.</summary>
    /// <returns>The copy of what was there; null where nothing was there, or nothing changes.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.ClairConfigConflict"/>: the file is not what it was when the change was planned.</exception>
    public static string? Apply(AirGapChange change, TimeProvider clock)
    {
        if (!change.IsChange)
        {
            return null;
        }

        string path = File.Exists(change.Path) ? File.ResolveLinkTarget(change.Path, returnFinalTarget: true)?.FullName ?? change.Path : change.Path;
        if (ReadIfThere(path) != change.Before)
        {
            throw new FeedException(
                ErrorIds.ClairConfigConflict, $"'{change.Path}' was changed by somebody else meanwhile.", change.Path,
                "Nothing was changed. Run the command again.");
        }

        string? backup = change.Before is null ? null : Backup(path, clock.GetUtcNow());
        if (change.After is null)
        {
            File.Delete(path);
            Durable.FlushFolder(Path.GetDirectoryName(path)!);
            return backup;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string beside = $"{path}.{Guid.NewGuid():N}.new";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 1 };
            if (!OperatingSystem.IsWindows() && change.Before is not null)
            {
                options.UnixCreateMode = File.GetUnixFileMode(path);
            }

            using (var file = new FileStream(beside, options))
            {
                file.Write(new UTF8Encoding(false).GetBytes(change.After));
                file.Flush(flushToDisk: true);
            }

            if (change.Before is not null)
            {
                KeepOwner(path, beside);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }

        Durable.FlushFolder(Path.GetDirectoryName(path)!);
        return backup;
    }

    /// <summary>Its name ends in .bak, which Clair's loader passes over.</summary>
    private static string Backup(string path, DateTimeOffset now)
    {
        string stamp = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        for (int i = 0; ; i++)
        {
            string backup = $"{path}.{stamp}{(i == 0 ? "" : $"-{i}")}.bak";
            if (!File.Exists(backup))
            {
                File.Copy(path, backup); // with its mode: a copy of a secret is one too
                KeepOwner(path, backup);
                return backup;
            }
        }
    }

    /// <summary>A file that Clair or Quay reads as its own user must stay theirs when root edits it.</summary>
    private static void KeepOwner(string from, string to)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        // struct statx is the same on every architecture: user at byte 20, group at byte 24.
        byte[] status = new byte[256];
        if (Statx(CurrentFolder, from, 0, OwnerAndGroup, status) == 0)
        {
            _ = Chown(to, BitConverter.ToUInt32(status, 20), BitConverter.ToUInt32(status, 24)); // refused to anybody but root, who needs it
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, [Out] byte[] buffer);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint user, uint group);
}
