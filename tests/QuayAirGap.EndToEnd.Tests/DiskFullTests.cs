using System.Diagnostics;
using QuayAirGap.Core;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Trust;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>A real volume that fills up, at every point where it can: needs the right to mount a memory file system.</summary>
public sealed class DiskFullTests
{
    [Fact]
    public async Task A_disk_that_fills_up_at_any_point_of_an_import_leaves_what_was_served_and_room_mends_it()
    {
        await using TwoSites sites = await TwoSites.StartAsync(
            new UpstreamLayer(Repository.Sample("day1"), new DateTimeOffset(2026, 11, 20, 6, 0, 0, TimeSpan.Zero)));
        string first = (await sites.SaveAsync()).Path;
        sites.Upstream.SetLayers(new UpstreamLayer(Repository.Sample("day2"), new DateTimeOffset(2026, 11, 21, 6, 0, 0, TimeSpan.Zero)));
        sites.Clock.Advance(TimeSpan.FromDays(1));
        string second = (await sites.SaveAsync()).Path;
        string volume = Path.Combine(sites.Folder, "volume");
        Directory.CreateDirectory(volume);
        Assert.SkipUnless(OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", volume), "This account cannot mount.");
        try
        {
            Site site = Site.OpenOrCreate(Path.Combine(volume, "site"));
            new TrustStore(site).Add(sites.CertificatePath);
            var importer = new FeedImporter(site, SiteSettings.Load(site), sites.Clock);
            await importer.ImportAsync(first, null, default);
            int full = 0;
            bool done = false;
            for (long room = 0; !done; room += 8 * 1024)
            {
                string ballast = Path.Combine(volume, "ballast");
                File.Delete(ballast);
                Fill(ballast, new DriveInfo(volume).AvailableFreeSpace - room);
                try
                {
                    await importer.ImportAsync(second, null, default);
                    done = true;
                }
                catch (FeedException e)
                {
                    full++;
                    Assert.Equal(ErrorIds.DiskFull, e.ErrorId);
                    Generation served = new GenerationStore(site).LoadCurrent()!;

                    // The very last thing written is the ledger's line: by then the new generation is there, whole, and said to be.
                    Assert.True(served.Number == 1 || e.Message.Contains("Generation 2 is published", StringComparison.Ordinal), e.Message);
                    Assert.All(served.Blobs(), b => Assert.True(File.Exists(site.Store.PathOf(b))));
                }
            }

            Assert.True(full > 5, $"The disk was full only {full} times: the test has lost its subject.");
            Assert.Equal(2, new GenerationStore(site).LoadCurrent()!.Number);
            Assert.Equal(2, new Ledger(site, sites.Clock).Read().Count(e => e.Event == LedgerEvents.FeedImported));
        }
        finally
        {
            Run("umount", volume);
        }
    }

    private static void Fill(string path, long bytes)
    {
        using FileStream file = File.Create(path);
        byte[] block = new byte[4096];
        for (; bytes > 0; bytes -= block.Length)
        {
            file.Write(block);
        }
    }

    private static bool Run(string command, params string[] arguments)
    {
        var info = new ProcessStartInfo(command) { RedirectStandardError = true };
        foreach (string argument in arguments)
        {
            info.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(info)!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
