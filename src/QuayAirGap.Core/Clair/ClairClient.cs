using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace QuayAirGap.Core.Clair;

/// <summary>An update operation: what an updater last brought into Clair's database.</summary>
/// <param name="Ref">Clair's id of it.</param>
/// <param name="Updater">"debian/updater".</param>
/// <param name="Fingerprint">What the updater remembered of what it read.</param>
/// <param name="Date">When it was written: the last change, not the last check.</param>
/// <param name="IsEnrichment">Of the kind "enrichment" and not "vulnerability".</param>
public sealed record ClairOperation(Guid Ref, string Updater, string Fingerprint, DateTimeOffset Date, bool IsEnrichment);

/// <summary>Reads a running Clair (clair httptransport/matcher_v1.go).</summary>
/// <param name="address">Its API, as Quay has it.</param>
/// <param name="psk">auth.psk.key, base64; null for a Clair without authentication.</param>
/// <param name="issuer">One of auth.psk.iss.</param>
/// <param name="clock">Tokens are valid for a minute on either side.</param>
public sealed partial class ClairClient(Uri address, string? psk, string issuer, TimeProvider clock)
{
    private static readonly TimeSpan s_validity = TimeSpan.FromMinutes(1);

    /// <summary>The newest operation of every updater, of both kinds.</summary>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.ClairUnauthorized"/>, <see cref="ErrorIds.ClairAnswer"/>, <see cref="ErrorIds.UpstreamUnreachable"/> or <see cref="ErrorIds.UpstreamStalled"/>
    /// </exception>
    public async Task<IReadOnlyList<ClairOperation>> LatestAsync(CancellationToken cancellationToken)
    {
        using var client = new MirrorClient();
        List<ClairOperation> operations = [];
        foreach (string kind in new[] { "vulnerability", "enrichment" })
        {
            var uri = new Uri($"{address.AbsoluteUri.TrimEnd('/')}/matcher/api/v1/internal/update_operation?latest=true&kind={kind}");
            MirrorAnswer answer = await client.GetAsync(uri, psk is null ? null : "Bearer " + Token(), cancellationToken).ConfigureAwait(false);
            operations.AddRange(answer.Status switch
            {
                HttpStatusCode.OK => Read(uri, answer.Text, kind == "enrichment"),
                HttpStatusCode.Unauthorized => throw Unauthorized(),
                _ => throw Unexpected(uri, $"answers with {(int)answer.Status}", null),
            });
        }

        return operations;
    }

    private FeedException Unauthorized() => new(
        ErrorIds.ClairUnauthorized,
        psk is null ? $"{address} wants a key." : $"{address} refuses the key, or the issuer '{issuer}'.", address.AbsoluteUri,
        "Give the base64 text of auth.psk.key with -Psk, and with -Issuer one of auth.psk.iss; the clocks may differ by no more than a minute.");

    /// <summary>A compact JWT, HS256 over the decoded key, with the claims that Clair's own signer sends (clair internal/httputil/signer.go).</summary>
    private string Token()
    {
        byte[] key;
        try
        {
            key = Convert.FromBase64String(psk!);
        }
        catch (FormatException e)
        {
            throw new FeedException(
                ErrorIds.ClairUnauthorized, "The key is not base64.", address.AbsoluteUri, "Give the text of auth.psk.key as it stands in Clair's configuration.", e);
        }

        DateTimeOffset now = clock.GetUtcNow();
        byte[] claims = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
        {
            ["iss"] = issuer,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["nbf"] = (now - s_validity).ToUnixTimeSeconds(),
            ["exp"] = (now + s_validity).ToUnixTimeSeconds(),
        });
        string signed = Base64Url("""{"alg":"HS256","typ":"JWT"}"""u8) + "." + Base64Url(claims);
        return signed + "." + Base64Url(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(signed)));
    }

    private static string Base64Url(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static List<ClairOperation> Read(Uri uri, string text, bool isEnrichment)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            List<ClairOperation> operations = [];
            foreach (JsonProperty updater in json.RootElement.EnumerateObject())
            {
                // Without ?latest there would be more than one; the first is the newest either way.
                JsonElement operation = updater.Value.EnumerateArray().First();
                operations.Add(new ClairOperation(
                    operation.GetProperty("ref").GetGuid(), updater.Name, operation.GetProperty("fingerprint").GetString() ?? "",
                    operation.GetProperty("date").GetDateTimeOffset(), isEnrichment));
            }

            return operations;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw Unexpected(uri, $"does not answer with update operations: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static FeedException Unexpected(Uri uri, string what, Exception? cause) => new(
        ErrorIds.ClairAnswer, $"{uri} {what}.", uri.AbsoluteUri,
        "See that this is Clair's API (its matcher, or combo mode) and not its introspection port or something in its place.", cause);
}
