namespace QuayAirGap.Core.Snapshots;

/// <summary>How a content is made from one that the base has.</summary>
public enum RecipeMethod
{
    /// <summary>A zstd frame that refers back into the base's content.</summary>
    Patch,

    /// <summary>The same between two zip files that are laid out field by field.</summary>
    Zip,

    /// <summary>The same between what two gzip files hold, packed again.</summary>
    Gzip,

    /// <summary>The same between what two bzip2 files hold, packed again.</summary>
    Bzip2,
}

/// <summary>One content of a delta that travels as its difference from another. Everything that bounds the work is here, and so signed.</summary>
public sealed record DeltaRecipe
{
    /// <summary>What is made: the content of one of the source's files.</summary>
    public required string Sha256 { get; init; }

    public required RecipeMethod Method { get; init; }

    /// <summary>SHA-256 of the content that it is made from: one that the base snapshot lists.</summary>
    public required string Base { get; init; }

    /// <summary>Bytes of that content.</summary>
    public required long BaseSize { get; init; }

    /// <summary>Bytes of that content laid out; null where the method is a bare patch.</summary>
    public long? BaseUnpacked { get; init; }

    /// <summary>Bytes of the new content laid out; null where the method is a bare patch.</summary>
    public long? Unpacked { get; init; }

    /// <summary>SHA-256 of the patch in the source's layer.</summary>
    public required string Patch { get; init; }

    /// <summary>Bytes of the patch.</summary>
    public required long PatchSize { get; init; }
}

/// <summary>What of a source's content a delta carries; all the rest of it the base has.</summary>
public sealed record SourceDelta
{
    /// <summary>Contents that travel whole, in the order in which the source's files first name them.</summary>
    public IReadOnlyList<string> Whole { get; init; } = [];

    /// <summary>Contents that travel as a difference, in the same order.</summary>
    public IReadOnlyList<DeltaRecipe> Recipes { get; init; } = [];
}
