using System.Globalization;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Sites;

/// <summary>What the nodes of sources.yaml mean.</summary>
internal static partial class SettingsReader
{
    public const string Enabled = "enabled";
    public const string Uri = "uri";
    public const string MirrorUri = "mirrorUri";
    public const string UpstreamRoot = "upstreamRoot";
    public const string Include = "include";
    public const string Exclude = "exclude";
    public const string MaxShrink = "maxShrink";
    public const string WarnAfter = "warnAfter";
    public const string CriticalAfter = "criticalAfter";
    public const string ExpireAfter = "expireAfter";

    private const int CurrentVersion = 1;
    private const int MostGenerations = 1000;
    private const int LongestPart = 100;

    private static readonly string[] s_rootKeys = ["version", "sources", "keepGenerations", "bundleValidity", "network", "warnings", "clair"];
    private static readonly string[] s_sourceKeys = [Enabled, Uri, MirrorUri, UpstreamRoot, Include, Exclude, MaxShrink, WarnAfter, CriticalAfter, ExpireAfter];

    public static SiteSettings Defaults() => new() { Sources = [.. SourceCatalog.All.Select(Default)] };

    /// <exception cref="FeedException"><see cref="ErrorIds.SettingsInvalid"/></exception>
    public static SiteSettings Read(SettingsDocument document)
    {
        SiteSettings settings = Defaults();
        if (document.Root is not { } root)
        {
            return settings;
        }

        int keepGenerations = settings.KeepGenerations;
        TimeSpan bundleValidity = settings.BundleValidity;
        IReadOnlyList<SourceSettings> sources = settings.Sources;
        NetworkSettings network = settings.Network;
        WarningSettings warnings = settings.Warnings;
        ClairSettings? clair = null;
        ClairRelease release = ClairRelease.V490;
        RefuseLater(document, root);
        foreach (SettingsEntry entry in root.Entries)
        {
            switch (entry.Key.Value)
            {
                case "version":
                    ReadNumber(document, entry, CurrentVersion, CurrentVersion);
                    break;
                case "keepGenerations":
                    keepGenerations = ReadNumber(document, entry, 2, MostGenerations);
                    break;
                case "bundleValidity":
                    bundleValidity = ReadDuration(document, entry);
                    break;
                case "network":
                    network = ReadNetwork(document, entry);
                    break;
                case "sources":
                    sources = ReadSources(document, entry, sources);
                    break;
                case "warnings":
                    warnings = new WarningSettingsReader(document).Read(entry);
                    break;
                case "clair":
                    (clair, release) = ReadClair(document, entry);
                    break;
                default:
                    throw UnknownKey(document, entry.Key, "a setting", s_rootKeys);
            }
        }

        return new SiteSettings
        {
            Sources = sources,
            KeepGenerations = keepGenerations,
            BundleValidity = bundleValidity,
            Network = network,
            Warnings = warnings,
            Clair = clair,
            ClairRelease = release,
        };
    }

    private static SourceSettings Default(SourceDefinition definition) => new() { Definition = definition, Enabled = definition.EnabledByDefault };

    private static IReadOnlyList<SourceSettings> ReadSources(SettingsDocument document, SettingsEntry entry, IReadOnlyList<SourceSettings> defaults)
    {
        Dictionary<string, SourceSettings> sources = defaults.ToDictionary(s => s.Name, StringComparer.Ordinal);
        foreach (SettingsEntry source in EntriesOf(document, entry))
        {
            if (!sources.TryGetValue(source.Key.Value, out SourceSettings? settings))
            {
                throw UnknownKey(document, source.Key, "a source", [.. sources.Keys]);
            }

            sources[source.Key.Value] = ReadSource(document, source, settings);
        }

        return [.. defaults.Select(s => sources[s.Name])];
    }

    private static SourceSettings ReadSource(SettingsDocument document, SettingsEntry source, SourceSettings settings)
    {
        foreach (SettingsEntry entry in EntriesOf(document, source))
        {
            settings = entry.Key.Value switch
            {
                Enabled => settings with { Enabled = ReadEnabled(document, entry) },
                Uri => settings with { Uri = ReadUri(document, entry, isFolder: settings.Definition.Uri.AbsoluteUri.EndsWith('/')) },
                MirrorUri when settings.Definition.MirrorUri is null =>
                    throw document.Invalid(entry.Key.Line, $"'{settings.Name}' has no second upstream for '{MirrorUri}'"),
                MirrorUri => settings with { MirrorUri = ReadUri(document, entry, isFolder: true) },
                UpstreamRoot => settings with { UpstreamRoot = ReadUri(document, entry, isFolder: true) },
                Include or Exclude when settings.Definition.PartKind is null => throw document.Invalid(
                    entry.Key.Line, $"'{settings.Name}' is carried whole: Clair needs all of it, so it has no '{entry.Key.Value}'"),
                Include => settings with { Include = ReadParts(document, entry) },
                Exclude => settings with { Exclude = ReadParts(document, entry) },
                MaxShrink => settings with { MaxShrink = ReadPercent(document, entry) },
                WarnAfter => settings with { WarnAfter = ReadDuration(document, entry) },
                CriticalAfter => settings with { CriticalAfter = ReadDuration(document, entry) },
                ExpireAfter => settings with { ExpireAfter = ReadDuration(document, entry) },
                _ => throw UnknownKey(document, entry.Key, "a setting of a source", s_sourceKeys),
            };
        }

        ThrowUnlessRising(document, source, settings);
        return settings;
    }

    private static void ThrowUnlessRising(SettingsDocument document, SettingsEntry source, SourceSettings settings)
    {
        if (settings.WarnAfter > settings.CriticalAfter || settings.CriticalAfter > settings.ExpireAfter)
        {
            throw document.Invalid(
                source.Key.Line,
                $"the thresholds of '{settings.Name}' do not rise: {WarnAfter} {FeedDuration.Format(settings.WarnAfter)}, "
                + $"{CriticalAfter} {FeedDuration.Format(settings.CriticalAfter)}, {ExpireAfter} {FeedDuration.Format(settings.ExpireAfter)} "
                + "(what is not said has its default)");
        }
    }

    internal static IReadOnlyList<SettingsEntry> EntriesOf(SettingsDocument document, SettingsEntry entry) => entry.Value switch
    {
        SettingsMapping mapping => mapping.Entries,
        SettingsScalar { IsNull: true } => [],
        _ => throw document.Invalid(entry.Value.Line, $"'{entry.Key.Value}' has settings below it, not a value"),
    };

    internal static string ReadText(SettingsDocument document, SettingsEntry entry) => entry.Value switch
    {
        SettingsScalar { IsNull: false, Value: var value } => value,
        SettingsScalar => throw document.Invalid(entry.Key.Line, $"'{entry.Key.Value}' has no value"),
        _ => throw document.Invalid(entry.Value.Line, $"'{entry.Key.Value}' has a value, not settings below it"),
    };

    private static IReadOnlyList<string> ReadParts(SettingsDocument document, SettingsEntry entry)
    {
        if (entry.Value is SettingsScalar { IsNull: true })
        {
            return [];
        }

        SettingsList list = entry.Value as SettingsList ?? throw document.Invalid(entry.Value.Line, $"'{entry.Key.Value}' is a list, such as [a, b]");
        foreach (SettingsScalar item in list.Items)
        {
            if (item.IsNull || FaultOfPart(item.Value) is not null)
            {
                throw document.Invalid(item.Line, $"'{item.Value}' in '{entry.Key.Value}' {FaultOfPart(item.Value) ?? "is nothing"}");
            }
        }

        return [.. list.Items.Select(i => i.Value)];
    }

    /// <returns>What is wrong with a part's name, as the end of a sentence that begins with it; null where nothing is.</returns>
    internal static string? FaultOfPart(string name) =>
        name.Trim().Length is 0 or > LongestPart ? $"is not the name of a part: it has no letters, or more than {LongestPart}"
        : name.Any(char.IsControl) ? "is not the name of a part: it has control characters"
        : null;

    private static int ReadPercent(SettingsDocument document, SettingsEntry entry)
    {
        string text = ReadText(document, entry);
        return int.TryParse(text.TrimEnd('%'), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= 100
            ? number
            : throw document.Invalid(entry.Value.Line, $"'{entry.Key.Value}' is a share from 0 to 100 per cent, not '{text}'");
    }

    private static bool ReadEnabled(SettingsDocument document, SettingsEntry entry)
    {
        string text = ReadText(document, entry);
        return text is "true" or "false"
            ? text == "true"
            : throw document.Invalid(entry.Value.Line, $"'{Enabled}' is true or false, not '{text}'");
    }

    /// <summary>First of all: what a later version may say is otherwise called a misspelling.</summary>
    private static void RefuseLater(SettingsDocument document, SettingsMapping root)
    {
        if (root.Entries.FirstOrDefault(e => e.Key.Value == "version") is { } entry
            && long.TryParse(ReadText(document, entry), NumberStyles.None, CultureInfo.InvariantCulture, out long version))
        {
            FormatVersion.ThrowIfLater(document.Path, version, CurrentVersion);
        }
    }

    private static int ReadNumber(SettingsDocument document, SettingsEntry entry, int least, int most)
    {
        string text = ReadText(document, entry);
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
            ? number
            : throw document.Invalid(
                entry.Value.Line, $"'{entry.Key.Value}' is {(least == most ? least : $"a number from {least} to {most}")}, not '{text}'");
    }

    private static TimeSpan ReadDuration(SettingsDocument document, SettingsEntry entry)
    {
        string text = ReadText(document, entry);
        return FeedDuration.TryParse(text, out TimeSpan duration)
            ? duration
            : throw document.Invalid(
                entry.Value.Line,
                $"'{entry.Key.Value}' is a length of time such as 3d, 12h, 30m or 1.06:00:00, up to {FeedDuration.Format(FeedDuration.Longest)}, not '{text}'");
    }

    private static Uri ReadUri(SettingsDocument document, SettingsEntry entry, bool isFolder)
    {
        string text = ReadText(document, entry);
        string? fault = UpstreamUri.FaultOf(text, out Uri? uri);
        return fault is null ? UpstreamUri.Normalise(uri!, isFolder) : throw document.Invalid(entry.Value.Line, $"'{entry.Key.Value}' {fault}");
    }

    internal static FeedException UnknownKey(SettingsDocument document, SettingsScalar key, string what, IReadOnlyList<string> known)
    {
        return document.Invalid(key.Line, $"'{key.Value}' is not {what}; did you mean '{Nearest.To(key.Value, known)}'? Known are {string.Join(", ", known)}");
    }
}
