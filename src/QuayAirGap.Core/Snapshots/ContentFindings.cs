namespace QuayAirGap.Core.Snapshots;

/// <summary>
/// What the collector found in one content when it read it to its end. It is signed with the content, so a site that goes by the same rules
/// takes its word and does not read the content again; a site that goes by others reads it.
/// </summary>
public sealed record ContentFindings
{
    /// <summary>The most that a reader takes. Of a content with more, the collector says nothing, and each site reads it.</summary>
    public const int MaxHeldBack = 1000;

    /// <summary>The content: one of the source's files has it.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Which rules were held against it, and their version: "osv.hazards/1".</summary>
    public required string Rules { get; init; }

    /// <summary>What of it must not reach Clair, or does not; empty where nothing is in the way.</summary>
    public IReadOnlyList<HeldBackFinding> HeldBack { get; init; } = [];

    /// <summary>The findings as a snapshot can hold them, or null where they are too many, or of names that no snapshot can hold.</summary>
    internal static ContentFindings? Make(string sha256, string rules, IReadOnlyList<HeldBackFinding> heldBack) =>
        heldBack.Count <= MaxHeldBack && heldBack.All(h => IsPlain(h.Item) && IsPlain(h.Reason))
            ? new ContentFindings { Sha256 = sha256, Rules = rules, HeldBack = heldBack }
            : null;

    /// <summary>What the collector of a source found in a content by these rules, or null: then the content must be read.</summary>
    internal static ContentFindings? Find(SourceSnapshot source, string sha256, string rules) =>
        source.Findings?.FirstOrDefault(f => f.Sha256 == sha256 && f.Rules == rules);

    internal static bool IsPlain(string? text) => text is { Length: > 0 and <= 512 } && !text.Any(char.IsControl);
}

/// <summary>One item that is held back.</summary>
/// <param name="Item">What, for people: an advisory's id, a member's name, a release.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="Member">Of an archive: its position in the archive's directory, from 0.</param>
public sealed record HeldBackFinding(string Item, string Reason, int? Member = null);
