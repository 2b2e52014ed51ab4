namespace QuayAirGap.TestKit.Upstream;

/// <summary>Whose directory listing a host of the upstream imitates.</summary>
public enum ListingStyle
{
    /// <summary>Sort links, a parent link with an absolute path, icons, relative <c>&lt;a href="name/"&gt;</c>.</summary>
    Apache,

    /// <summary>A <c>../</c> link and relative <c>&lt;a href="name/"&gt;</c> in preformatted text.</summary>
    Nginx,

    /// <summary>Upper-case <c>&lt;A HREF="/path/name/"&gt;</c> with absolute paths.</summary>
    Iis,

    /// <summary>A table with relative <c>&lt;a href="name/"&gt;name&lt;/a&gt;/</c>.</summary>
    Lighttpd,

    /// <summary>Listings are forbidden: 403, as nginx answers without autoindex.</summary>
    Forbidden,
}
