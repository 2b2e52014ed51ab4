namespace QuayAirGap.Core.Sites;

/// <summary>A piece of sources.yaml and where it stands in the text.</summary>
/// <param name="Start">The index of its first character.</param>
/// <param name="End">The index after its last character; a block's is that of its last entry.</param>
/// <param name="Line">From 1.</param>
internal abstract record SettingsNode(int Start, int End, int Line);

internal sealed record SettingsScalar(string Value, bool IsPlain, int Start, int End, int Line) : SettingsNode(Start, End, Line)
{
    /// <summary>Nothing was written, or one of YAML's words for it.</summary>
    public bool IsNull => IsPlain && Value is ("" or "~" or "null" or "Null" or "NULL");
}

internal sealed record SettingsMapping(bool IsFlow, IReadOnlyList<SettingsEntry> Entries, int Start, int End, int Line) : SettingsNode(Start, End, Line)
{
    public SettingsEntry? Find(string key) => Entries.FirstOrDefault(e => e.Key.Value == key);
}

internal sealed record SettingsList(bool IsFlow, IReadOnlyList<SettingsScalar> Items, int Start, int End, int Line) : SettingsNode(Start, End, Line);

internal sealed record SettingsEntry(SettingsScalar Key, SettingsNode Value);
