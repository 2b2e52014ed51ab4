using System.Text;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Sites;

/// <summary>
/// A folder with everything QuayAirGap keeps, the same layout outside and inside the gap: sources.yaml, trust/, store/, snapshots/,
/// mirror/ and ledger.jsonl.
/// </summary>
public sealed class Site
{
    public const string EnvironmentVariable = "QUAYAIRGAP_SITE";

    // On Unix the runtime hands errno on as HResult, on Windows the Win32 code.
    private const int WouldBlock = 11;
    private const int NoSpace = 28;
    private const int OverQuota = 122;
    private const uint SharingViolation = 0x80070020;
    private const uint HandleDiskIsFull = 0x80070027;
    private const uint DiskIsFull = 0x80070070;

    private Site(string path)
    {
        Root = path;
        Store = new BlobStore(Path.Combine(path, "store"), StagingFolder);
        Damage = new DamageRecord(Path.Combine(path, "store", "damaged.json"));
    }

    public string Root { get; }

    public string SettingsFile => Path.Combine(Root, "sources.yaml");

    public string TrustFolder => Path.Combine(Root, "trust");

    /// <summary>The mirror's own certificates and keys.</summary>
    public string TlsFolder => Path.Combine(Root, "tls");

    public string SnapshotsFolder => Path.Combine(Root, "snapshots");

    public string MirrorFolder => Path.Combine(Root, "mirror");

    public string GenerationsFolder => Path.Combine(MirrorFolder, "generations");

    /// <summary>Holds the number of the generation that is served; replaced as a whole.</summary>
    public string CurrentFile => Path.Combine(MirrorFolder, "current");

    public string LedgerFile => Path.Combine(Root, "ledger.jsonl");

    /// <summary>Parts of bundles in volumes that wait for the others.</summary>
    public string VolumesFolder => Path.Combine(Root, "volumes");

    /// <summary>Unfinished work, on the same volume; whatever is left in it by a killed process is swept by the next one.</summary>
    public string StagingFolder => Path.Combine(Root, "staging");

    public BlobStore Store { get; }

    /// <summary>What of the store a check has found damaged.</summary>
    internal DamageRecord Damage { get; }

    /// <summary>See <see cref="Collecting.InspectionMemory"/>.</summary>
    internal string InspectionsFile => Path.Combine(Root, "store", "inspected.json");

    /// <summary>The site that commands use when none is named: the environment variable, else the platform's usual place.</summary>
    public static string DefaultPath
    {
        get
        {
            string? configured = Environment.GetEnvironmentVariable(EnvironmentVariable);
            if (!string.IsNullOrWhiteSpace(configured))
            {
                return configured;
            }

            return OperatingSystem.IsWindows()
                ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "QuayAirGap")
                : "/var/lib/quayairgap";
        }
    }

    public static bool Exists(string path) => File.Exists(Path.Combine(path, "sources.yaml"));

    /// <param name="path">An absolute path.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteNotFound"/></exception>
    public static Site Open(string path)
    {
        if (!Exists(path))
        {
            throw new FeedException(
                ErrorIds.SiteNotFound, $"There is no site at '{path}'.", path,
                $"Name an existing site with -SitePath or {EnvironmentVariable}; Save-ClairFeed, Set-ClairFeedSource and Add-ClairFeedTrust create one.");
        }

        return new Site(path);
    }

    /// <summary>Opens a site, or lays out a new one with commented default settings.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteNotWritable"/></exception>
    public static Site OpenOrCreate(string path)
    {
        if (!Exists(path))
        {
            try
            {
                foreach (string folder in new[] { path, Path.Combine(path, "trust"), Path.Combine(path, "snapshots"), Path.Combine(path, "mirror") })
                {
                    Directory.CreateDirectory(folder);
                }

                // Last: a folder is a site from the moment its settings are there.
                Durable.ReplaceFile(Path.Combine(path, "sources.yaml"), Encoding.UTF8.GetBytes(SiteSettings.Template));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw NotWritable(path, e);
            }
        }

        return new Site(path);
    }

    /// <summary>Takes the site for one writing command. Readers and the mirror need no lock.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteBusy"/> or <see cref="ErrorIds.SiteNotWritable"/></exception>
    public SiteLock Lock()
    {
        FileStream? file = null;
        try
        {
            // The operating system lets go of it when the process dies, however it dies.
            file = new FileStream(Path.Combine(Root, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            SweepStaging();
            var held = new SiteLock(file);
            file = null;
            return held;
        }
        catch (IOException e) when (e.HResult is WouldBlock or unchecked((int)SharingViolation))
        {
            throw new FeedException(
                ErrorIds.SiteBusy, $"Another command is writing to the site '{Root}'.", Root, "Wait until it has ended, then try again.", e);
        }
        catch (IOException e) when (IsFull(e))
        {
            throw DiskFull(Root, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(Root, e);
        }
        finally
        {
            file?.Dispose();
        }
    }

    /// <summary>Whether an error means that the disk, or this account's share of it, is full.</summary>
    public static bool IsFull(Exception e) => e is IOException { HResult: NoSpace or OverQuota or unchecked((int)DiskIsFull) or unchecked((int)HandleDiskIsFull) };

    public static FeedException DiskFull(string path, Exception cause) => new(
        ErrorIds.DiskFull, $"There is no space left on the volume of '{path}'.", path,
        "Nothing was changed. Make room, then run the command again.", cause);

    private static FeedException NotWritable(string path, Exception cause) => new(
        ErrorIds.SiteNotWritable, $"The site '{path}' cannot be written: {cause.Message}", path,
        "Give this account write access to the folder, or name another with -SitePath.", cause);

    private void SweepStaging()
    {
        if (Directory.Exists(StagingFolder))
        {
            Directory.Delete(StagingFolder, recursive: true);
        }

        Directory.CreateDirectory(StagingFolder);
    }
}

/// <summary>Held while a command writes to a site.</summary>
public sealed class SiteLock : IDisposable
{
    private readonly FileStream _file;

    internal SiteLock(FileStream file) => _file = file;

    public void Dispose() => _file.Dispose();
}
