using System.Globalization;

namespace QuayAirGap.TestKit.Upstream;

/// <summary>
/// A folder laid out <c>&lt;host&gt;/&lt;path&gt;</c>, and the times its files claim. A checkout does not keep file times, so the layer
/// brings its own: one for the folder, and one per file where the file <c>&lt;folder&gt;.times.csv</c> beside it names one
/// (rows <c>"host/path","2026-01-10T02:00:00+00:00"</c>).
/// </summary>
public sealed class UpstreamLayer
{
    /// <summary>The time that a layer without any other claims: 15 January 2026, 06:00 UTC.</summary>
    public static readonly DateTimeOffset DefaultLastModified = new(2026, 1, 15, 6, 0, 0, TimeSpan.Zero);

    /// <summary>Describes a layer.</summary>
    /// <param name="folder">The folder whose children are named after hosts.</param>
    /// <param name="lastModified">
    /// What its files send as Last-Modified, in whole seconds; by default <see cref="DefaultLastModified"/>.
    /// </param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public UpstreamLayer(string folder, DateTimeOffset? lastModified = null)
    {
        Folder = Path.GetFullPath(folder);
        if (!Directory.Exists(Folder))
        {
            throw new DirectoryNotFoundException($"The upstream's folder '{Folder}' does not exist.");
        }

        LastModified = lastModified ?? DefaultLastModified;
        Times = ReadTimes(Folder + ".times.csv");
    }

    /// <summary>The folder, absolute.</summary>
    public string Folder { get; }

    /// <summary>The time of every file that <see cref="Times"/> does not name.</summary>
    public DateTimeOffset LastModified { get; }

    /// <summary>Times of single files by <c>host/path</c>.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> Times { get; }

    private static Dictionary<string, DateTimeOffset> ReadTimes(string file)
    {
        var times = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        if (!File.Exists(file))
        {
            return times;
        }

        foreach (var line in File.ReadLines(file).Where(l => l.Length > 0))
        {
            var cells = line.Split(',').Select(c => c.Trim('"')).ToArray();
            if (cells.Length != 2)
            {
                throw new FormatException($"'{file}' holds a line that is not \"host/path\",\"time\": {line}");
            }

            times[cells[0]] = DateTimeOffset.Parse(cells[1], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        }

        return times;
    }
}
