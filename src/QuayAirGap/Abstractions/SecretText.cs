using System.Net;
using System.Security;
using QuayAirGap.Core;

namespace QuayAirGap.Commands;

/// <summary>Takes a secret out of its SecureString at the last moment.</summary>
internal static class SecretText
{
    /// <returns>The file's first line; null where no file is named.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.SignerPassword"/></exception>
    public static string? OfFile(string? path)
    {
        if (path is null)
        {
            return null;
        }

        try
        {
            return File.ReadLines(path).FirstOrDefault("").TrimEnd('\r');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.SignerPassword, $"The file with the signer's password, '{path}', cannot be read: {e.Message}", path,
                "Name a file that this account can read.", e);
        }
    }

    public static string? Of(SecureString? secret) => secret is null ? null : new NetworkCredential("", secret).Password;
}
