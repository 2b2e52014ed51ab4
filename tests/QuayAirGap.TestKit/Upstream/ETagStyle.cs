namespace QuayAirGap.TestKit.Upstream;

/// <summary>How a host of the upstream forms its entity tags.</summary>
public enum ETagStyle
{
    /// <summary>A strong tag over the content, as object stores send: <c>"9b2c…"</c>.</summary>
    QuotedHash,

    /// <summary>
    /// A strong tag of size and time in hexadecimal, as Apache sends: <c>"1f4-65a1b2c3"</c>. Two contents of one size and time share it.
    /// </summary>
    SizeMtime,

    /// <summary>A weak tag over the content, as an application behind a compressing proxy sends: <c>W/"9b2c…"</c>.</summary>
    Weak,

    /// <summary>No tag at all.</summary>
    None,
}
