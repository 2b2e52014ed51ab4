using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace QuayAirGap.TestKit.Quay;

public sealed partial class QuayServer
{
    private async Task RepositoryAsync(HttpContext context, Match path, string[]? scopes)
    {
        QuayRepositoryData? repository = Repositories.FirstOrDefault(r => r.Namespace == path.Groups["ns"].Value && r.Name == path.Groups["name"].Value);
        bool writes = context.Request.Method != "GET";
        if (repository is null ? scopes is null : !(writes ? MayWrite(repository, scopes) : MayRead(repository, scopes)))
        {
            await ErrorAsync(context, scopes is null ? 401 : 403, scopes is null ? "invalid_token" : "insufficient_scope", scopes is null ? "Requires authentication" : "Unauthorized");
            return;
        }

        if (repository is null)
        {
            await ErrorAsync(context, 404, "not_found", "Not Found");
            return;
        }

        if (writes && repository.State != "NORMAL")
        {
            await ErrorAsync(context, 503, "", $"Repository is in read only or mirror mode: {repository.State}");
            return;
        }

        if (path.Groups["tags"].Success)
        {
            await TagsAsync(context, repository);
        }
        else if (!path.Groups["digest"].Success)
        {
            await JsonAsync(context, 200, new { @namespace = repository.Namespace, name = repository.Name, kind = "image", state = repository.State });
        }
        else if (!repository.Manifests.TryGetValue(path.Groups["digest"].Value, out QuayManifestData? manifest))
        {
            await ErrorAsync(context, 404, "not_found", "Not Found");
        }
        else if (path.Groups["labels"].Success)
        {
            await LabelsAsync(context, repository, manifest, path.Groups["id"].Value);
        }
        else
        {
            Knows(context.Request.Query);
            await JsonAsync(context, 200, new
            {
                digest = manifest.Digest,
                is_manifest_list = manifest.IsList,
                manifest_data = manifest.Text,
                config_media_type = manifest.IsList ? null : "application/vnd.oci.image.config.v1+json",
                layers_compressed_size = 0,
                layers = manifest.IsList ? null : manifest.LayersCreatedAt.Select(Layer),
            });
        }
    }

    /// <summary>As endpoints/api/manifest.py has it; the time is that of the history in the image's configuration.</summary>
    private static object Layer(DateTimeOffset? created, int index) => new
    {
        index,
        compressed_size = 1000,
        is_remote = false,
        urls = (string[]?)null,
        command = new[] { "/bin/sh -c #(nop)" },
        comment = (string?)null,
        author = (string?)null,
        blob_digest = $"sha256:{index:x64}",
        created_datetime = MailTime(created),
    };

    /// <summary>As Python's email.utils.formatdate writes it.</summary>
    private static string? MailTime(DateTimeOffset? time) => time?.UtcDateTime.ToString("ddd, dd MMM yyyy HH:mm:ss '-0000'", CultureInfo.InvariantCulture);

    private Task TagsAsync(HttpContext context, QuayRepositoryData repository)
    {
        IQueryCollection query = context.Request.Query;
        Knows(query, "onlyActiveTags", "limit", "page", "specificTag", "filter_tag_name");
        int limit = Math.Clamp(Number("limit", 50), 1, 100);
        int page = Math.Max(1, Number("page", 1));
        if (query["onlyActiveTags"] != "true")
        {
            lock (Mistakes)
            {
                Mistakes.Add("dead tags were asked for");
            }
        }

        return JsonAsync(context, 200, new
        {
            tags = repository.Tags.Skip((page - 1) * limit).Take(limit).Select(t => Tag(repository, t.Name, t.Digest)),
            page,
            has_additional = repository.Tags.Count > page * limit,
        });

        int Number(string name, int otherwise) => query.ContainsKey(name) ? int.Parse(query[name]!, CultureInfo.InvariantCulture) : otherwise;
    }

    private Dictionary<string, object> Tag(QuayRepositoryData repository, string name, string digest)
    {
        QuayManifestData manifest = repository.Manifests[digest];
        var tag = new Dictionary<string, object>
        {
            ["name"] = name,
            ["reversion"] = false,
            ["start_ts"] = manifest.TaggedAt.ToUnixTimeSeconds(),
            ["manifest_digest"] = digest,
            ["is_manifest_list"] = manifest.IsList,
            ["size"] = 1234,
            ["last_modified"] = MailTime(manifest.TaggedAt)!,
        };
        if (manifest.IsList && TellsChildren)
        {
            tag["is_sparse"] = manifest.Children.Any(c => !repository.Manifests.ContainsKey(c));
            tag["child_manifest_count"] = manifest.Children.Count;
            tag["child_manifests_presence"] = manifest.Children.ToDictionary(c => c, repository.Manifests.ContainsKey);
        }

        return tag;
    }

    private async Task LabelsAsync(HttpContext context, QuayRepositoryData repository, QuayManifestData manifest, string id)
    {
        HttpRequest request = context.Request;
        switch (request.Method)
        {
            case "GET" when id.Length == 0:
                Knows(request.Query, "filter");
                await JsonAsync(context, 200, new { labels = manifest.Labels.Where(l => l.Key.StartsWith(request.Query["filter"].ToString(), StringComparison.Ordinal)).Select(View) });
                return;
            case "DELETE" when id.Length > 0:
                QuayLabelData? found = manifest.Labels.FirstOrDefault(l => l.Id == id);
                if (found is null)
                {
                    await ErrorAsync(context, 404, "not_found", "Not Found");
                    return;
                }

                if (found.Source != "api")
                {
                    context.Response.StatusCode = 500; // the original ends in an exception of its own here
                    return;
                }

                manifest.Labels.Remove(found);
                Audit.Add($"manifest_label_delete {repository.Namespace}/{repository.Name} {found.Key}");
                context.Response.StatusCode = 204;
                return;
            case "POST" when id.Length == 0:
                await AddLabelAsync(context, repository, manifest);
                return;
            default:
                context.Response.StatusCode = 405;
                return;
        }
    }

    private async Task AddLabelAsync(HttpContext context, QuayRepositoryData repository, QuayManifestData manifest)
    {
        HttpRequest request = context.Request;
        using JsonDocument? body = request.ContentType == "application/json" ? await JsonDocument.ParseAsync(request.Body) : null;
        Dictionary<string, string?>? fields = body?.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString());
        if (fields is null || !fields.Keys.Order().SequenceEqual(["key", "media_type", "value"]) || fields["key"] is null || fields["value"] is null
            || fields["media_type"] is not (null or "text/plain" or "application/json"))
        {
            await ErrorAsync(context, 400, "invalid_request", "The body is not as the schema AddLabel has it");
        }
        else if (s_reservedPrefixes.Any(p => fields["key"]!.StartsWith(p, StringComparison.Ordinal)))
        {
            await ErrorAsync(context, 400, "invalid_request", "Label has a reserved prefix");
        }
        else if (!LabelKey().IsMatch(fields["key"]!))
        {
            await ErrorAsync(context, 400, "invalid_request", "Label is of an invalid format");
        }
        else
        {
            var label = new QuayLabelData(NextId(), fields["key"]!, fields["value"]!, "api", fields["media_type"] ?? "text/plain");
            manifest.Labels.Add(label);
            Audit.Add($"manifest_label_add {repository.Namespace}/{repository.Name} {label.Key}");
            await JsonAsync(context, 201, new { label = View(label) });
        }
    }

    private static object View(QuayLabelData label) => new { id = label.Id, key = label.Key, value = label.Value, source_type = label.Source, media_type = label.MediaType };
}
