using System.Net;
using System.Text;
using System.Text.Json;

namespace QuayAirGap.Core.Bundles.Registry;

/// <summary>Credentials as podman, skopeo and docker keep them (containers-auth.json(5)); helpers and identity tokens are not asked.</summary>
public static class RegistryAuthFile
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>$REGISTRY_AUTH_FILE alone where it is set; else podman's and docker's usual places.</summary>
    public static IReadOnlyList<string> UsualPaths()
    {
        static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
        if (Variable("REGISTRY_AUTH_FILE") is { } named)
        {
            return [named];
        }

        var paths = new List<string>();
        if (Variable("XDG_RUNTIME_DIR") is { } runtime)
        {
            paths.Add(Path.Combine(runtime, "containers", "auth.json"));
        }

        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (home.Length > 0)
        {
            paths.Add(Path.Combine(Variable("XDG_CONFIG_HOME") ?? Path.Combine(home, ".config"), "containers", "auth.json"));
            paths.Add(Path.Combine(Variable("DOCKER_CONFIG") ?? Path.Combine(home, ".docker"), "config.json"));
        }

        return paths;
    }

    /// <summary>The credentials for a repository: those of its longest prefix, in the first file that has any.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.RegistryAuthFile"/>: a file is there and cannot be read.</exception>
    public static NetworkCredential? Find(IEnumerable<string> files, RegistryReference reference) =>
        files.Where(File.Exists).Select(f => Find(f, reference)).FirstOrDefault(c => c is not null);

    private static NetworkCredential? Find(string path, RegistryReference reference)
    {
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
            {
                throw new JsonException("it is too large");
            }

            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (!document.RootElement.TryGetProperty("auths", out JsonElement auths) || auths.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            string wanted = $"{reference.Host}/{reference.Repository}";
            (int Length, JsonElement Entry)? best = null;
            foreach (JsonProperty entry in auths.EnumerateObject())
            {
                string key = Plain(entry.Name);
                if ((wanted == key || wanted.StartsWith(key + "/", StringComparison.Ordinal)) && !(best?.Length > key.Length))
                {
                    best = (key.Length, entry.Value);
                }
            }

            return best is { Entry.ValueKind: JsonValueKind.Object } found && found.Entry.TryGetProperty("auth", out JsonElement auth)
                && auth.GetString() is { Length: > 0 } text
                ? Decode(text)
                : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            // Never what is in it.
            throw new FeedException(
                ErrorIds.RegistryAuthFile, $"The credentials in '{path}' cannot be read ({e.GetType().Name}).", path,
                "Put the file right, for instance with 'podman login', or give the credentials with -Credential.");
        }
    }

    /// <summary>docker writes "https://host/v1/" where others write "host".</summary>
    private static string Plain(string key)
    {
        int scheme = key.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
        {
            return key.TrimEnd('/');
        }

        string rest = key[(scheme + 3)..].TrimEnd('/');
        return rest.EndsWith("/v1", StringComparison.Ordinal) || rest.EndsWith("/v2", StringComparison.Ordinal) ? rest[..^3] : rest;
    }

    private static NetworkCredential? Decode(string auth)
    {
        string text = Encoding.UTF8.GetString(Convert.FromBase64String(auth)).TrimEnd('\0');
        int colon = text.IndexOf(':');
        return colon > 0 ? new NetworkCredential(text[..colon], text[(colon + 1)..]) : throw new FormatException("An entry has no colon.");
    }
}
