using System.Globalization;

namespace QuayAirGap.TestKit.Samples;

/// <content>
/// NVD and Amazon Linux: files that state the hash of others, made from the documents in <c>tests/fixtures/sample-upstream</c>. Clair
/// asks NVD for every year up to the current one, so the sample on disk is not complete: what is missing is copied from its empty year.
/// </content>
public static partial class SampleUpstream
{
    private const string Nvd = "nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-";

    /// <summary>The year on disk that has no CVE: its pair stands for every year that has no pair.</summary>
    private const int EmptyYear = 2026;

    /// <summary>Amazon Linux's releases: the mirror list, and the repository that it leads to on each day.</summary>
    private static readonly (string Release, string MirrorList, string[] Repositories)[] s_amazon =
    [
        ("AL1", "repo.us-west-2.amazonaws.com/2018.03/updates/x86_64/mirror.list",
            ["packages.us-west-2.amazonaws.com/2018.03/updates/0123456789ab/x86_64", "packages.us-west-2.amazonaws.com/2018.03/updates/0123456789ab/x86_64"]),
        ("AL2", "cdn.amazonlinux.com/2/core/latest/x86_64/mirror.list",
            ["cdn.amazonlinux.com/2/core/2.0/x86_64/" + Hex("2"), "cdn.amazonlinux.com/2/core/2.0/x86_64/" + Hex("2")]),
        ("AL2023", "cdn.amazonlinux.com/al2023/core/mirrors/latest/x86_64/mirror.list",
            [$"cdn.amazonlinux.com/al2023/core/guids/{Hex("a")}/x86_64", $"cdn.amazonlinux.com/al2023/core/guids/{Hex("b")}/x86_64"]),
    ];

    /// <summary>The later of 2027, as tests begin in 2026 and some cross New Year, and the real current year, as some have the real time.</summary>
    public static int LastYear { get; } = Math.Max(EmptyYear + 1, TimeProvider.System.GetUtcNow().Year);

    private static readonly Lazy<string> s_complete = new(MakeComplete);

    /// <summary>
    /// The folder of a state with nothing missing, in a place for this process alone: a copy of <see cref="Folder"/> with a pair for every
    /// year of NVD, up to <see cref="LastYear"/>.
    /// </summary>
    /// <param name="day">1 or 2.</param>
    public static string Complete(int day) => Path.Combine(s_complete.Value, DayName(day));

    /// <summary>A folder that has an empty pair for every year of NVD and nothing else, to lay under feeds that lack some.</summary>
    public static string EmptyNvdYears => Path.Combine(s_complete.Value, "nvd");

    /// <summary>The unpacked documents of every gzip file of a state, by the file's <c>host/path</c>.</summary>
    /// <param name="day">1 or 2.</param>
    public static IReadOnlyDictionary<string, byte[]> GzipDocuments(int day) =>
        NvdOnDisk().ToDictionary(year => $"{Nvd}{year}.json.gz", year => Document(day, "nvd", $"{year}.json"), StringComparer.Ordinal)
            .Concat(s_amazon.ToDictionary(a => $"{a.Repositories[day - 1]}/repodata/updateinfo.xml.gz", a => Document(day, "aws", a.Release + ".xml")))
            .ToDictionary(StringComparer.Ordinal);

    /// <summary>Makes the files of NVD and Amazon Linux on disk anew, for both states.</summary>
    public static void WriteGzipFeeds()
    {
        foreach (var day in new[] { 1, 2 })
        {
            foreach (var (hostPath, document) in GzipDocuments(day))
            {
                var packed = GzipFeeds.Pack(document);
                Write(day, hostPath, packed);
                if (hostPath.StartsWith(Nvd, StringComparison.Ordinal))
                {
                    var isAsBefore = document.AsSpan().SequenceEqual(GzipDocuments(1)[hostPath]);
                    var modified = new DateTimeOffset(2026, 1, isAsBefore ? 12 : 13, 0, 0, 5, TimeSpan.FromHours(-5));
                    Write(day, hostPath.Replace(".json.gz", ".meta", StringComparison.Ordinal), GzipFeeds.NvdMeta(document, packed, modified));
                }
                else
                {
                    Write(day, hostPath.Replace("updateinfo.xml.gz", "repomd.xml", StringComparison.Ordinal), GzipFeeds.RepoMd(document, packed));
                }
            }

            // In three forms, as upstream: several mirrors; one; one with a slash and without a line end.
            Write(day, s_amazon[0].MirrorList, Text($"http://{s_amazon[0].Repositories[day - 1]}\nhttp://{s_amazon[0].Repositories[day - 1].Replace("west-2", "east-1", StringComparison.Ordinal)}\n"));
            Write(day, s_amazon[1].MirrorList, Text($"https://{s_amazon[1].Repositories[day - 1]}\n"));
            Write(day, s_amazon[2].MirrorList, Text($"https://{s_amazon[2].Repositories[day - 1]}/"));
        }
    }

    private static byte[] Text(string text) => System.Text.Encoding.ASCII.GetBytes(text);

    private static string Hex(string digit) => string.Concat(Enumerable.Repeat(digit, 64));

    /// <summary>A document without a file for day 2 is as it was on day 1.</summary>
    private static byte[] Document(int day, string kind, string name)
    {
        var file = Fixtures(kind, DayName(day), name);
        return File.ReadAllBytes(File.Exists(file) ? file : Fixtures(kind, DayName(1), name));
    }

    private static IEnumerable<string> NvdOnDisk() =>
        Directory.EnumerateFiles(Fixtures("nvd", DayName(1)), "*.json").Select(f => Path.GetFileNameWithoutExtension(f));

    private static void Write(int day, string hostPath, byte[] content)
    {
        var path = Path.Combine(Folder(day), hostPath);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
    }

    private static string MakeComplete()
    {
        var root = Directory.CreateTempSubdirectory("quayairgap-sample-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            try
            {
                Directory.Delete(root, recursive: true);
            }
            catch (IOException)
            {
                // A file that is still open keeps its folder; the system's own cleaning takes it.
            }
        };
        foreach (var day in new[] { 1, 2 })
        {
            foreach (var file in Directory.EnumerateFiles(Folder(day), "*", SearchOption.AllDirectories))
            {
                Copy(file, Path.Combine(root, DayName(day), Path.GetRelativePath(Folder(day), file)));
            }

            Copy(Folder(day) + ".times.csv", Path.Combine(root, DayName(day) + ".times.csv"));
        }

        foreach (var folder in new[] { DayName(1), DayName(2), "nvd" })
        {
            for (var year = 2002; year <= LastYear; year++)
            {
                foreach (var extension in new[] { ".meta", ".json.gz" })
                {
                    var file = Path.Combine(root, folder, string.Create(CultureInfo.InvariantCulture, $"{Nvd}{year}{extension}"));
                    if (!File.Exists(file))
                    {
                        Copy(Path.Combine(Folder(1), string.Create(CultureInfo.InvariantCulture, $"{Nvd}{EmptyYear}{extension}")), file);
                    }
                }
            }
        }

        return root;
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Copy(from, to);
    }
}
