using System.Text.RegularExpressions;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>Finds the base's file that a new one follows: by its URL, else by the pattern of its URL, where names change with the content.</summary>
internal sealed partial class BaseFiles
{
    private readonly Dictionary<string, SnapshotFile> _byUrl;
    private readonly Dictionary<string, SnapshotFile> _byPattern = new(StringComparer.Ordinal);

    public BaseFiles(SourceSnapshot? source)
    {
        IReadOnlyList<SnapshotFile> files = source?.Files ?? [];
        _byUrl = files.ToDictionary(f => f.Url, StringComparer.Ordinal);

        // In the order of URLs, so that of several the last one counts, which with dates and years is the newest.
        foreach (SnapshotFile file in files)
        {
            _byPattern[PatternOf(file.Url)] = file;
        }
    }

    public SnapshotFile? Find(string url) => _byUrl.GetValueOrDefault(url) ?? _byPattern.GetValueOrDefault(PatternOf(url));

    /// <summary>".../guids/46ff4933…/x86_64/…" → ".../guids/#/x#_#/…"; "epss_scores-2026-11-23.csv.gz" → "epss_scores-#-#-#.csv.gz".</summary>
    internal static string PatternOf(string url) => Changing().Replace(url, "#");

    [GeneratedRegex("[0-9a-fA-F]{12,}|[0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Changing();
}
