using System.Security.Cryptography;
using System.Text;

namespace QuayAirGap.Core.Pages;

/// <summary>The one style sheet and the one script that every page carries within itself, and the policy that lets these two in and nothing else.</summary>
internal static class PageAssets
{
    /// <summary>Nothing is loaded from anywhere, nothing is sent anywhere, and no other script or style runs, whatever text came into the page.</summary>
    private const string Nothing = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:";

    public static string Style { get; } = Read("page.css");

    public static string Script { get; } = Read("page.js");

    /// <summary>Shapes that tell the levels apart without colour, as symbols to be used by name.</summary>
    public static string Shapes { get; } = Read("shapes.svg");

    /// <summary>For the page's own meta element.</summary>
    public static string Policy { get; } = $"{Nothing}; style-src '{Hash(Style)}'; script-src '{Hash(Script)}'";

    /// <summary>For an answer's header, which alone can also say that no other page may frame this one.</summary>
    public static string HeaderPolicy { get; } = Policy + "; frame-ancestors 'none'";

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Read(string name)
    {
        using Stream stream = typeof(PageAssets).Assembly.GetManifestResourceStream("QuayAirGap.Core.Pages." + name)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);

        // A browser makes every line end a single line feed before it hashes, and so must whoever states the hash.
        return reader.ReadToEnd().Replace("\r\n", "\n", StringComparison.Ordinal);
    }
}
