namespace QuayAirGap.Core.Sources.Osv;

/// <summary>What Clair takes from one advisory, as its decoder takes it (claircore: updater/osv/schema.go).</summary>
internal sealed class OsvAdvisory
{
    public string Id { get; set; } = "";

    public string Summary { get; set; } = "";

    /// <summary>UTC; null where none is given.</summary>
    public DateTime? Modified { get; set; }

    /// <summary>UTC; null where none is given.</summary>
    public DateTime? Withdrawn { get; set; }

    public List<string> Aliases { get; } = [];

    public List<string> References { get; } = [];

    public List<(string Type, string Score)> Severities { get; } = [];

    /// <summary>The severity that Clair takes from database_specific where there is no vector.</summary>
    public string DatabaseSeverity { get; set; } = "";

    public List<OsvAffected> Affected { get; } = [];
}

/// <summary>One affected package.</summary>
internal sealed class OsvAffected
{
    public string Ecosystem { get; set; } = "";

    public string Name { get; set; } = "";

    public string Purl { get; set; } = "";

    public List<OsvRange> Ranges { get; } = [];
}

/// <summary>One range of versions.</summary>
internal sealed class OsvRange
{
    public string Type { get; set; } = "";

    public List<OsvEvent> Events { get; } = [];
}

/// <summary>One event of a range. Empty: not given.</summary>
internal sealed class OsvEvent
{
    public string Introduced { get; set; } = "";

    public string Fixed { get; set; } = "";

    public string LastAffected { get; set; } = "";

    public string Limit { get; set; } = "";
}
