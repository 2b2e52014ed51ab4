using System.Globalization;
using System.Text;

namespace QuayAirGap.Core.Publishing.Dropping;

/// <summary>Where a drop folder's bundles go that were dealt with: done/ and refused/, beside each other, with a reason for every refusal.</summary>
internal sealed class DropAside(string root)
{
    public const string DoneName = "done";
    public const string RefusedName = "refused";

    /// <summary>Makes sure that what is taken can be put away: else every run would take it again.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.DropFolderInvalid"/></exception>
    public void ThrowIfReadOnly()
    {
        foreach (string name in new[] { DoneName, RefusedName })
        {
            string folder = Path.Combine(root, name);
            try
            {
                Directory.CreateDirectory(folder);
                string probe = Path.Combine(folder, $".{Guid.NewGuid():N}");
                File.WriteAllBytes(probe, []);
                File.Delete(probe);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Invalid(root, $"This account cannot write to '{folder}', where bundles go that were dealt with ({e.Message.TrimEnd('.')})", e);
            }
        }
    }

    /// <returns>Where the first one lies now.</returns>
    public string Keep(IReadOnlyList<string> entries) => Move(entries, DoneName);

    /// <param name="error">Why; written beside the first one.</param>
    /// <param name="now">UTC.</param>
    /// <returns>Where the first one lies now.</returns>
    public string Refuse(IReadOnlyList<string> entries, FeedException error, DateTimeOffset now)
    {
        string moved = Move(entries, RefusedName);
        string reason = string.Create(
            CultureInfo.InvariantCulture,
            $"{now.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC\n{error.ErrorId}\n{error.Message}\n{error.Remedy}\n\nTo have it tried again, move it back.\n");
        try
        {
            File.WriteAllText(moved + ".reason.txt", reason, new UTF8Encoding(false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(root, $"The reason for a refusal cannot be written ({e.Message.TrimEnd('.')})", e);
        }

        return moved;
    }

    /// <summary>Removes what is needed no more.</summary>
    /// <returns>Null: it lies nowhere now.</returns>
    public string? Delete(IReadOnlyList<string> entries)
    {
        foreach (string entry in entries)
        {
            try
            {
                if (Directory.Exists(entry))
                {
                    Directory.Delete(entry, recursive: true);
                }
                else
                {
                    File.Delete(entry);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Invalid(root, $"'{entry}' was imported, and cannot be deleted ({e.Message.TrimEnd('.')})", e);
            }
        }

        return null;
    }

    public static FeedException Invalid(string path, string what, Exception? cause) => new(
        ErrorIds.DropFolderInvalid, $"{what}: '{path}' is no folder to take bundles from.", path,
        "Name a folder that exists and that this account may write to.", cause);

    private string Move(IReadOnlyList<string> entries, string folder) => entries.Select(e => Move(e, folder)).ToArray()[0];

    private string Move(string entry, string folder)
    {
        try
        {
            for (int i = 1; ; i++)
            {
                // Two bundles of one name are two bundles.
                string name = i == 1 ? Path.GetFileName(entry) : string.Create(
                    CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(entry)}.{i}{Path.GetExtension(entry)}");
                string target = Path.Combine(root, folder, name);
                if (Path.Exists(target))
                {
                    continue;
                }

                Directory.Move(entry, target);
                return target;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(root, $"'{entry}' was dealt with, and cannot be moved to '{folder}' ({e.Message.TrimEnd('.')})", e);
        }
    }
}
