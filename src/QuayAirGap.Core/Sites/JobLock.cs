using System.Globalization;
using System.Text;

namespace QuayAirGap.Core.Sites;

/// <summary>
/// Keeps a job from overlapping itself. The operating system lets go of the lock when the process dies, however it dies: what stands
/// beside it is for people, and says nothing once nobody holds the lock.
/// </summary>
public sealed class JobLock : IDisposable
{
    private readonly FileStream _file;
    private readonly string _note;

    private JobLock(FileStream file, string note)
    {
        _file = file;
        _note = note;
    }

    /// <param name="site">Where the job works.</param>
    /// <param name="job">Its name: lower-case letters and hyphens.</param>
    /// <param name="clock">Says since when it runs.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.JobRunning"/> or <see cref="ErrorIds.SiteNotWritable"/></exception>
    public static JobLock Take(Site site, string job, TimeProvider clock)
    {
        string path = Path.Combine(site.Root, $".job-{job}.lock");
        string note = Path.Combine(site.Root, $".job-{job}.running");
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            try
            {
                File.WriteAllText(note, Now(clock), Encoding.UTF8);
            }
            catch
            {
                file.Dispose();
                throw;
            }

            return new JobLock(file, note);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException) && !Site.IsFull(e))
        {
            throw new FeedException(
                ErrorIds.JobRunning, $"An earlier run of this job has not ended{Running(note)}: {path} is held.", path,
                "Nothing was done. The next run goes on where this one would have; where one never ends, see in its log what it waits for.", e);
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.SiteNotWritable, $"The site '{site.Root}' cannot be written: {e.Message}", site.Root, "Give this account write access to the folder.", e);
        }
    }

    public void Dispose()
    {
        try
        {
            File.Delete(_note);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It says nothing without the lock.
        }

        _file.Dispose();
    }

    private static string Now(TimeProvider clock)
    {
        string boot = OperatingSystem.IsLinux() && File.Exists("/proc/sys/kernel/random/boot_id")
            ? ", boot " + File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() : "";
        return string.Create(
            CultureInfo.InvariantCulture, $"process {Environment.ProcessId} on {Environment.MachineName}{boot}, since {clock.GetUtcNow().UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
    }

    private static string Running(string note)
    {
        try
        {
            string text = File.ReadAllText(note).Trim();
            return text.Length is > 0 and < 500 ? $" ({string.Concat(text.Where(c => !char.IsControl(c)))})" : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
