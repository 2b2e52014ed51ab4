using System.Globalization;
using System.Text;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Sites;

/// <summary>Changes settings in sources.yaml and leaves every other byte of it alone.</summary>
public static class SourceSettingsEditor
{
    /// <summary>Changes one source's settings, all or none. Hold the site's lock around it.</summary>
    /// <param name="site">Its sources.yaml must be valid as it is.</param>
    /// <param name="sourceName">As Clair names it; case does not matter.</param>
    /// <param name="change">What to change.</param>
    /// <returns>False where the file already said so: nothing was written.</returns>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.SourceUnknown"/>; <see cref="ErrorIds.SourceIsWhole"/>;
    /// <see cref="ErrorIds.SourcePartUnknown"/>; <see cref="ErrorIds.SettingsInvalid"/>, also where the result would
    /// be; <see cref="ErrorIds.SiteNotWritable"/>; <see cref="ErrorIds.DiskFull"/>. The file is then as it was.
    /// </exception>
    public static bool Apply(Site site, string sourceName, SourceSettingsChange change)
    {
        SourceDefinition definition = SourceCatalog.Get(sourceName);
        ThrowUnlessSelectable(site, definition, change);
        SettingsDocument before = SettingsDocument.Load(site.SettingsFile);
        SiteSettings old = SettingsReader.Read(before);
        SettingsDocument after = before;
        foreach ((string key, string? value) in Values(before, definition, change))
        {
            after = after.With(SettingsText.Set(after, definition.Name, key, value));
        }

        foreach ((string key, IReadOnlyList<string>? items) in new[] { (SettingsReader.Include, change.Include), (SettingsReader.Exclude, change.Exclude) })
        {
            if (items is not null)
            {
                after = after.With(SettingsListText.Set(after, definition.Name, key, [.. items.Distinct(StringComparer.OrdinalIgnoreCase)]));
            }
        }

        if (after.Text == before.Text)
        {
            return false;
        }

        ThrowUnlessAsked(after, old, SettingsReader.Read(after), definition, change);
        try
        {
            Durable.ReplaceFile(site.SettingsFile, Encoding.UTF8.GetBytes(after.Text));
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(site.SettingsFile, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.SiteNotWritable, $"'{site.SettingsFile}' cannot be written: {e.Message}", site.SettingsFile,
                "Give this account write access to the site's folder. The settings are as they were.", e);
        }

        return true;
    }

    private static void ThrowUnlessSelectable(Site site, SourceDefinition definition, SourceSettingsChange change)
    {
        string[] names = [.. change.Include ?? [], .. change.Exclude ?? []];
        if (names.Length == 0)
        {
            return;
        }

        if (definition.PartKind is not { } kind)
        {
            throw new FeedException(
                ErrorIds.SourceIsWhole, $"'{definition.Name}' is carried whole: Clair needs all of it.", definition.Name,
                "Leave out -Include and -Exclude; -Enabled $false leaves out the whole source.");
        }

        IReadOnlyList<string> known = SelectionAdvice.KnownParts(site, definition);
        foreach (string name in names)
        {
            if (SettingsReader.FaultOfPart(name) is { } fault)
            {
                throw new FeedException(ErrorIds.SourcePartUnknown, $"'{name}' {fault}.", definition.Name, $"Name a {kind} of '{definition.Name}'.");
            }

            // Only a capture tells what upstream has; before the first one any name may be right.
            if (known.Count > 0 && !known.Any(new SourceSelection([name], []).Wants))
            {
                throw new FeedException(
                    ErrorIds.SourcePartUnknown, $"'{definition.Name}' has no {kind} '{name}' as of its last capture.", definition.Name,
                    $"Did you mean '{Nearest.To(name, known)}'? It has {string.Join(", ", known)}.");
            }
        }
    }

    /// <summary>The settings to write, in the order in which new ones are to stand; null to take one out.</summary>
    private static IEnumerable<(string Key, string? Value)> Values(SettingsDocument document, SourceDefinition definition, SourceSettingsChange change)
    {
        string Address(string key, Uri uri, bool isFolder) => UpstreamUri.FaultOf(uri.OriginalString, out Uri? absolute) is { } fault
            ? throw document.Invalid(1, $"the new '{key}' of '{definition.Name}' {fault}")
            : UpstreamUri.Normalise(absolute!, isFolder).AbsoluteUri;

        string Duration(string key, TimeSpan duration)
        {
            string text = FeedDuration.Format(duration);
            return FeedDuration.TryParse(text, out TimeSpan read) && read == duration
                ? text
                : throw document.Invalid(
                    1, $"the new '{key}' of '{definition.Name}' is not from one second to {FeedDuration.Format(FeedDuration.Longest)}, in whole seconds");
        }

        if (change.Enabled is { } enabled)
        {
            yield return (SettingsReader.Enabled, enabled ? "true" : "false");
        }

        foreach ((string key, Uri? uri, bool clear, bool isFolder) in new[]
        {
            (SettingsReader.Uri, change.Uri, change.ClearUri, definition.Uri.AbsoluteUri.EndsWith('/')),
            (SettingsReader.MirrorUri, change.MirrorUri, change.ClearMirrorUri, true),
            (SettingsReader.UpstreamRoot, change.UpstreamRoot, change.ClearUpstreamRoot, true),
        })
        {
            if (uri is not null && clear)
            {
                throw new ArgumentException($"'{key}' is both set and cleared.", nameof(change));
            }

            if (uri is not null || clear)
            {
                yield return (key, uri is null ? null : Address(key, uri, isFolder));
            }
        }

        if (change.MaxShrink is { } percent)
        {
            yield return (SettingsReader.MaxShrink, percent is >= 0 and <= 100
                ? percent.ToString(CultureInfo.InvariantCulture)
                : throw document.Invalid(1, $"the new '{SettingsReader.MaxShrink}' of '{definition.Name}' is not from 0 to 100 per cent"));
        }

        foreach ((string key, TimeSpan? duration) in new[]
        {
            (SettingsReader.WarnAfter, change.WarnAfter),
            (SettingsReader.CriticalAfter, change.CriticalAfter),
            (SettingsReader.ExpireAfter, change.ExpireAfter),
        })
        {
            if (duration is { } value)
            {
                yield return (key, Duration(key, value));
            }
        }
    }

    /// <summary>The text was spliced: only what it means counts, and everything else must mean what it meant.</summary>
    private static void ThrowUnlessAsked(
        SettingsDocument document, SiteSettings old, SiteSettings result, SourceDefinition definition, SourceSettingsChange change)
    {
        IEnumerable<SourceSettings> expected = old.Sources.Select(s => s.Name != definition.Name ? s : s with
        {
            Enabled = change.Enabled ?? s.Enabled,
            Uri = change.ClearUri ? null : Expected(change.Uri, definition.Uri.AbsoluteUri.EndsWith('/')) ?? s.Uri,
            MirrorUri = change.ClearMirrorUri ? null : Expected(change.MirrorUri, isFolder: true) ?? s.MirrorUri,
            UpstreamRoot = change.ClearUpstreamRoot ? null : Expected(change.UpstreamRoot, isFolder: true) ?? s.UpstreamRoot,
            Include = change.Include ?? s.Include,
            Exclude = change.Exclude ?? s.Exclude,
            MaxShrink = change.MaxShrink ?? s.MaxShrink,
            WarnAfter = change.WarnAfter ?? s.WarnAfter,
            CriticalAfter = change.CriticalAfter ?? s.CriticalAfter,
            ExpireAfter = change.ExpireAfter ?? s.ExpireAfter,
        });
        if (!expected.SequenceEqual(result.Sources) || old.KeepGenerations != result.KeepGenerations || old.BundleValidity != result.BundleValidity
            || old.Network != result.Network || old.Warnings != result.Warnings)
        {
            throw document.Invalid(1, $"the settings of '{definition.Name}' are written in a way that cannot be edited here; change them by hand");
        }

        static Uri? Expected(Uri? uri, bool isFolder) => uri is null ? null : UpstreamUri.Normalise(uri, isFolder);
    }
}
