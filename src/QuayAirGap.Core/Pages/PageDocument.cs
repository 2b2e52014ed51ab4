using System.Text;

namespace QuayAirGap.Core.Pages;

/// <summary>A page that stands alone: one HTML file that loads nothing from anywhere.</summary>
/// <param name="Html">The whole of it.</param>
public sealed record PageDocument(string Html)
{
    /// <summary>In every page of this program, so that a command knows its own file again before it replaces it.</summary>
    internal const string Generator = "<meta name=\"generator\" content=\"QuayAirGap ";

    /// <summary>The Content-Security-Policy to serve it with.</summary>
    public static string ContentSecurityPolicy => PageAssets.HeaderPolicy;

    public byte[] ToUtf8() => Encoding.UTF8.GetBytes(Html);
}
