using System.Globalization;
using System.Text;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Publishing;

/// <summary>The published generations of a site. Reading needs no lock: a generation never changes once it has its number.</summary>
public sealed class GenerationStore(Site site)
{
    /// <summary>The number of the generation that is served, or null before the first publication.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.GenerationDamaged"/></exception>
    public int? CurrentNumber
    {
        get
        {
            string text;
            try
            {
                text = File.ReadAllText(site.CurrentFile).Trim();
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }

            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? number
                : throw new FeedException(
                    ErrorIds.GenerationDamaged, $"'{site.CurrentFile}' does not hold a generation's number.", site.CurrentFile,
                    "Run Restore-ClairFeed with the generation to serve.");
        }
    }

    /// <summary>The generation that is served, or null before the first publication.</summary>
    public Generation? LoadCurrent() => CurrentNumber is { } number ? Load(number) : null;

    /// <summary>The generation with the highest number, or null: what the next publication builds on.</summary>
    public Generation? LoadNewest() => Numbers() is [.., int newest] ? Load(newest) : null;

    /// <summary>Every kept generation's number, rising.</summary>
    public IReadOnlyList<int> Numbers() => !Directory.Exists(site.GenerationsFolder)
        ? []
        : [.. Directory.EnumerateDirectories(site.GenerationsFolder)
            .Select(d => int.TryParse(Path.GetFileName(d), NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : -1)
            .Where(n => n > 0).Order()];

    public string FolderOf(int number) => Path.Combine(site.GenerationsFolder, number.ToString(CultureInfo.InvariantCulture));

    /// <exception cref="FeedException"><see cref="ErrorIds.GenerationNotFound"/> or <see cref="ErrorIds.GenerationDamaged"/></exception>
    public Generation Load(int number)
    {
        string folder = FolderOf(number);
        return Directory.Exists(folder)
            ? Generation.Load(folder)
            : throw new FeedException(
                ErrorIds.GenerationNotFound, $"The site '{site.Root}' has no generation {number}.", folder,
                "Get-ClairFeed lists the ones that are kept.");
    }

    /// <summary>
    /// Makes a staged generation real: everything it refers to reaches the disk, then one rename gives it its number, then one rename
    /// makes it current. A kill between the two is mended by <see cref="FinishSwitch"/>.
    /// </summary>
    internal void Commit(string stagedFolder, Generation generation)
    {
        Directory.CreateDirectory(site.GenerationsFolder);
        Durable.Barrier(site.Root);
        Durable.RenameFolder(stagedFolder, FolderOf(generation.Number));
        Durable.FlushFolder(site.GenerationsFolder);
        MakeCurrent(generation.Number);
    }

    /// <summary>
    /// The newest generation is always the one to serve, as every publication, a revert too, makes a new one: completes a switch that a
    /// kill interrupted. Needs the site's lock.
    /// </summary>
    internal void FinishSwitch()
    {
        if (Numbers() is [.., int newest] && (!TryReadCurrent(out int current) || current != newest))
        {
            MakeCurrent(newest);
        }
    }

    private bool TryReadCurrent(out int number)
    {
        number = 0;
        return File.Exists(site.CurrentFile)
            && int.TryParse(File.ReadAllText(site.CurrentFile).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private void MakeCurrent(int number) =>
        Durable.ReplaceFile(site.CurrentFile, Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture) + "\n"));
}
