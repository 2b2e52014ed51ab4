using System.Globalization;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Bundles;

/// <summary>The parts of one split bundle that are there, all of them or some.</summary>
public sealed class VolumeSet
{
    /// <summary>What manifest, index, empty configuration and end take of an archive beside what is signed for.</summary>
    private const long Overhead = 4L << 20;

    private readonly SortedDictionary<int, VolumePart> _parts = [];
    private readonly Lazy<VolumeOpening> _opening;

    private VolumeSet(string path, VolumePart first)
    {
        Path = path;
        SetId = first.SetId;
        Index = first.Index;
        _opening = new Lazy<VolumeOpening>(first.ReadOpening);
    }

    /// <summary>What was named: the folder, or one of the parts.</summary>
    public string Path { get; }

    /// <inheritdoc cref="VolumePart.SetId"/>
    public string SetId { get; }

    /// <summary>How many parts make the bundle.</summary>
    public int Count => Index.Parts.Count;

    /// <summary>The parts that are there, in order.</summary>
    public IReadOnlyCollection<VolumePart> Parts => _parts.Values;

    /// <summary>The numbers of those that are not.</summary>
    public IReadOnlyList<int> Missing => [.. Enumerable.Range(1, Count).Where(n => !_parts.ContainsKey(n))];

    /// <summary>Files that cannot be used, each with why; where a folder was named, they are in it, and else beside the part.</summary>
    public IReadOnlyList<FeedException> Bad { get; private init; } = [];

    internal VolumeIndex Index { get; }

    /// <summary>What every part says of its bundle. Unverified.</summary>
    internal VolumeOpening Opening => _opening.Value;

    /// <summary>Whether a path names a part, or a folder of parts that is no bundle by itself.</summary>
    public static bool IsAt(string path) =>
        Directory.Exists(path)
            ? !File.Exists(System.IO.Path.Combine(path, BundleFormat.LayoutName)) && FilesIn(path).Any()
            : File.Exists(path) && (IsPartName(path) || VolumePart.LooksLikeOne(path));

    /// <param name="path">A folder, whose parts must all be of one bundle; or one part, whose bundle's other parts are looked for beside it.</param>
    /// <exception cref="FeedException">Any of the ids that begin with BundleVolume, but for missing ones; what <see cref="VolumePart.Read(string)"/> throws.</exception>
    public static VolumeSet Read(string path)
    {
        bool isFolder = Directory.Exists(path);
        VolumePart? named = isFolder ? null : VolumePart.Read(path);
        string folder = isFolder ? path : System.IO.Path.GetDirectoryName(path)!;
        List<string> files = [.. FilesIn(folder).Take(VolumeFormat.MaxFiles + 1)];
        if (files.Count > VolumeFormat.MaxFiles)
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeLimit, path, $"there are more than {VolumeFormat.MaxFiles} of them");
        }

        var found = new List<VolumePart>();
        var bad = new List<FeedException>();
        foreach (string file in files.Where(f => f != named?.Path))
        {
            try
            {
                found.Add(VolumePart.Read(file));
            }
            catch (FeedException e)
            {
                bad.Add(e);
            }
        }

        if (named is not null)
        {
            // Whatever else lies there is not meant; of what cannot be read nobody knows whose it is.
            return Of(path, [named, .. found.Where(p => p.SetId == named.SetId)], bad);
        }

        if (found.Count == 0)
        {
            throw bad.Count > 0 ? bad[0] : new FeedException(ErrorIds.BundleNotFound, $"There are no parts of a bundle in '{path}'.", path, "Correct the path.");
        }

        VolumePart[] sets = [.. found.DistinctBy(p => p.SetId)];
        return sets.Length == 1
            ? Of(path, found, bad)
            : throw VolumeErrors.Create(
                ErrorIds.BundleVolumeMixed, path,
                "they belong to several bundles: " + string.Join("; ", sets.Take(5).Select(p => string.Create(
                    CultureInfo.InvariantCulture, $"'{System.IO.Path.GetFileName(p.Path)}' to number {p.Sequence} in {p.Count} parts, set {p.SetId[..12]}"))));
    }

    /// <summary>The same set with parts from elsewhere for those that are missing. Parts of other sets are left out.</summary>
    internal VolumeSet With(IEnumerable<VolumePart> others)
    {
        VolumeSet all = Of(Path, _parts.Values, Bad);
        foreach (VolumePart part in others.Where(p => p.SetId == SetId))
        {
            all._parts.TryAdd(part.Number, part);
        }

        return all;
    }

    /// <summary>The set itself where all of it is there and nothing else.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleVolumeMissing"/>, or what is wrong with a file</exception>
    public VolumeSet ThrowIfIncomplete()
    {
        ThrowIfBad();
        return Missing.Count == 0 ? this : Bad.Count > 0 ? throw Bad[0] : throw Incomplete([]);
    }

    /// <summary>
    /// The set itself, unless a folder was named that has a bad file among the parts. Where that cannot be taken away, as on a disc, one of the good parts is
    /// named instead of the folder.
    /// </summary>
    /// <exception cref="FeedException">What is wrong with the first one.</exception>
    internal VolumeSet ThrowIfBad() => Bad.Count > 0 && Directory.Exists(Path) ? throw Bad[0] : this;

    /// <summary>The error for parts that have not come yet.</summary>
    /// <param name="kept">The numbers of those that the site keeps.</param>
    internal FeedException Incomplete(IReadOnlyCollection<int> kept) => VolumeErrors.Create(
        ErrorIds.BundleVolumeMissing, Path, string.Create(
            CultureInfo.InvariantCulture,
            $"of the {Count} parts of bundle number {Index.Sequence}, {Numbers(Missing)} {(Missing.Count == 1 ? "is" : "are")} missing")
            + (kept.Count == 0 ? "" : $"; the site keeps {Numbers(kept)} until then"));

    /// <summary>Hashes every part. Of several that are bad, the error names all.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleVolumeAltered"/> or <see cref="ErrorIds.BundleVolumeTruncated"/></exception>
    internal void ThrowIfAltered(CancellationToken cancellationToken)
    {
        IReadOnlyList<VolumePart> bad = FindAltered(null, cancellationToken);
        if (bad.Count > 0)
        {
            throw VolumeErrors.Create(
                ErrorIds.BundleVolumeAltered, Path,
                $"of its {Count} parts, {Numbers(bad.Select(p => p.Number))} {(bad.Count == 1 ? "was" : "were")} altered or damaged: "
                + string.Join(", ", bad.Take(5).Select(p => $"'{p.Path}'")));
        }
    }

    internal IReadOnlyList<VolumePart> FindAltered(IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        var bad = new List<VolumePart>();
        foreach (VolumePart part in Parts)
        {
            try
            {
                part.Verify(null, progress, cancellationToken);
            }
            catch (Exception e) when (e is FeedException or IOException)
            {
                bad.Add(part);
            }
        }

        return bad;
    }

    /// <summary>Holds what the parts say against the snapshot that they carry: another number, or more bytes than it is signed for, are lies.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleVolumeInvalid"/> or <see cref="ErrorIds.BundleVolumeLimit"/></exception>
    internal void CheckAgainst(Snapshot snapshot)
    {
        if (snapshot.Stream != Index.Stream || snapshot.Sequence != Index.Sequence)
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, Path, "the parts say another stream or sequence than the snapshot that they carry");
        }

        long signed = snapshot.Sources.Select(s => s.Layer).OfType<LayerDescriptor>().DistinctBy(l => l.Sha256).Sum(l => ArchiveEntry.LengthOf(l.Size));
        long most = signed + SnapshotDocument.MaxBytes + Overhead;
        if (Index.TotalSize > most)
        {
            throw VolumeErrors.Create(
                ErrorIds.BundleVolumeLimit, Path, $"they are said to hold {Index.TotalSize} bytes, and the snapshot is signed for {signed} of content");
        }
    }

    internal ArchiveBytes ToArchive() => new(Path, _parts.Values.Select(p => p.Piece));

    /// <summary>"1, 2 and 5".</summary>
    internal static string Numbers(IEnumerable<int> numbers)
    {
        string[] all = [.. numbers.Select(n => n.ToString(CultureInfo.InvariantCulture))];
        string[] shown = all.Length <= 20 ? all : [.. all[..19], $"{all.Length - 19} more"];
        return shown.Length <= 1 ? string.Concat(shown) : string.Join(", ", shown[..^1]) + " and " + shown[^1];
    }

    /// <summary>The bundle's name in the name of a part's file.</summary>
    internal static string BundleNameOf(string path)
    {
        string name = System.IO.Path.GetFileName(path);
        int at = name.LastIndexOf(".vol", StringComparison.OrdinalIgnoreCase);
        return at > 0 && IsPartName(path) ? name[..at] : System.IO.Path.GetFileNameWithoutExtension(name);
    }

    internal static VolumeSet Of(string path, IEnumerable<VolumePart> parts, IReadOnlyList<FeedException> bad)
    {
        VolumePart[] all = [.. parts];
        var set = new VolumeSet(path, all[0]) { Bad = bad };
        foreach (VolumePart part in all)
        {
            if (!set._parts.TryAdd(part.Number, part))
            {
                throw VolumeErrors.Create(
                    ErrorIds.BundleVolumeRepeated, path, string.Create(
                        CultureInfo.InvariantCulture,
                        $"part {part.Number} is there twice: '{System.IO.Path.GetFileName(set._parts[part.Number].Path)}' and '{System.IO.Path.GetFileName(part.Path)}'"));
            }
        }

        return set;
    }

    internal static bool IsPartName(string path) => path.EndsWith(VolumeFormat.Extension, StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<string> FilesIn(string folder) =>
        Directory.EnumerateFiles(folder, "*" + VolumeFormat.Extension, new EnumerationOptions { MatchCasing = MatchCasing.CaseInsensitive, AttributesToSkip = 0 });
}
