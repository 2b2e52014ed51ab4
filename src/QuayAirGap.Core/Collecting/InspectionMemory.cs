using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Collecting;

/// <summary>
/// What reading a content has shown, by its digest, so that an unchanged one is not read again by the next capture: store/inspected.json.
/// It saves time and nothing else hangs on it: where it is missing, damaged or of another build, contents are read as if it had never been.
/// </summary>
/// <remarks>
/// Findings out of it are signed and go over the gap like new ones. So it is only believed by the very build that wrote it, whose rules are
/// the same to the last comma, and only where the file is whole.
/// </remarks>
internal sealed class InspectionMemory
{
    private const long LargestFile = 64 << 20;
    private const int DigestLength = 64;

    /// <summary>Changes with every change of the program, so that nobody has to remember to raise a number.</summary>
    public static readonly string ThisBuild = typeof(InspectionMemory).Assembly.ManifestModule.ModuleVersionId.ToString();

    private readonly string _build;
    private readonly ConcurrentDictionary<(string Sha256, string Rules), Inspection> _known = new();
    private bool _isNew;

    private InspectionMemory(string build) => _build = build;

    /// <summary>One that remembers nothing of before.</summary>
    public InspectionMemory()
        : this(ThisBuild)
    {
    }

    /// <param name="path">The file, there or not.</param>
    /// <param name="build">Of the program that is to believe it.</param>
    public static InspectionMemory Load(string path, string build)
    {
        var memory = new InspectionMemory(build);
        foreach (InspectedContent content in ReadFile(path) is { } file && file.Build == build ? file.Contents : [])
        {
            memory._known[(content.Sha256, content.Rules)] = content.Found;
        }

        return memory;
    }

    /// <summary>What is known of a content, or what reading it shows.</summary>
    /// <param name="sha256">The content.</param>
    /// <param name="rules">Who reads it, and what for.</param>
    /// <param name="inspect">Reads it. What it throws is not remembered.</param>
    public async Task<Inspection> OfAsync(string sha256, string rules, Func<Task<Inspection>> inspect)
    {
        if (_known.TryGetValue((sha256, rules), out Inspection? known))
        {
            return known;
        }

        Inspection made = await inspect().ConfigureAwait(false);
        if (made.IsLasting)
        {
            _known[(sha256, rules)] = made;
            _isNew = true;
        }

        return made;
    }

    /// <summary>Writes what is known of contents that are still in the store. Needs the site's lock.</summary>
    public void Save(string path, Func<string, bool> isStored)
    {
        InspectedContent[] contents =
        [
            .. _known.Where(k => isStored(k.Key.Sha256)).Select(k => new InspectedContent(k.Key.Sha256, k.Key.Rules, k.Value))
                .OrderBy(c => c.Sha256, StringComparer.Ordinal).ThenBy(c => c.Rules, StringComparer.Ordinal),
        ];
        if (!_isNew && contents.Length == _known.Count)
        {
            return;
        }

        byte[] json = JsonSerializer.SerializeToUtf8Bytes(new InspectedFile(_build, contents), InspectionJson.Default.InspectedFile);
        byte[] file = [.. System.Text.Encoding.ASCII.GetBytes(Sha256Digest.Of(json)), (byte)'\n', .. json];
        try
        {
            Durable.ReplaceFile(path, file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next capture takes longer. What keeps this file from being written meets the bundle next, and is told there.
        }
    }

    private static InspectedFile? ReadFile(string path)
    {
        try
        {
            if (!File.Exists(path) || new FileInfo(path).Length > LargestFile)
            {
                return null;
            }

            byte[] file = File.ReadAllBytes(path);
            ReadOnlySpan<byte> json = file.AsSpan(Math.Min(DigestLength + 1, file.Length));
            string stated = System.Text.Encoding.ASCII.GetString(file, 0, Math.Min(DigestLength, file.Length));
            return Sha256Digest.Of(json) == stated ? JsonSerializer.Deserialize(json, InspectionJson.Default.InspectedFile) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}

/// <summary>The file, behind its digest.</summary>
internal sealed record InspectedFile(string Build, IReadOnlyList<InspectedContent> Contents);

/// <summary>One content, as one reader found it.</summary>
internal sealed record InspectedContent(string Sha256, string Rules, Inspection Found);

[JsonSerializable(typeof(InspectedFile))]
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class InspectionJson : JsonSerializerContext;
