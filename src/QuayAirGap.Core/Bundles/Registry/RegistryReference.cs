using System.Net;
using System.Text.RegularExpressions;

namespace QuayAirGap.Core.Bundles.Registry;

/// <summary>Where a bundle is in a registry: HOST[:PORT]/REPOSITORY[:TAG|@sha256:DIGEST] (distribution-spec 1.1, "Pulling manifests").</summary>
/// <param name="Host">With its port, where it has one.</param>
/// <param name="Repository">Without a slash at either end.</param>
/// <param name="Tag">Null where none is given.</param>
/// <param name="Digest">"sha256:…", or null.</param>
public sealed partial record RegistryReference(string Host, string Repository, string? Tag, string? Digest)
{
    /// <summary>What a manifest is asked for by.</summary>
    public string Version => Digest ?? Tag ?? "latest";

    /// <summary>Whether the registry is on this machine, where plain HTTP tells nobody anything.</summary>
    public bool IsLoopback => HostName == "localhost" || (IPAddress.TryParse(HostName, out IPAddress? address) && IPAddress.IsLoopback(address));

    private string HostName => Host.LastIndexOf(':') is var colon && colon > Host.LastIndexOf(']') ? Host[..colon] : Host;

    /// <exception cref="FeedException"><see cref="ErrorIds.RegistryReference"/></exception>
    public static RegistryReference Parse(string text)
    {
        Match match = Pattern().Match(text);
        return match.Success
            ? new RegistryReference(match.Groups["host"].Value, match.Groups["repository"].Value, Value(match, "tag"), Value(match, "digest"))
            : throw new FeedException(
                ErrorIds.RegistryReference, $"'{text}' does not name a place in a registry.", text,
                "Give it as registry.example:5000/team/clair-feeds, with a :tag or an @sha256: digest where one is meant, and without https://.");
    }

    public override string ToString() => $"{Host}/{Repository}{(Tag is null ? "" : ":" + Tag)}{(Digest is null ? "" : "@" + Digest)}";

    private static string? Value(Match match, string group) => match.Groups[group] is { Success: true } found ? found.Value : null;

    // distribution-spec 1.1: names of repositories, and tags.
    [GeneratedRegex(
        @"\A(?<host>(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?)/"
        + @"(?<repository>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
        + @"(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Pattern();
}
