using System.Text.Json;
using System.Text.Json.Serialization;

namespace QuayAirGap.Core.Store;

/// <summary>
/// Contents that a check of the store has found damaged or lost and that nothing has brought back yet: store/damaged.json. Whoever judges what is served asks
/// it; checking every byte each time would take minutes.
/// </summary>
/// <param name="path">The file.</param>
internal sealed class DamageRecord(string path)
{
    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>The SHA-256 of each; empty where no check has found anything.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteDamaged"/>: what it knew is not known any more.</exception>
    public IReadOnlyCollection<string> Load()
    {
        try
        {
            string[] all = JsonSerializer.Deserialize(File.ReadAllBytes(path), DamageJson.Default.StringArray) ?? throw new JsonException("it is empty");
            return all.All(s => s is not null && Sha256Digest.IsValid(s)) ? all : throw new JsonException("it names something else than contents");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.SiteDamaged, $"'{path}', which says what of the store is damaged, cannot be read: {e.Message}", path,
                "Run Test-ClairFeedStore: it checks everything and writes the file anew.", e);
        }
    }

    /// <summary>Needs the site's lock.</summary>
    public void Replace(IEnumerable<string> sha256)
    {
        string[] all = [.. sha256.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (all.Length > 0)
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            Durable.ReplaceFile(path, JsonSerializer.SerializeToUtf8Bytes(all, DamageJson.Default.StringArray));
        }
        else if (File.Exists(path)) // a site that has only been told whom to trust has no store yet
        {
            File.Delete(path);
        }
    }
}

[JsonSerializable(typeof(string[]))]
internal sealed partial class DamageJson : JsonSerializerContext;
