namespace QuayAirGap.Core.Sites;

/// <summary>
/// Splices a list of one source into the text of sources.yaml, item by item: comments between and behind the items stay, and so does the
/// form (<c>[a, b]</c> or a line for each) that somebody chose.
/// </summary>
internal static class SettingsListText
{
    /// <param name="document">A valid file.</param>
    /// <param name="source">The source's name.</param>
    /// <param name="key">The setting's name.</param>
    /// <param name="items">What the list is to hold, in any order; empty takes the setting out.</param>
    /// <returns>The new text; the same one where it says so already.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.SettingsInvalid"/>: the list is written in a way that cannot be edited here.</exception>
    public static string Set(SettingsDocument document, string source, string key, IReadOnlyList<string> items)
    {
        SettingsNode? value = Find(document, source, key)?.Value;
        if (value is not SettingsList { Items.Count: > 0 } list)
        {
            return items.Count > 0 ? SettingsText.SetWritten(document, source, key, Written(items))
                : value is null ? document.Text
                : SettingsText.Set(document, source, key, null);
        }

        if (list.IsFlow)
        {
            bool same = items.Count == list.Items.Count && items.All(i => Has(list.Items.Select(s => s.Value), i));
            return same ? document.Text
                : document.Text.AsSpan(list.Start, list.End - list.Start).Contains('#')
                    ? throw document.Invalid(list.Line, $"there are comments within the list '{key}' of '{source}'; change it by hand")
                : items.Count == 0 ? SettingsText.Set(document, source, key, null)
                : SettingsText.Splice(document.Text, list.Start, list.End, Written(items));
        }

        // First what is new, so that the list never is without a line.
        foreach (string item in items.Where(i => !Has(list.Items.Select(s => s.Value), i)))
        {
            document = Add(document, (SettingsList)Find(document, source, key)!.Value, item);
        }

        while (Find(document, source, key)!.Value is SettingsList rest && rest.Items.FirstOrDefault(s => !Has(items, s.Value)) is { } gone)
        {
            document = document.With(WithoutItem(document.Text, gone));
        }

        return items.Count > 0 ? document.Text : SettingsText.Set(document, source, key, null);
    }

    private static SettingsDocument Add(SettingsDocument document, SettingsList list, string item)
    {
        SettingsScalar last = list.Items[^1];
        int dash = document.Text.LastIndexOf('-', last.Start - 1);
        string indent = document.Text[SettingsText.LineStart(document.Text, dash)..dash];
        return document.With(SettingsText.AddLines(document.Text, last.End, [$"{indent}- {SettingsText.Quote(item, isFlow: true)}"]));
    }

    private static string WithoutItem(string text, SettingsScalar item)
    {
        int dash = text.LastIndexOf('-', item.Start - 1);
        return SettingsText.RemoveFromLine(text, dash, item.End);
    }

    private static SettingsEntry? Find(SettingsDocument document, string source, string key) =>
        ((document.Root?.Find("sources")?.Value as SettingsMapping)?.Find(source)?.Value as SettingsMapping)?.Find(key);

    private static bool Has(IEnumerable<string> items, string item) => items.Contains(item, StringComparer.OrdinalIgnoreCase);

    private static string Written(IEnumerable<string> items) => $"[{string.Join(", ", items.Select(i => SettingsText.Quote(i, isFlow: true)))}]";
}
