using System.Text.Json;
using System.Text.Json.Serialization;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Collecting;

/// <summary>The collecting site's identity: its stream's id, and the last sequence given to a bundle (stream.json in the site).</summary>
internal sealed class CollectorStream
{
    private const int CurrentVersion = 1;

    private readonly string _path;
    private State _state;

    private CollectorStream(string path, State state)
    {
        _path = path;
        _state = state;
    }

    public Guid Id => _state.Stream;

    /// <exception cref="FeedException"><see cref="ErrorIds.SiteDamaged"/> or <see cref="ErrorIds.SiteVersion"/></exception>
    public static CollectorStream Open(Site site)
    {
        string path = Path.Combine(site.Root, "stream.json");
        if (!File.Exists(path))
        {
            return new CollectorStream(path, new State(Guid.NewGuid(), 0));
        }

        try
        {
            byte[] bytes = File.ReadAllBytes(path);
            FormatVersion.ThrowIfLater(path, FormatVersion.InJson(bytes, "version"u8), CurrentVersion);
            State state = JsonSerializer.Deserialize(bytes, CollectorStreamJson.Default.State) ?? throw new JsonException("It is empty.");
            return new CollectorStream(path, state);
        }
        catch (JsonException e)
        {
            throw new FeedException(
                ErrorIds.SiteDamaged, $"'{path}' cannot be read: {e.Message}", path,
                "Restore it from a backup: it holds the id and the last sequence of this site's bundles. Without it, isolated sites must be told to trust a new stream.", e);
        }
    }

    /// <summary>The next sequence, on disk before it is returned.</summary>
    public long Reserve()
    {
        _state = _state with { Sequence = _state.Sequence + 1 };
        Durable.ReplaceFile(_path, JsonSerializer.SerializeToUtf8Bytes(_state, CollectorStreamJson.Default.State));
        return _state.Sequence;
    }

    /// <param name="Stream">The stream's id.</param>
    /// <param name="Sequence">The last one given to a bundle.</param>
    /// <param name="Version">Of the file; 0.1.0 wrote none.</param>
    internal sealed record State(Guid Stream, long Sequence, int Version = CurrentVersion);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(CollectorStream.State))]
internal sealed partial class CollectorStreamJson : JsonSerializerContext;
