using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Clair;

/// <summary>
/// The Clair that reads this site's mirror, from sources.yaml below "clair:". Where it is named, feeds count as fresh only as far as that
/// Clair is proved to have them. No secret stands in it.
/// </summary>
public sealed record ClairSettings
{
    /// <summary>Its API, as Quay has it.</summary>
    public required Uri Url { get; init; }

    /// <summary>A file with auth.psk.key, base64, in its first line.</summary>
    public string? PskFile { get; init; }

    /// <summary>The name of an environment variable with that key.</summary>
    public string? PskVariable { get; init; }

    /// <summary>One of auth.psk.iss.</summary>
    public string Issuer { get; init; } = "quay";

    /// <summary>
    /// How long Clair may take to have what was published: its period and the time that a run of its updaters takes. The default suits the
    /// period of 24 hours that Set-ClairAirGap sets.
    /// </summary>
    public TimeSpan PickUpWithin { get; init; } = TimeSpan.FromHours(36);

    /// <summary>Whether an address is that of this Clair.</summary>
    public bool IsAt(Uri address) => UpstreamUri.Normalise(address, isFolder: true) == Url;

    /// <exception cref="FeedException"><see cref="ErrorIds.ClairUnauthorized"/>: there is no key where one is named.</exception>
    internal string? ReadPsk()
    {
        if (PskFile is { } file)
        {
            try
            {
                string line = File.ReadLines(file).FirstOrDefault("").Trim();
                return line.Length > 0 ? line : throw NoKey($"the first line of '{file}' is empty", null);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw NoKey($"'{file}' cannot be read: {e.Message.TrimEnd('.')}", e);
            }
        }

        return PskVariable is not { } variable ? null
            : Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value.Trim()
            : throw NoKey($"the environment variable '{variable}' is not set", null);
    }

    private FeedException NoKey(string why, Exception? cause) => new(
        ErrorIds.ClairUnauthorized, $"The key for {Url} is not at hand: {why}.", Url.AbsoluteUri,
        "Put the text of auth.psk.key of Clair's configuration where 'clair:' in sources.yaml says.", cause);
}
