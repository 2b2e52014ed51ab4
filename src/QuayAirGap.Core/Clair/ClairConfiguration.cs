using System.Text;
using System.Text.Json.Nodes;
using YamlDotNet.Core;

namespace QuayAirGap.Core.Clair;

/// <summary>One file of a configuration.</summary>
/// <param name="Path">Where it is, or what it is called where it is no file ("clair-config.yaml of the secret").</param>
/// <param name="Content">What it says; an empty mapping for a YAML file that says something else, as Clair takes it.</param>
/// <param name="Documents">How many YAML documents it has; only the first counts.</param>
/// <param name="Lines">The line of each key, by JSON pointer.</param>
/// <param name="IsMapping">False: a base or drop-in whose first document is no mapping, which Clair reads as an empty one.</param>
public sealed record ClairConfigFile(
    string Path, JsonNode? Content, int Documents, IReadOnlyDictionary<string, int> Lines, bool IsMapping);

/// <summary>
/// Clair's configuration as its own loader reads it: the first document of the file, then every file of the folder beside it whose name ends
/// likewise (merged) or likewise with "-patch" behind it (applied), in the order of their names (clair cmd/config.go).
/// </summary>
public sealed class ClairConfiguration
{
    private const int LargestFile = 4 << 20;

    private ClairConfiguration(IReadOnlyList<ClairConfigFile> files, JsonObject merged)
    {
        Files = files;
        Merged = merged;
    }

    /// <summary>The base first, then the drop-ins in the order in which they are applied.</summary>
    public IReadOnlyList<ClairConfigFile> Files { get; }

    /// <summary>Files in the folder of drop-ins that Clair passes over because of how their names end, copies aside.</summary>
    public IReadOnlyList<string> Ignored { get; private init; } = [];

    /// <summary>What Clair ends with.</summary>
    public JsonObject Merged { get; }

    /// <param name="path">Clair's -conf: a .yaml or .json file.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.ClairConfigNotFound"/> or <see cref="ErrorIds.ClairConfigInvalid"/>: Clair would not start.</exception>
    public static ClairConfiguration Load(string path)
    {
        if (!File.Exists(path))
        {
            throw new FeedException(
                ErrorIds.ClairConfigNotFound, $"There is no Clair configuration at '{path}'.", path, "Name the file that Clair gets with -conf or CLAIR_CONF.");
        }

        List<(string Path, string Text)> texts = [(path, ReadText(path))];
        string extension = Path.GetExtension(path);
        if (Directory.Exists(path + ".d"))
        {
            texts.AddRange(
                Directory.EnumerateFiles(path + ".d")
                    .Where(f => Path.GetExtension(f) == extension || Path.GetExtension(f) == extension + "-patch")
                    .OrderBy(f => Path.GetFileName(f), StringComparer.Ordinal).Select(f => (f, ReadText(f))));
        }

        string[] ignored = !Directory.Exists(path + ".d") ? [] :
        [
            .. Directory.EnumerateFiles(path + ".d").Except(texts.Select(t => t.Path))
                .Where(f => !Path.GetFileName(f).StartsWith('.') && Path.GetExtension(f) is not ".bak"),
        ];
        ClairConfiguration read = Of(texts);
        return new ClairConfiguration(read.Files, read.Merged) { Ignored = ignored };
    }

    /// <summary>The same from texts, of which the first is the base.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.ClairConfigInvalid"/></exception>
    public static ClairConfiguration Of(IReadOnlyList<(string Path, string Text)> texts)
    {
        if (Path.GetExtension(texts[0].Path) is not (".yaml" or ".json") and var extension)
        {
            throw Invalid(texts[0].Path, $"Clair reads '.yaml' and '.json' and refuses '{extension}'");
        }

        List<ClairConfigFile> files = [];
        JsonNode? merged = null;
        foreach ((string path, string text) in texts)
        {
            ClairConfigFile file = Parse(path, text);
            files.Add(file);
            try
            {
                merged = path.EndsWith("-patch", StringComparison.Ordinal) ? JsonPatches.Apply(merged, (JsonArray)file.Content!)
                    : files.Count == 1 ? file.Content!.DeepClone()
                    : JsonPatches.Merge(merged, file.Content);
            }
            catch (FormatException e)
            {
                throw Invalid(path, $"the patch cannot be applied: {e.Message}", e);
            }
        }

        return new ClairConfiguration(files, merged as JsonObject ?? throw Invalid(texts[^1].Path, "what is left after the patches is no mapping"));
    }

    /// <summary>The value at a path of keys, or null.</summary>
    public JsonNode? Find(params ReadOnlySpan<string> path) => JsonPatches.Find(Merged, path);

    /// <summary>Where a value comes from: "file:line" of the last file that says it, or null.</summary>
    public string? WhereIs(params string[] path)
    {
        string pointer = path.Aggregate("", ClairYaml.Pointer);
        return Files.Reverse().Where(f => f.Lines.ContainsKey(pointer)).Select(f => $"{f.Path}:{f.Lines[pointer]}").FirstOrDefault();
    }

    private static ClairConfigFile Parse(string path, string text)
    {
        bool isPatch = path.EndsWith("-patch", StringComparison.Ordinal);
        bool isJson = path.EndsWith(".json", StringComparison.Ordinal) || path.EndsWith(".json-patch", StringComparison.Ordinal);
        try
        {
            // JSON is YAML: one reader for both keeps the lines.
            ClairYaml yaml = ClairYaml.Parse(text);
            if (isPatch && yaml.Root is not JsonArray)
            {
                throw Invalid(path, "a patch is a list of operations");
            }

            if (isJson && !isPatch && yaml.Root is not JsonObject)
            {
                throw Invalid(path, "it is no JSON object");
            }

            bool isMapping = yaml.Root is JsonObject;
            return new ClairConfigFile(path, isPatch || isMapping ? yaml.Root : new JsonObject(), yaml.Documents, yaml.Lines, isPatch || isMapping);
        }
        catch (YamlException e)
        {
            throw Invalid(path, $"line {e.Start.Line}: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static string ReadText(string path)
    {
        try
        {
            if (new FileInfo(path).Length > LargestFile)
            {
                throw Invalid(path, $"the file has more than {LargestFile >> 20} MiB");
            }

            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path));
        }
        catch (DecoderFallbackException e)
        {
            throw Invalid(path, "the file is not UTF-8", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(path, $"the file cannot be read: {e.Message}", e);
        }
    }

    private static FeedException Invalid(string path, string what, Exception? cause = null) => new(
        ErrorIds.ClairConfigInvalid, $"'{path}' is no configuration that Clair starts with: {what}.", path,
        "Correct the file; nothing was changed.", cause);
}
