using System.Net;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Bundles.Registry;

/// <summary>What a registry did instead of what it was asked.</summary>
internal static class RegistryErrors
{
    public static FeedException Unreachable(string host, string why, Exception? cause) => new(
        ErrorIds.RegistryUnreachable, SnapshotRules.Printable($"The registry '{host}' cannot be reached: {why}"), host,
        "Check its name, port and certificate; -CaCertificate names the authority of a registry with a certificate of your own, -PlainHttp one without TLS.", cause);

    public static FeedException Status(RegistryReference reference, HttpStatusCode status, string what) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new FeedException(
            ErrorIds.RegistryDenied, $"The registry '{reference.Host}' does not let this account {what} ({(int)status}).", reference.ToString(),
            "Give an account with the right to do it, with -Credential or in an auth file ('podman login' writes one)."),
        HttpStatusCode.NotFound => new FeedException(
            ErrorIds.RegistryNotFound, $"'{reference}' is not there.", reference.ToString(), "Check repository and tag; Quay shows an empty repository in the same way to those without access."),
        _ => new FeedException(
            ErrorIds.RegistryStatus, $"The registry '{reference.Host}' answered {(int)status} when asked to {what}.", reference.ToString(),
            "Look into the registry's log; run the command again where it was overloaded or out of space."),
    };

    public static FeedException Content(RegistryReference reference, string what) => new(
        ErrorIds.RegistryContent, SnapshotRules.Printable($"'{reference}' is not a bundle, or not what it says: {what}."), reference.ToString(),
        "Check that it is the right repository and tag; have the bundle published again.");
}
