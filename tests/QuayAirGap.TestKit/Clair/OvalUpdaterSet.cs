using System.Globalization;
using System.Net.Http.Headers;
using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.BZip2;
using ICSharpCode.SharpZipLib.GZip;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// What Clair's sets of OVAL updaters have in common: rows and fingerprints by updater, and the fetcher that Oracle, Photon and SUSE share
/// (claircore:pkg/ovalutil/fetcher.go).
/// </summary>
public abstract class OvalUpdaterSet : ClairUpdaterSet<IReadOnlyDictionary<string, IReadOnlySet<OvalRow>>>
{
    private readonly Dictionary<string, (string ETag, string Date)> _fingerprints = new(StringComparer.Ordinal);
    private Dictionary<string, IReadOnlySet<OvalRow>> _held = new(StringComparer.Ordinal);

    private protected OvalUpdaterSet(ClairHttp http) => Http = http;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, IReadOnlySet<OvalRow>> Held => _held;

    /// <summary>The entity tag that an updater's fingerprint holds; empty before its first success.</summary>
    public string ETagOf(string updater) => Fingerprint(updater).ETag;

    private protected ClairHttp Http { get; }

    /// <inheritdoc/>
    public override void Restart()
    {
    }

    private protected (string ETag, string Date) Fingerprint(string updater) => _fingerprints.GetValueOrDefault(updater, (string.Empty, string.Empty));

    private protected void Store(string updater, IReadOnlySet<OvalRow> rows, (string ETag, string Date) fingerprint)
    {
        _held = new(_held, StringComparer.Ordinal) { [updater] = rows };
        _fingerprints[updater] = fingerprint;
    }

    /// <summary>One run of an updater that has ovalutil's fetcher.</summary>
    /// <param name="updater">Its name.</param>
    /// <param name="url">Where it fetches.</param>
    /// <param name="compression"><c>gz</c>, <c>bzip2</c>, <c>none</c>, or null to guess.</param>
    /// <param name="parse">Makes rows of the unpacked document.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    private protected async Task<ClairOutcome> FetchAsync(
        string updater, Uri url, string? compression, Func<OvalDocument, IEnumerable<OvalRow>> parse, CancellationToken cancellationToken)
    {
        var before = Fingerprint(updater);
        using var response = await Http.SendAsync(
            HttpMethod.Get,
            url,
            cancellationToken,
            ("User-Agent", "claircore/pkg/ovalutil.Fetcher"),
            ("If-None-Match", before.ETag),
            ("If-Modified-Since", before.Date));
        var etag = ClairHttp.Header(response, "ETag");
        switch ((int)response.StatusCode)
        {
            case 304:
            case 200 when before.ETag.Length > 0 && before.ETag == etag:
                return ClairOutcome.Unchanged;
            case 200:
                break;
            default:
                throw ClairException.Failed(string.Create(
                    CultureInfo.InvariantCulture, $"ovalutil: fetcher got unexpected HTTP response: {(int)response.StatusCode}"));
        }

        var packed = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        var document = OvalDocument.Parse(Unpack(packed, compression ?? Guess(response)));
        Store(updater, new HashSet<OvalRow>(parse(document)), (etag.Length > 0 ? etag : before.ETag, ClairHttp.Header(response, "Last-Modified")));
        return ClairOutcome.Updated;
    }

    private protected static byte[] Unpack(byte[] packed, string compression)
    {
        try
        {
            using var source = new MemoryStream(packed);
            using var unpacked = new MemoryStream();
            switch (compression)
            {
                case "gz":
                    using (var gzip = new GZipInputStream(source))
                    {
                        gzip.CopyTo(unpacked);
                    }

                    break;
                case "bzip2" when !packed.AsSpan().StartsWith("BZh"u8):
                    throw ClairException.Failed("bzip2 data invalid: bad magic value");
                case "bzip2":
                    using (var bzip2 = new BZip2InputStream(source))
                    {
                        bzip2.CopyTo(unpacked);
                    }

                    break;
                default:
                    return packed;
            }

            return unpacked.ToArray();
        }
        catch (Exception error) when (error is SharpZipBaseException or EndOfStreamException or IndexOutOfRangeException)
        {
            throw ClairException.Failed("unexpected EOF or invalid data: " + error.Message, error);
        }
    }

    private static string Guess(HttpResponseMessage response)
    {
        var type = ClairHttp.Header(response, "Content-Type");
        var kind = MediaTypeHeaderValue.TryParse(type, out var parsed) && parsed.MediaType is { } media
            ? media.ToLowerInvariant()
            : Path.GetExtension(response.RequestMessage!.RequestUri!.AbsolutePath) switch
            {
                ".gz" => "application/gzip",
                ".bz2" => "application/x-bzip2",
                _ => string.Empty,
            };
        return kind switch
        {
            "application/x-bzip2" => "bzip2",
            "application/gzip" or "application/x-gzip" => "gz",
            "application/zstd" => throw new NotSupportedException("No upstream of the four packs with zstd."),
            _ => "none",
        };
    }
}
