using System.Net;
using System.Security;

namespace QuayAirGap.Commands;

/// <summary>Takes a secret out of its SecureString at the last moment.</summary>
internal static class SecretText
{
    public static string? Of(SecureString? secret) => secret is null ? null : new NetworkCredential("", secret).Password;
}
