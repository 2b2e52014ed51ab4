using System.Text.Json;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Clair;

namespace QuayAirGap.Core.Quay;

/// <summary>A Clair whose configuration is a file: everything of ours is in one drop-in, and taking that away takes it back.</summary>
public static class StandaloneClair
{
    public const string DropInName = "50-quayairgap";

    private const string Begin = "# QuayAirGap: begin";
    private const string End = "# QuayAirGap: end";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>What a mode changes: the drop-in.</summary>
    /// <param name="configPath">Clair's own file; it is read and never changed.</param>
    /// <param name="request">What it is to be told.</param>
    /// <exception cref="FeedException">The configuration is missing or invalid, or the mode is incomplete.</exception>
    public static AirGapChange Plan(string configPath, AirGapRequest request)
    {
        // Taking back must work on a configuration that somebody broke meanwhile, too.
        bool isConnected = request.Mode == AirGapMode.Connected;
        ClairConfiguration? configuration = isConnected && File.Exists(configPath) ? null : ClairConfiguration.Load(configPath);
        string extension = Path.GetExtension(configPath);
        string path = Path.Combine(configPath + ".d", DropInName + extension);
        AirGapSettings settings = AirGapSettings.For(request);
        string? before = ConfigFile.ReadIfThere(path);
        string? after = isConnected ? null : Render(settings, request, extension == ".json");
        return new AirGapChange
        {
            Kind = "DropIn",
            Path = path,
            Before = before,
            After = after,
            Diff = before == after ? "" : TextDiff.Of(before, after),
            Notes = [.. settings.Notes, .. configuration is null || after is null ? [] : Overridden(configuration, path, after, settings)],
            NextSteps = before == after ? [] : ["Restart Clair: it reads its configuration only when it starts (podman restart clair, systemctl restart clair)."],
        };
    }

    /// <summary>The proxy variables as a file for podman's --env-file or systemd's EnvironmentFile=.</summary>
    /// <param name="path">The file; other variables in it stay.</param>
    /// <param name="proxy">Null: what was set is to go, and the file with it where nothing else is in it.</param>
    /// <param name="caPath">The mirror's CA certificate, or null.</param>
    public static AirGapChange PlanEnvironment(string path, ProxySettings? proxy, string? caPath)
    {
        string? before = ConfigFile.ReadIfThere(path);
        string others = WithoutOurs(before ?? "");
        string ours = proxy is null ? "" : $"{Begin}\n{string.Concat(proxy.Variables.Select(v => $"{v.Name}={v.Value}\n"))}{End}\n";
        string? after = others.Length + ours.Length == 0 ? null : others + ours;
        string[] also = proxy is null ? [] :
            [.. proxy.Variables.Select(v => v.Name).Where(n => others.Split('\n').Any(l => l.TrimStart().StartsWith(n + "=", StringComparison.OrdinalIgnoreCase)))];
        return new AirGapChange
        {
            Kind = "Environment",
            Path = path,
            Before = before,
            After = after,
            Diff = before == after ? "" : TextDiff.Of(before, after),
            Notes = also.Length == 0 ? [] : [$"{string.Join(", ", also)} stands in '{path}' already; the lines at its end, which are read later, count."],
            NextSteps = proxy is null ? [] :
            [
                $"Give Clair these variables and the mirror's CA: podman run --env-file {path} -v {caPath ?? "<the CA's certificate>"}:/var/run/certs/quayairgap.crt:ro,Z …",
            ],
        };
    }

    /// <summary>A file of variables without the lines between the marks; whole, where somebody took a mark away.</summary>
    private static string WithoutOurs(string text)
    {
        int begin = text.IndexOf(Begin + "\n", StringComparison.Ordinal);
        int end = begin < 0 ? -1 : text.IndexOf(End + "\n", begin, StringComparison.Ordinal);
        string others = end < 0 ? text : text[..begin] + text[(end + End.Length + 1)..];
        return others.Length == 0 || others.EndsWith('\n') ? others : others + "\n";
    }

    private static string Render(AirGapSettings settings, AirGapRequest request, bool isJson)
    {
        JsonObject content = settings.ToMapping();
        if (isJson)
        {
            return content.ToJsonString(s_indented).ReplaceLineEndings("\n") + "\n";
        }

        string what = request.Mode switch
        {
            AirGapMode.Mirror => $"# Mode Mirror: every feed comes from {request.MirrorUri}\n",
            AirGapMode.Upstream => "# Mode Upstream: the mirror answers as the upstreams themselves; Clair finds it by its proxy variables.\n",
            _ => "# Mode Offline: no updater runs; feeds are imported.\n",
        };
        return "# Written by QuayAirGap (Set-ClairAirGap). Changes made here are lost: use a drop-in with a later name.\n" + what + YamlWriter.Block(content);
    }

    /// <summary>Values that a drop-in with a later name says otherwise: what was set is not what Clair does then.</summary>
    private static IEnumerable<string> Overridden(ClairConfiguration configuration, string path, string after, AirGapSettings settings)
    {
        List<(string Path, string Text)> texts =
        [
            .. configuration.Files.Where(f => f.Path != path).Select(f => (f.Path, File.ReadAllText(f.Path))).Append((path, after)),
        ];
        (string Path, string Text) first = texts[0];
        var merged = ClairConfiguration.Of([first, .. texts.Skip(1).OrderBy(t => Path.GetFileName(t.Path), StringComparer.Ordinal)]);
        foreach (ClairSetting setting in settings.Settings)
        {
            JsonNode? got = JsonPatches.Find(merged.Merged, [.. setting.Path]);
            if (!JsonNode.DeepEquals(JsonPatches.Merge(got, setting.Value), got) || (setting.Value is null && got is not null))
            {
                yield return $"{string.Join('.', setting.Path)} is set otherwise by {merged.WhereIs([.. setting.Path]) ?? "a later drop-in"}, which Clair reads later.";
            }
        }
    }
}
