using System.Globalization;
using System.Text.Json;
using QuayAirGap.TestKit.Upstream;

namespace QuayAirGap.TestKit.Samples;

/// <summary>
/// The sample upstream in <c>docs/examples/sample-upstream</c>: every collected feed in its true format with invented content, in
/// two states. From day 1 to day 2: Alpine v3.8 main and <c>last-update</c> change, the Debian tracker changes, OSV's Go archive has
/// one advisory changed and one more, of the Red Hat documents one changed, one was added and one deleted, Oracle's 2026, Photon 5 and
/// Ubuntu noble have one advisory more each, one of SUSE's 15 changed, NVD's 2025 has one CVE changed and one more, and Amazon Linux 2023 has
/// moved to another repository with one advisory more.
/// </summary>
/// <remarks>
/// The text files are written by hand. The archives and packed documents on disk are made by <see cref="WriteArchives"/> from the documents
/// in <c>tests/fixtures/sample-upstream</c>; a test holds the two equal.
/// </remarks>
public static partial class SampleUpstream
{
    private const string Osv = "osv-vulnerabilities.storage.googleapis.com";
    private const string VexArchive = "security.access.redhat.com/data/csaf/v2/vex/csaf_vex_2026-01-10.tar.zst";

    private const string Oracle = "linux.oracle.com/security/oval/com.oracle.elsa-";
    private const string Suse = "ftp.suse.com/pub/projects/security/oval/";
    private const string Ubuntu = "security-metadata.canonical.com/oval/com.ubuntu.";

    /// <summary>Beyond the lives of the releases tested here: Oracle must have a document for whatever year it is.</summary>
    private const int LastOracleYear = 2040;

    private static readonly string[] s_ecosystems = ["Go", "Maven", "PyPI", "RubyGems", "npm"];

    /// <summary>The first state: 12 January 2026.</summary>
    public static UpstreamLayer Day1 => new(Complete(1));

    /// <summary>The state a day later: 13 January 2026.</summary>
    public static UpstreamLayer Day2 => new(Complete(2));

    /// <summary>Starts a server in the first state; <c>SetLayers(SampleUpstream.Day2)</c> moves it on.</summary>
    public static Task<UpstreamServer> StartAsync() => UpstreamServer.StartAsync(Day1);

    /// <summary>The folder of a state in the checkout, laid out <c>&lt;host&gt;/&lt;path&gt;</c>.</summary>
    /// <param name="day">1 or 2.</param>
    public static string Folder(int day) =>
        Path.Combine(RepositoryFolders.Root, "docs", "examples", "sample-upstream", DayName(day));

    /// <summary>The members of every archive of a state, by the archive's <c>host/path</c>.</summary>
    /// <param name="day">1 or 2.</param>
    public static IReadOnlyDictionary<string, IReadOnlyList<ArchiveMember>> Archives(int day)
    {
        var archives = s_ecosystems.ToDictionary(e => $"{Osv}/{e}/all.zip", e => OsvMembers(day, e), StringComparer.Ordinal);
        archives.Add(VexArchive, VexMembers());
        return archives;
    }

    /// <summary>What every packed document of a state unpacks to, by its <c>host/path</c>.</summary>
    /// <param name="day">1 or 2.</param>
    public static IReadOnlyDictionary<string, byte[]> Documents(int day)
    {
        var documents = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var year in Enumerable.Range(2007, LastOracleYear + 1 - 2007).Select(y => y.ToString(CultureInfo.InvariantCulture)))
        {
            documents.Add($"{Oracle}{year}.xml.bz2", Oval(day, $"{Oracle}{year}.xml") ?? Oval(day, Oracle + "empty.xml")!);
        }

        foreach (var name in new[] { "opensuse.leap.15.6.xml", "suse.linux.enterprise.server.15.xml" })
        {
            documents.Add(Suse + name + ".gz", Oval(day, Suse + name)!);
        }

        foreach (var name in new[] { "jammy", "noble" })
        {
            // The plain form lies beside the packed one, as upstream has both.
            var plain = $"{Ubuntu}{name}.cve.oval.xml";
            documents.Add(plain + ".bz2", File.ReadAllBytes(Path.Combine(Folder(day), plain)));
        }

        return documents;
    }

    /// <summary>Makes the archives and packed documents on disk anew, for both states. For whoever changes the documents in the fixtures.</summary>
    public static void WriteArchives()
    {
        foreach (var day in new[] { 1, 2 })
        {
            foreach (var (hostPath, members) in Archives(day))
            {
                var path = Path.Combine(Folder(day), hostPath);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllBytes(path, hostPath == VexArchive ? ArchiveBuilder.TarZst(members) : ArchiveBuilder.Zip(members));
            }

            foreach (var (hostPath, content) in Documents(day))
            {
                var path = Path.Combine(Folder(day), hostPath);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllBytes(path, hostPath.EndsWith(".gz", StringComparison.Ordinal) ? ArchiveBuilder.Gzip(content) : ArchiveBuilder.Bzip2(content));
            }
        }
    }

    private static IReadOnlyList<ArchiveMember> OsvMembers(int day, string ecosystem)
    {
        // An ecosystem without a folder for day 2 is as it was on day 1.
        var since = Directory.Exists(OsvFolder(day, ecosystem)) ? day : 1;
        var folder = OsvFolder(since, ecosystem);
        var exported = since == 2
            ? new DateTimeOffset(2026, 1, 13, 12, 0, 8, TimeSpan.Zero)
            : new DateTimeOffset(2026, 1, 12, 6, 0, 8, TimeSpan.Zero);
        return [.. Directory.EnumerateFiles(folder)
            .Order(StringComparer.Ordinal)
            .Select(file => new ArchiveMember(Path.GetFileName(file), File.ReadAllBytes(file), exported))];
    }

    /// <summary>A document that has none for day 2 is as it was on day 1; null where there is none at all.</summary>
    private static byte[]? Oval(int day, string hostPath) => new[] { day, 1 }
        .Select(d => Fixtures("oval", DayName(d), hostPath)).Where(File.Exists).Select(File.ReadAllBytes).FirstOrDefault();

    private static IReadOnlyList<ArchiveMember> VexMembers()
    {
        var root = Fixtures("vex-archive");
        return [.. Directory.EnumerateFiles(root, "*.json", SearchOption.AllDirectories)
            .Select(file => (File: file, Path: Path.GetRelativePath(root, file).Replace(Path.DirectorySeparatorChar, '/')))
            .OrderBy(member => member.Path, StringComparer.Ordinal)
            .Select(member => (member.Path, Content: File.ReadAllBytes(member.File)))
            .Select(member => new ArchiveMember(member.Path, member.Content, ReleaseDate(member.Content)))];
    }

    private static DateTimeOffset ReleaseDate(byte[] vexDocument)
    {
        using var json = JsonDocument.Parse(vexDocument);
        return json.RootElement.GetProperty("document").GetProperty("tracking").GetProperty("current_release_date").GetDateTimeOffset();
    }

    private static string OsvFolder(int day, string ecosystem) =>
        Fixtures("osv", DayName(day), ecosystem);

    private static string DayName(int day) => string.Create(CultureInfo.InvariantCulture, $"day{day}");

    private static string Fixtures(params string[] path) =>
        Path.Combine([RepositoryFolders.Root, "tests", "fixtures", "sample-upstream", .. path]);
}
