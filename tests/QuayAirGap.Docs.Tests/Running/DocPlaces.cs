using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace QuayAirGap.Docs.Tests.Running;

/// <summary>Where a document's places are in a test: its absolute paths in a folder, its addresses on free ports of this machine.</summary>
/// <param name="root">The folder that stands for the root of the file system.</param>
/// <param name="registry">Host and port of a registry with a namespace, with a slash at the end; null for none.</param>
internal sealed partial class DocPlaces(string root, string? registry)
{
    public const string RegistryName = "registry.example/";
    public const string MirrorName = "mirror.example:8080";

    private readonly Dictionary<string, string> _addresses = new(
        new[] { MirrorName, "127.0.0.1:8080", "0.0.0.0:8080", "127.0.0.1:3128" }.Select(a => KeyValuePair.Create(a, $"127.0.0.1:{FreePort()}"))
            .Concat(registry is null ? [] : [KeyValuePair.Create(RegistryName, registry)]),
        StringComparer.Ordinal);

    public string Root => root;

    /// <summary>Where what documents call the mirror must be.</summary>
    public string Mirror => _addresses[MirrorName];

    public string Localize(string text)
    {
        text = RootedPath().Replace(text, m => root + m.Value);
        text = Drive().Replace(text, m => $"{root}/media/{(m.Value[0] == 'E' ? "usb" : "disc")}/{m.Groups["rest"].Value.Replace('\\', '/')}");
        return _addresses.Aggregate(text, (t, a) => t.Replace(a.Key, a.Value, StringComparison.Ordinal));
    }

    public string Generalize(string text) =>
        _addresses.Aggregate(text.Replace(root, "", StringComparison.Ordinal), (t, a) => t.Replace(a.Value, a.Key, StringComparison.Ordinal));

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Absolute paths of the folders that the documents use; not the path of an address.</summary>
    [GeneratedRegex(@"(?<![\w./:$}*-])/(var|srv|media|etc)(?=[/\s'""]|$)")]
    private static partial Regex RootedPath();

    /// <summary>What Windows calls a stick (E:) and a disc (D:).</summary>
    [GeneratedRegex(@"\b[DE]:\\(?<rest>[\w.*\\-]*)")]
    private static partial Regex Drive();
}
