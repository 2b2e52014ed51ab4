using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using QuayAirGap.Core.Collecting;

namespace QuayAirGap.Core.Quay.Api;

/// <summary>
/// Reads what is in a Quay through its REST API v1: organisations, repositories, tags, images; and reads and writes the labels of
/// manifests. Waits where Quay asks for it (Retry-After), and never takes a page for the whole.
/// </summary>
public sealed partial class QuayClient : IDisposable
{
    /// <summary>The most that Quay gives at once.</summary>
    private const int PageSize = 100;

    /// <summary>Beyond this it is a server that pages for ever.</summary>
    private const int MostPages = 100_000;

    /// <summary>Lists in lists: nobody makes them, and nothing else forbids them.</summary>
    private const int DeepestList = 3;

    private static readonly string[] s_platform = ["os", "architecture", "variant"];

    private readonly QuayHttp _http;

    /// <param name="address">Quay's own address, "https://quay.example.com".</param>
    /// <param name="token">An OAuth access token; null for what everybody may see.</param>
    /// <param name="caFile">An absolute path: PEM, authorities that are trusted besides the system's; null for none.</param>
    /// <param name="options">Pauses and limits; null for the ordinary ones.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.QuayDenied"/> or <see cref="ErrorIds.NetworkFileInvalid"/></exception>
    public QuayClient(Uri address, string? token, string? caFile = null, UpstreamOptions? options = null) =>
        _http = new QuayHttp(address, token, caFile, options ?? new UpstreamOptions { RequestsPerHost = 4, StallTimeout = TimeSpan.FromSeconds(60) });

    /// <summary>Quay's name, with its port where it is not the usual one: what stands before the namespace in an image's name.</summary>
    public string Host => _http.Host;

    /// <summary>
    /// All organisations and users for a superuser's token (scope super:user); the token's user and their own organisations for any other
    /// (scope user:read).
    /// </summary>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.QuayDenied"/>, <see cref="ErrorIds.QuayAnswer"/>, <see cref="ErrorIds.UpstreamUnreachable"/>,
    /// <see cref="ErrorIds.UpstreamStalled"/>, <see cref="ErrorIds.UpstreamIncomplete"/> or <see cref="ErrorIds.UpstreamStatus"/>; so for every other method
    /// </exception>
    public async Task<IReadOnlyList<QuayNamespace>> GetNamespacesAsync(CancellationToken cancellationToken)
    {
        var found = new SortedDictionary<string, bool>(StringComparer.Ordinal);
        FeedException? notUser = null;
        try
        {
            using JsonDocument self = await _http.GetAsync("user/", cancellationToken).ConfigureAwait(false);
            Read("user/", () =>
            {
                if (self.RootElement.TryGetProperty("username", out JsonElement name))
                {
                    found[Text(name)] = true;
                }

                // Without the scope user:read the organisations are left out.
                foreach (JsonElement organization in self.RootElement.TryGetProperty("organizations", out JsonElement all) ? all.EnumerateArray().ToArray() : [])
                {
                    found[Text(organization.GetProperty("name"))] = true;
                }
            });
        }
        catch (FeedException e) when (e.ErrorId is ErrorIds.QuayDenied or ErrorIds.QuayNotFound)
        {
            notUser = e; // a token with super:user alone is enough to find everything
        }

        try
        {
            foreach ((string path, string list, string name) in new[] { ("superuser/organizations/", "organizations", "name"), ("superuser/users/", "users", "username") })
            {
                await foreach (JsonElement one in PagesAsync($"{path}?limit={PageSize}", list, cancellationToken).ConfigureAwait(false))
                {
                    Read(path, () => found.TryAdd(Text(one.GetProperty(name)), false));
                }
            }
        }
        catch (FeedException e) when (e.ErrorId is ErrorIds.QuayDenied or ErrorIds.QuayNotFound && notUser is null)
        {
            // No superuser: then it is their own organisations.
        }

        return [.. found.Select(n => new QuayNamespace(n.Key, n.Value))];
    }

    /// <summary>The repositories of images that the token may see (scope repo:read).</summary>
    public async IAsyncEnumerable<QuayRepository> GetRepositoriesAsync(string @namespace, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string path = $"repository?namespace={Uri.EscapeDataString(@namespace)}";
        var seen = new HashSet<string>(StringComparer.Ordinal);
        await foreach (JsonElement one in PagesAsync(path, "repositories", cancellationToken).ConfigureAwait(false))
        {
            QuayRepository repository = Read(path, () => new QuayRepository(Text(one.GetProperty("namespace")), Text(one.GetProperty("name")), StateOf(one)));
            if (seen.Add(repository.Name))
            {
                yield return repository;
            }
        }
    }

    /// <summary>The living tags of a repository (scope repo:read).</summary>
    public async IAsyncEnumerable<QuayTag> GetTagsAsync(string @namespace, string repository, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int page = 1; page <= MostPages; page++)
        {
            string path = $"repository/{Escape(@namespace, repository)}/tag/?onlyActiveTags=true&limit={PageSize}&page={page}";
            using JsonDocument answer = await _http.GetAsync(path, cancellationToken).ConfigureAwait(false);
            QuayTag[] tags = Read(path, () => answer.RootElement.GetProperty("tags").EnumerateArray().Select(ReadTag).ToArray());
            foreach (QuayTag tag in tags.Where(t => seen.Add(t.Name)))
            {
                yield return tag; // those that were pushed in the meantime move others onto the next page once more
            }

            if (!Read(path, () => answer.RootElement.GetProperty("has_additional").GetBoolean()))
            {
                yield break;
            }

            if (tags.Length == 0)
            {
                throw _http.Unexpected(path, "answers with an empty page and says that there are more tags");
            }
        }

        throw _http.Unexpected(Escape(@namespace, repository), $"has more than {MostPages} pages of tags");
    }

    /// <summary>What a manifest is, and of a list its images (scope repo:read).</summary>
    public async Task<QuayManifest> GetManifestAsync(string @namespace, string repository, string digest, CancellationToken cancellationToken)
    {
        string path = ManifestPath(@namespace, repository, digest);
        using JsonDocument answer = await _http.GetAsync(path, cancellationToken).ConfigureAwait(false);
        return Read(path, () =>
        {
            JsonElement root = answer.RootElement;
            string? type = root.TryGetProperty("config_media_type", out JsonElement t) && t.ValueKind == JsonValueKind.String ? t.GetString() : null;
            if (!root.GetProperty("is_manifest_list").GetBoolean())
            {
                return new QuayManifest(Text(root.GetProperty("digest")), type, null) { CreatedAt = NewestLayer(root) };
            }

            using var list = JsonDocument.Parse(Text(root.GetProperty("manifest_data")));
            QuayChild[] children = [.. list.RootElement.GetProperty("manifests").EnumerateArray().Where(m => !IsAttestation(m)).Select(ReadChild)];
            return new QuayManifest(Text(root.GetProperty("digest")), null, children);
        });
    }

    /// <summary>
    /// The images of a repository: each manifest once, with its tags; a list as the images in it, without those that this Quay does not have.
    /// </summary>
    public async Task<IReadOnlyList<QuayImage>> GetImagesAsync(QuayRepository repository, CancellationToken cancellationToken)
    {
        var images = new Dictionary<string, (SortedSet<string> Tags, string? Platform, DateTimeOffset? TaggedAt)>(StringComparer.Ordinal);
        var lists = new Dictionary<string, IReadOnlyList<QuayChild>>(StringComparer.Ordinal);
        await foreach (QuayTag tag in GetTagsAsync(repository.Namespace, repository.Name, cancellationToken).ConfigureAwait(false))
        {
            if (!tag.IsManifestList)
            {
                Add(tag.ManifestDigest, tag, null);
                continue;
            }

            if (!lists.TryGetValue(tag.ManifestDigest, out IReadOnlyList<QuayChild>? children))
            {
                children = await GetLeavesAsync(repository, tag.ManifestDigest, 1, cancellationToken).ConfigureAwait(false);
                lists.Add(tag.ManifestDigest, children);
            }

            foreach (QuayChild child in children.Where(c => tag.Children?.GetValueOrDefault(c.Digest, true) != false))
            {
                Add(child.Digest, tag, child.Platform);
            }
        }

        return
        [
            .. images.Select(i => new QuayImage(repository.Namespace, repository.Name, [.. i.Value.Tags], i.Key)
            {
                Platform = i.Value.Platform,
                RepositoryState = repository.State,
                TaggedAt = i.Value.TaggedAt,
            }),
        ];

        void Add(string digest, QuayTag tag, string? platform)
        {
            (SortedSet<string> tags, string? known, DateTimeOffset? tagged) = images.GetValueOrDefault(digest, (new SortedSet<string>(StringComparer.Ordinal), null, null));
            tags.Add(tag.Name);
            images[digest] = (tags, known ?? platform, tagged is null || tag.StartedAt < tagged ? tag.StartedAt : tagged);
        }
    }

    /// <summary>All images of some namespaces, repository by repository, in a stream.</summary>
    /// <param name="namespaces">Their names.</param>
    /// <param name="progress">Told of each repository; may be null.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    public async IAsyncEnumerable<QuayImage> GetImagesAsync(
        IEnumerable<string> namespaces, IProgress<FeedProgress>? progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (string name in namespaces)
        {
            await foreach (QuayRepository repository in GetRepositoriesAsync(name, cancellationToken).ConfigureAwait(false))
            {
                progress?.Report(new FeedProgress(name, "Listing images", repository.Name));
                foreach (QuayImage image in await GetImagesIfThereAsync(repository, cancellationToken).ConfigureAwait(false))
                {
                    yield return image;
                }
            }

            progress?.Report(new FeedProgress(name, "Listing images", Completed: true));
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>None of a repository that was deleted after it was listed.</summary>
    private async Task<IReadOnlyList<QuayImage>> GetImagesIfThereAsync(QuayRepository repository, CancellationToken cancellationToken)
    {
        try
        {
            return await GetImagesAsync(repository, cancellationToken).ConfigureAwait(false);
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.QuayNotFound)
        {
            if (await IsThereAsync(repository, cancellationToken).ConfigureAwait(false))
            {
                throw; // a list of images without its manifest: that must not look like fewer images
            }

            return [];
        }
    }

    private async Task<bool> IsThereAsync(QuayRepository repository, CancellationToken cancellationToken)
    {
        try
        {
            using JsonDocument answer = await _http.GetAsync($"repository/{Escape(repository.Namespace, repository.Name)}?includeTags=false", cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.QuayNotFound)
        {
            return false;
        }
    }

    private async Task<IReadOnlyList<QuayChild>> GetLeavesAsync(QuayRepository repository, string digest, int depth, CancellationToken cancellationToken)
    {
        QuayManifest manifest = await GetManifestAsync(repository.Namespace, repository.Name, digest, cancellationToken).ConfigureAwait(false);
        List<QuayChild> leaves = [];
        foreach (QuayChild child in manifest.Children ?? [])
        {
            if (child.Platform is null && depth < DeepestList && await IsListAsync(child.Digest).ConfigureAwait(false))
            {
                leaves.AddRange(await GetLeavesAsync(repository, child.Digest, depth + 1, cancellationToken).ConfigureAwait(false));
            }
            else
            {
                leaves.Add(child);
            }
        }

        return leaves;

        async Task<bool> IsListAsync(string child)
        {
            try
            {
                return (await GetManifestAsync(repository.Namespace, repository.Name, child, cancellationToken).ConfigureAwait(false)).Children is not null;
            }
            catch (FeedException e) when (e.ErrorId == ErrorIds.QuayNotFound)
            {
                return false; // a list may name what this Quay never got
            }
        }
    }

    private async IAsyncEnumerable<JsonElement> PagesAsync(string path, string list, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        string address = path;
        while (true)
        {
            using JsonDocument answer = await _http.GetAsync(address, cancellationToken).ConfigureAwait(false);
            foreach (JsonElement one in Read(path, () => answer.RootElement.GetProperty(list).EnumerateArray().ToArray()))
            {
                yield return one;
            }

            if (!answer.RootElement.TryGetProperty("next_page", out JsonElement next) || next.ValueKind != JsonValueKind.String || next.GetString() is not { Length: > 0 } token)
            {
                yield break;
            }

            if (!seen.Add(token) || seen.Count > MostPages)
            {
                throw _http.Unexpected(path, "leads from page to page without an end");
            }

            address = $"{path}&next_page={Uri.EscapeDataString(token)}";
        }
    }

    private QuayTag ReadTag(JsonElement tag)
    {
        Dictionary<string, bool>? children = tag.TryGetProperty("child_manifests_presence", out JsonElement map) && map.ValueKind == JsonValueKind.Object
            ? map.EnumerateObject().ToDictionary(c => c.Name, c => c.Value.GetBoolean(), StringComparer.Ordinal)
            : null;
        return new QuayTag(
            Text(tag.GetProperty("name")), Digest(tag.GetProperty("manifest_digest")),
            tag.TryGetProperty("is_manifest_list", out JsonElement isList) && isList.GetBoolean(), children)
        {
            StartedAt = tag.TryGetProperty("start_ts", out JsonElement start) && start.TryGetInt64(out long seconds) && seconds is > 0 and < int.MaxValue * 4L
                ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null,
        };
    }

    /// <summary>Quay writes times as mails do: "Thu, 09 Oct 2025 08:53:20 -0000".</summary>
    private static DateTimeOffset? NewestLayer(JsonElement manifest)
    {
        DateTimeOffset? newest = null;
        foreach (JsonElement layer in manifest.TryGetProperty("layers", out JsonElement layers) && layers.ValueKind == JsonValueKind.Array ? layers.EnumerateArray().ToArray() : [])
        {
            if (layer.ValueKind == JsonValueKind.Object && layer.TryGetProperty("created_datetime", out JsonElement created) && created.ValueKind == JsonValueKind.String
                && DateTimeOffset.TryParseExact(
                    created.GetString(), "ddd, dd MMM yyyy HH:mm:ss '-0000'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
                && (newest is null || time > newest))
            {
                newest = time;
            }
        }

        return newest;
    }

    private static QuayChild ReadChild(JsonElement manifest)
    {
        string? platform = null;
        if (manifest.TryGetProperty("platform", out JsonElement p) && p.ValueKind == JsonValueKind.Object)
        {
            platform = string.Join('/', s_platform.Select(n => p.TryGetProperty(n, out JsonElement v) ? v.GetString() : null).Where(v => !string.IsNullOrEmpty(v)));
        }

        return new QuayChild(Digest(manifest.GetProperty("digest")), string.IsNullOrEmpty(platform) ? null : platform);
    }

    /// <summary>What builders put beside the images of a list, and Clair never looks at.</summary>
    private static bool IsAttestation(JsonElement manifest) =>
        manifest.TryGetProperty("annotations", out JsonElement annotations) && annotations.ValueKind == JsonValueKind.Object
        && annotations.TryGetProperty("vnd.docker.reference.type", out JsonElement type) && type.ValueKind == JsonValueKind.String && type.GetString() == "attestation-manifest";

    private static string? StateOf(JsonElement repository) =>
        repository.TryGetProperty("state", out JsonElement state) && state.ValueKind == JsonValueKind.String ? state.GetString() : null;

    private static string Text(JsonElement value) => value.GetString() is { Length: > 0 } text ? text : throw new FormatException("a name is empty");

    private static string Digest(JsonElement value) => Text(value) is var text && text.Contains(':', StringComparison.Ordinal) ? text : throw new FormatException($"'{text}' is no digest");

    private static string Escape(string @namespace, string repository) =>
        $"{Uri.EscapeDataString(@namespace)}/{string.Join('/', repository.Split('/').Select(Uri.EscapeDataString))}";

    private static string ManifestPath(string @namespace, string repository, string digest) => $"repository/{Escape(@namespace, repository)}/manifest/{digest}";

    private void Read(string path, Action read) => Read(path, () =>
    {
        read();
        return true;
    });

    /// <summary>Reads from an answer: what is not as Quay has it is an error of its own.</summary>
    private T Read<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw _http.Unexpected(path, $"does not answer as Quay does: {e.Message}", e);
        }
    }
}
