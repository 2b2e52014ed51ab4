using System.Globalization;
using System.Text;

namespace QuayAirGap.Core.Sources.Debian;

/// <summary>A release's Release file as Clair reads it: the header fields within its first 513 bytes (claircore debian/updater.go).</summary>
internal static class DebianRelease
{
    private const int Window = 513;

    /// <returns>The major version, or null where Clair takes the release for one without a version (testing).</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamContent"/>: Clair could not read it, and would drop the release silently.</exception>
    public static async Task<int?> ReadMajorAsync(Stream content, string url, CancellationToken cancellationToken)
    {
        byte[] window = new byte[Window];
        int length = await content.ReadAtLeastAsync(window, Window, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        string[] lines = Encoding.Latin1.GetString(window, 0, length).Split('\n');
        string? version = null;
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].TrimEnd('\r');
            if (line.Length == 0)
            {
                break;
            }

            if (line[0] is ' ' or '\t' && i > 0)
            {
                continue;
            }

            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line.AsSpan(0, colon).ContainsAny(' ', '\t'))
            {
                // Cut off by the window, in a release that Clair skips anyway.
                if (i == lines.Length - 1 && i > 0 && version is null)
                {
                    break;
                }

                throw new FeedException(
                    ErrorIds.UpstreamContent, $"'{url}' is not a Release file that Clair can read: line {i + 1} of its beginning is no header field.", url,
                    "Nothing of this source was taken. Look at the file; a page with status 200 in its place is the usual cause.");
            }

            if (version is null && line.AsSpan(0, colon).Equals("Version", StringComparison.OrdinalIgnoreCase))
            {
                version = line[(colon + 1)..].Trim();
            }
        }

        return version?.Split('.') is [var major, _, ..] && int.TryParse(major, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
            ? number
            : null;
    }
}
