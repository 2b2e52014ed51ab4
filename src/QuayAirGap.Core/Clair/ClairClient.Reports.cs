using System.Net;
using System.Text.RegularExpressions;

namespace QuayAirGap.Core.Clair;

public sealed partial class ClairClient
{
    /// <summary>One for all: whoever asks for a fleet's reports asks thousands of times.</summary>
    private static readonly Lazy<MirrorClient> s_shared = new(() => new MirrorClient());

    /// <summary>What the indexer found in an image (clair httptransport/indexer_v1.go).</summary>
    /// <param name="manifestDigest">"sha256:…".</param>
    /// <returns>The report as Clair has it; null where it has none of this image.</returns>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.ManifestDigestInvalid"/>, <see cref="ErrorIds.ClairUnauthorized"/>, <see cref="ErrorIds.ClairAnswer"/>,
    /// <see cref="ErrorIds.UpstreamUnreachable"/>, <see cref="ErrorIds.UpstreamStalled"/> or <see cref="ErrorIds.UpstreamTooLarge"/>
    /// </exception>
    public Task<Stream?> GetIndexReportAsync(string manifestDigest, CancellationToken cancellationToken) =>
        ReportAsync("indexer/api/v1/index_report", manifestDigest, cancellationToken);

    private async Task<Stream?> ReportAsync(string path, string manifestDigest, CancellationToken cancellationToken)
    {
        if (!Digest().IsMatch(manifestDigest))
        {
            throw new FeedException(
                ErrorIds.ManifestDigestInvalid, $"'{manifestDigest}' is no digest of a manifest.", manifestDigest,
                "Give it as Quay shows it: sha256: and 64 hexadecimal digits.");
        }

        var uri = new Uri($"{address.AbsoluteUri.TrimEnd('/')}/{path}/{manifestDigest}");
        (HttpStatusCode status, _, MemoryStream? body) =
            await s_shared.Value.GetBodyAsync(uri, psk is null ? null : "Bearer " + Token(), cancellationToken).ConfigureAwait(false);
        return status switch
        {
            HttpStatusCode.OK => body,
            HttpStatusCode.NotFound => null,
            HttpStatusCode.Unauthorized => throw Unauthorized(),
            _ => throw Unexpected(uri, $"answers with {(int)status}", null),
        };
    }

    [GeneratedRegex("\\Asha(256:[0-9a-f]{64}|512:[0-9a-f]{128})\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Digest();
}
