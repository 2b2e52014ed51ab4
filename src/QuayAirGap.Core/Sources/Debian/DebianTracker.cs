using System.Text.Json;
using QuayAirGap.Core.Sources.Json;

namespace QuayAirGap.Core.Sources.Debian;

/// <summary>What the security tracker's document holds, read to its end without keeping it.</summary>
/// <param name="Census">Pairs of a source package and a CVE.</param>
/// <param name="Codenames">Every release that occurs in it.</param>
internal sealed record DebianTracker(AdvisoryCensus Census, IReadOnlySet<string> Codenames)
{
    private const int MostCodenames = 1000;

    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamContent"/>: not the tracker's format to its end, or without an advisory.</exception>
    public static async Task<DebianTracker> ReadAsync(Stream content, string url, CancellationToken cancellationToken)
    {
        var census = new AdvisoryCensus();
        string package = "";
        var codenames = new HashSet<string>(StringComparer.Ordinal);
        JsonShape release = JsonShape.Record(
            null, ("status", JsonShape.Text), ("fixed_version", JsonShape.Text), ("urgency", JsonShape.Text));
        JsonShape advisory = JsonShape.Record(
            null, ("description", JsonShape.Text),
            ("releases", JsonShape.MapOf(release, onKey: name =>
            {
                if (codenames.Add(name) && codenames.Count > MostCodenames)
                {
                    throw new JsonException($"it names more than {MostCodenames} releases.");
                }
            })));
        JsonShape document = JsonShape.MapOf(
            JsonShape.MapOf(advisory, onKey: cve => census.Add($"{package} {cve}")), onKey: name => package = name);
        await JsonShapeReader.ReadAsync(content, document, url, cancellationToken).ConfigureAwait(false);
        return census.Count > 0 ? new DebianTracker(census, codenames) : throw new FeedException(
            ErrorIds.UpstreamContent, $"'{url}' has no advisory at all.", url, "Nothing of this source was taken. Look what answers at this address.");
    }
}
