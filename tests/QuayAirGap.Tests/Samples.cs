using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;

namespace QuayAirGap.Tests;

/// <summary>Both sides of a gap as a person sets them up: with the cmdlets, over the sample upstream.</summary>
internal sealed class Samples : IAsyncDisposable
{
    public Folder Folder { get; } = new();

    public Engine Engine { get; } = new();

    public required UpstreamServer Upstream { get; init; }

    public string Outside => Folder["outside"];

    public string Inside => Folder["inside"];

    public string Signer => Folder["collector.pfx"];

    public string Bundle => Folder["bundle.tar"];

    public static async Task<Samples> StartAsync()
    {
        var samples = new Samples { Upstream = await SampleUpstream.StartAsync() };
        samples.Engine.Run("param($p) New-ClairFeedSigner -Path $p -Subject 'CN=Collector'", samples.Signer).WithoutErrors();
        samples.Engine.Run("param($p, $s) Add-ClairFeedTrust -Path $p -SitePath $s", samples.Folder["collector.cer"], samples.Inside).WithoutErrors();
        return samples;
    }

    /// <summary>Saves a bundle of the sample's mappings and Alpine, or of what is named.</summary>
    public EngineResult Save(string? path = null, string more = "-Name alpine, repository-to-cpe") => Engine.Run(
        $"param($d, $k, $u, $s) Save-ClairFeed -Destination $d -Signer $k -UpstreamRoot $u -SitePath $s -PassThru {more}",
        path ?? Bundle, Signer, Upstream.Root, Outside);

    public async ValueTask DisposeAsync()
    {
        Engine.Dispose();
        await Upstream.DisposeAsync();
        Folder.Dispose();
    }
}
