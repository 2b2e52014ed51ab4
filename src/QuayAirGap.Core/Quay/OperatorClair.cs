using System.Text;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Clair;

namespace QuayAirGap.Core.Quay;

/// <summary>
/// A Clair that the Quay operator runs: its part of the configuration is the key clair-config.yaml of the config bundle secret, and its
/// environment is in the QuayRegistry. Single keys are changed, and nothing else of the objects (quay-operator: configBundleSecret, overrides.env).
/// </summary>
public static class OperatorClair
{
    public const string ClairConfigKey = "clair-config.yaml";
    public const string CaKey = "extra_ca_cert_quayairgap.crt";
    private const string Annotation = "quayairgap-changes";

    /// <summary>What an operator from 3.16's z-streams on writes below the bundle, as far as it matters here (quay-operator pkg/kustomize/secrets.go).</summary>
    private const string OperatorBase =
        "matcher: {migrations: true}\nupdaters: {sets: [alpine, aws, clair.cvss, debian, oracle, photon, rhcc, rhel-vex, suse, ubuntu]}\n";

    private static readonly string[] s_sections = ["indexer", "matcher", "notifier"];

    /// <summary>The keys that the operator computes itself and refuses in a bundle while Clair is managed.</summary>
    internal static IReadOnlyList<string> ScannerKeys { get; } =
    [
        "FEATURE_SECURITY_SCANNER", "SECURITY_SCANNER_ENDPOINT", "SECURITY_SCANNER_INDEXING_INTERVAL", "SECURITY_SCANNER_NOTIFICATIONS",
        "SECURITY_SCANNER_V4_ENDPOINT", "SECURITY_SCANNER_V4_NAMESPACE_WHITELIST",
    ];

    /// <summary>Changes clair-config.yaml in the secret.</summary>
    /// <param name="path">The manifest's file, or what it is called.</param>
    /// <param name="manifest">The Secret, YAML or JSON, as "oc get secret -o yaml" gives it.</param>
    /// <param name="request">What Clair is to be told.</param>
    /// <param name="registry">The QuayRegistry, which says what is managed; or null.</param>
    /// <param name="caCertificate">PEM of the mirror's CA; null leaves the secret's as it is.</param>
    /// <param name="operatorVersion">"3.18"; null where nobody knows.</param>
    /// <exception cref="FeedException">The manifest is no such secret, or cannot be changed by single keys.</exception>
    public static AirGapChange PlanSecret(
        string path, string manifest, AirGapRequest request, QuayRegistry? registry, string? caCertificate, string? operatorVersion)
    {
        var secret = ConfigBundle.Parse(path, manifest);
        if (registry is { IsClairManaged: false })
        {
            throw new FeedException(
                ErrorIds.ClairConfigConflict, "Clair is not managed by the operator here: it does not read the config bundle secret.", path,
                "Name Clair's own configuration with -ConfigPath.");
        }

        AirGapSettings settings = AirGapSettings.For(request with { IsOperator = true });
        List<string> notes = [.. settings.Notes];
        string? current = secret.Find(ClairConfigKey);
        string? noted = secret.Annotation(Annotation);
        YamlText clair = YamlText.Parse($"{path}: {ClairConfigKey}", current ?? "");
        bool isCreated = current is null;
        if (noted is not null)
        {
            var before = EditJournal.Parse(noted, path);
            isCreated = before.IsCreated;
            clair = before.Revert(clair);
        }

        var journal = new EditJournal { IsCreated = isCreated };
        foreach (ClairSetting setting in settings.Settings)
        {
            clair = journal.Set(clair, setting.Path, setting.Value);
        }

        clair = WithoutConnstrings(clair, registry, notes);
        AddWarnings(secret, registry, clair, notes);
        bool isConnected = request.Mode == AirGapMode.Connected;
        string? after = isConnected && isCreated && clair.Content is null ? null : clair.Text;
        string? newNote = isConnected ? null : journal.ToString();
        bool isSame = after is not null && current is not null && newNote == noted
            && JsonNode.DeepEquals(clair.Content, YamlText.Parse(path, current).Content);
        var edited = isSame ? secret : secret.With(ClairConfigKey, after).WithAnnotation(Annotation, newNote);
        string? ca = isConnected ? null : caCertificate ?? secret.Find(CaKey);
        edited = edited.With(CaKey, ca);
        bool isUnchanged = edited.Text == manifest;
        string diff = isSame ? "" : TextDiff.Of(current, after);
        return new AirGapChange
        {
            Kind = "ConfigBundleSecret",
            Path = path,
            Before = manifest,
            After = edited.Text,
            Diff = isUnchanged ? "" : string.Concat(
                diff.Length > 0 ? $"{ClairConfigKey}:\n{diff}" : "", ca == secret.Find(CaKey) ? "" : $"{(ca is null ? "-" : "+")} {CaKey}\n"),
            Notes = notes,
            NextSteps = isUnchanged ? [] : [.. Steps(secret, registry, operatorVersion)],
        };
    }

    /// <summary>
    /// The configuration that the operator's Clair starts with, as far as the bundle decides it: the operator's own sets and connstrings below
    /// it, and what the operator itself would refuse.
    /// </summary>
    /// <exception cref="FeedException">The manifest is no such secret, or its clair-config.yaml stops Clair from starting.</exception>
    public static (ClairConfiguration Configuration, IReadOnlyList<AirGapFinding> Findings) Read(string path, string manifest, QuayRegistry? registry)
    {
        var secret = ConfigBundle.Parse(path, manifest);
        string name = $"{path}: {ClairConfigKey}";
        string user = secret.Find(ClairConfigKey) ?? "";
        var configuration = ClairConfiguration.Of([("the operator's own config.yaml", OperatorBase), (name + ".yaml", user)]);
        List<AirGapFinding> found = [];
        string[] connstrings = [.. s_sections.Where(s => JsonPatches.Find(configuration.Merged, s, "connstring") is not null)];
        if (connstrings.Length > 0 && registry?.IsManaged("clairpostgres") == true)
        {
            found.Add(new AirGapFinding(
                "ConnstringManaged", FindingSeverity.Error, name, $"{string.Join(", ", connstrings.Select(s => s + ".connstring"))} is set, and clairpostgres is managed.",
                "The operator refuses the bundle and goes on with the old one.", $"Set-ClairAirGap with -ConfigBundleSecret '{path}' and -QuayRegistry takes it out."));
        }

        string[] keys = QuayConfigOf(path, manifest) is JsonObject quay ? [.. ScannerKeys.Where(quay.ContainsKey)] : [];
        if (keys.Length > 0 && registry?.IsClairManaged == true)
        {
            found.Add(new AirGapFinding(
                "ScannerKeysManaged", FindingSeverity.Error, $"{path}: config.yaml", $"{string.Join(", ", keys)} is set, and clair is managed.",
                "The operator computes these keys itself and refuses the bundle.", "Take these lines out of config.yaml."));
        }

        return (configuration, found);
    }

    /// <summary>Whether a manifest is a QuayRegistry.</summary>
    public static bool IsRegistry(string manifest) => ConfigBundle.ManifestKind(YamlText.Parse("the manifest", manifest)) == "QuayRegistry";

    /// <summary>Quay's config.yaml in the bundle, or null.</summary>
    public static JsonNode? QuayConfigOf(string path, string manifest) =>
        ConfigBundle.Parse(path, manifest).Find("config.yaml") is { } text ? YamlText.Parse($"{path}: config.yaml", text).Content : null;

    /// <summary>Changes Clair's environment in the QuayRegistry.</summary>
    /// <param name="path">The manifest's file, or what it is called.</param>
    /// <param name="manifest">The QuayRegistry, YAML or JSON.</param>
    /// <param name="proxy">Null: what was set is taken back.</param>
    public static AirGapChange PlanRegistry(string path, string manifest, ProxySettings? proxy)
    {
        var registry = QuayRegistry.Parse(path, manifest);
        string after = registry.WithProxy(proxy);
        return new AirGapChange
        {
            Kind = "QuayRegistry",
            Path = path,
            Before = manifest,
            After = after,
            Diff = after == manifest ? "" : TextDiff.Of(manifest, after),
            NextSteps = after == manifest ? [] : [$"oc apply -f {path}    (the operator restarts Clair with the new variables within a minute or two)"],
        };
    }

    /// <summary>The operator refuses a database's address in the bundle where the database is its own.</summary>
    private static YamlText WithoutConnstrings(YamlText clair, QuayRegistry? registry, List<string> notes)
    {
        string[] found = [.. s_sections.Where(s => clair.Find(s, "connstring") is not null)];
        if (found.Length == 0)
        {
            return clair;
        }

        string all = string.Join(", ", found.Select(s => s + ".connstring"));
        if (registry is null)
        {
            notes.Add($"{all}: the operator refuses this bundle where clairpostgres is managed. Name the QuayRegistry with -QuayRegistry, and they are taken out where they must be.");
            return clair;
        }

        if (!registry.IsManaged("clairpostgres"))
        {
            return clair;
        }

        notes.Add($"{all} taken out: clairpostgres is managed, and the operator refuses a bundle that says where the database is. Nothing puts them back; the backup has them.");
        return found.Aggregate(clair, (c, s) => c.Remove([s, "connstring"]));
    }

    private static void AddWarnings(ConfigBundle secret, QuayRegistry? registry, YamlText clair, List<string> notes)
    {
        if (ClairYaml.Parse(clair.Text).Documents > 1)
        {
            notes.Add($"{ClairConfigKey} has several YAML documents: Clair reads the first and nothing of the others. Test-ClairAirGap says more.");
        }

        if (registry is { IsClairManaged: true } && secret.Find("config.yaml") is { } quay
            && YamlText.Parse("config.yaml", quay).Content is JsonObject keys && ScannerKeys.Where(keys.ContainsKey).ToArray() is { Length: > 0 } refused)
        {
            notes.Add($"config.yaml of the bundle has {string.Join(", ", refused)}: the operator refuses it while Clair is managed. Take them out.");
        }
    }

    private static IEnumerable<string> Steps(ConfigBundle secret, QuayRegistry? registry, string? operatorVersion)
    {
        string space = secret.Namespace is { } name ? $" -n {name}" : "";
        string deployment = $"deploy/{registry?.Name ?? "<registry>"}-clair-app";
        yield return $"oc apply -f {secret.Name}    (the operator takes it up within a minute)";
        yield return RestartsByItself(operatorVersion) switch
        {
            true => $"Nothing more: this operator starts new pods with the new secret. Watch them: oc rollout status {deployment}{space}",
            false => $"oc rollout restart {deployment}{space}    (wait a minute after applying; this operator does not restart Clair for a changed configuration)",
            null => $"oc rollout restart {deployment}{space}    (wait a minute after applying; operators from 3.17.1 on do not restart Clair by themselves, for earlier ones it does no harm)",
        };
    }

    /// <summary>Up to 3.17.0 the secret's name changed with its content, and the pods with it (quay-operator 56e8ad6a and its backport).</summary>
    private static bool? RestartsByItself(string? version) =>
        version is null ? null
        : Version.TryParse(version.TrimStart('v'), out Version? v)
            ? v < new Version(3, 17) || v == new Version(3, 17, 0) ? true : v == new Version(3, 17) ? null : false
            : throw new FeedException(
                ErrorIds.ClairModeIncomplete, $"'{version}' is no version of the operator.", version, "Write it like 3.18 or 3.17.2.");
}

/// <summary>The config bundle secret's manifest.</summary>
internal sealed class ConfigBundle
{
    private readonly YamlText _manifest;

    private ConfigBundle(YamlText manifest) => _manifest = manifest;

    public string Text => _manifest.Text;

    public string Name => _manifest.Name;

    public string? Namespace => (_manifest.Find("metadata", "namespace") as JsonValue)?.GetValue<string>();

    public static ConfigBundle Parse(string path, string text)
    {
        var manifest = YamlText.Parse(path, text);
        return ManifestKind(manifest) == "Secret" && ClairYaml.Parse(text).Documents == 1
            ? new ConfigBundle(manifest)
            : throw new FeedException(
                ErrorIds.ClairConfigInvalid, $"'{path}' is not the manifest of one Secret.", path,
                "Get it with: oc get secret <name> -n <namespace> -o yaml");
    }

    internal static string? ManifestKind(YamlText manifest) =>
        manifest.Find("kind") is JsonValue kind && kind.TryGetValue(out string? text) ? text : null;

    /// <summary>A key's text, or null.</summary>
    public string? Find(string key)
    {
        if (_manifest.Find("stringData", key) is JsonValue plain && plain.TryGetValue(out string? text))
        {
            return text;
        }

        if (_manifest.Find("data", key) is not JsonValue value || !value.TryGetValue(out string? encoded))
        {
            return null;
        }

        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Convert.FromBase64String(encoded));
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            throw new FeedException(
                ErrorIds.ClairConfigInvalid, $"'{key}' in '{Name}' is not base64 of a text.", Name, "Nothing was changed. Correct the secret.", e);
        }
    }

    /// <summary>The same with another text for a key; null takes it out.</summary>
    public ConfigBundle With(string key, string? text)
    {
        if (Find(key) == text)
        {
            return this;
        }

        bool isPlain = _manifest.Find("stringData", key) is not null
            || (_manifest.Find("data") is null && _manifest.Find("stringData") is not null);
        string[] path = [isPlain ? "stringData" : "data", key];
        return new ConfigBundle(
            text is null ? _manifest.Remove(path)
            : isPlain ? _manifest.SetLines(path, text)
            : _manifest.Set(path, Convert.ToBase64String(Encoding.UTF8.GetBytes(text))));
    }

    public string? Annotation(string key) =>
        _manifest.Find("metadata", "annotations", key) is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    public ConfigBundle WithAnnotation(string key, string? value) => new(WithAnnotation(_manifest, key, value));

    internal static YamlText WithAnnotation(YamlText manifest, string key, string? value)
    {
        if (value is not null)
        {
            return manifest.Set(["metadata", "annotations", key], value);
        }

        YamlText without = manifest.Remove(["metadata", "annotations", key]);
        if (without == manifest)
        {
            return manifest;
        }

        // What it alone was in goes with it.
        without = without.Find("metadata", "annotations") is null or JsonObject { Count: 0 } ? without.Remove(["metadata", "annotations"]) : without;
        return without.Find("metadata") is null ? without.Remove(["metadata"]) : without;
    }
}
