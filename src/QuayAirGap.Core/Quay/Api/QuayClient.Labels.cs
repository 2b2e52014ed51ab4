using System.Text.Json;

namespace QuayAirGap.Core.Quay.Api;

public sealed partial class QuayClient
{
    /// <summary>The labels of a manifest whose key begins with a prefix (scope repo:read).</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.QuayNotFound"/>, and as <see cref="GetNamespacesAsync"/></exception>
    public async Task<IReadOnlyList<QuayLabel>> GetLabelsAsync(string @namespace, string repository, string digest, string prefix, CancellationToken cancellationToken)
    {
        string path = $"{ManifestPath(@namespace, repository, digest)}/labels?filter={Uri.EscapeDataString(prefix)}";
        using JsonDocument answer = await _http.GetAsync(path, cancellationToken).ConfigureAwait(false);
        return Read(path, () => answer.RootElement.GetProperty("labels").EnumerateArray().Select(ReadLabel)
            .Where(l => l.Key.StartsWith(prefix, StringComparison.Ordinal)).ToArray());
    }

    /// <summary>Adds a label of plain text, whether or not there is one with the key already (scope repo:write). The digest stays.</summary>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.QuayReadOnly"/> for a repository that mirrors another or is read-only, <see cref="ErrorIds.QuayNotFound"/>, and as <see cref="GetNamespacesAsync"/>
    /// </exception>
    public async Task<QuayLabel> AddLabelAsync(string @namespace, string repository, string digest, string key, string value, CancellationToken cancellationToken)
    {
        string path = $"{ManifestPath(@namespace, repository, digest)}/labels";
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["key"] = key, ["value"] = value, ["media_type"] = "text/plain" });
        using JsonDocument answer = await _http.PostAsync(path, body, cancellationToken).ConfigureAwait(false);
        return Read(path, () => ReadLabel(answer.RootElement.GetProperty("label")));
    }

    /// <summary>Removes a label, if it is still there (scope repo:write).</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.QuayReadOnly"/>, and as <see cref="GetNamespacesAsync"/></exception>
    public Task RemoveLabelAsync(string @namespace, string repository, string digest, string labelId, CancellationToken cancellationToken) =>
        _http.DeleteAsync($"{ManifestPath(@namespace, repository, digest)}/labels/{Uri.EscapeDataString(labelId)}", cancellationToken);

    private static QuayLabel ReadLabel(JsonElement label) => new(
        Text(label.GetProperty("id")), Text(label.GetProperty("key")), label.GetProperty("value").GetString() ?? "",
        label.TryGetProperty("source_type", out JsonElement source) && source.GetString() == "api");
}
