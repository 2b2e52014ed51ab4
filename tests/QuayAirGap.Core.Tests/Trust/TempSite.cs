using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Tests.Trust;

/// <summary>A new site in a folder of its own, gone with the test.</summary>
internal sealed class TempSite : IDisposable
{
    public TempSite()
    {
        Root = Path.Combine(Path.GetTempPath(), "qag-" + Guid.NewGuid().ToString("N"));
        Site = Site.OpenOrCreate(Path.Combine(Root, "site"));
    }

    public string Root { get; }

    public Site Site { get; }

    public string PathOf(string name) => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
