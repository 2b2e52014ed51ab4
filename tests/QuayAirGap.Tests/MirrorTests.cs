using System.Diagnostics;
using QuayAirGap.TestKit.Samples;

namespace QuayAirGap.Tests;

/// <summary>The mirror as a child process.</summary>
public sealed class MirrorTests
{
    private const string Start = "param($x, $f) Start-ClairFeedMirror -Folder $f -Urls http://127.0.0.1:0 -ExecutablePath $x -PassThru";

    [Fact]
    public async Task It_serves_until_it_is_stopped()
    {
        using var engine = new Engine();
        EngineResult started = engine.Run(Start, Built.Executable, SampleUpstream.Folder(1)).WithoutErrors();
        int id = (int)started["ProcessId"]!;
        using var http = new HttpClient();
        string url = started["Url"] + "/security.access.redhat.com/data/metrics/repository-to-cpe.json";
        Assert.Equal(
            await File.ReadAllBytesAsync(Path.Combine(SampleUpstream.Folder(1), "security.access.redhat.com/data/metrics/repository-to-cpe.json"), TestContext.Current.CancellationToken),
            await http.GetByteArrayAsync(new Uri(url), TestContext.Current.CancellationToken));
        Assert.Equal(true, started["IsRunning"]);

        engine.Run("param($m) $m | Stop-ClairFeedMirror; $m | Stop-ClairFeedMirror", started.Single).WithoutErrors();
        Assert.Equal(false, started["IsRunning"]);
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(id));
    }

    [Fact]
    public void One_that_does_not_start_says_why()
    {
        using var engine = new Engine();
        EngineResult result = engine.Run(Start, Built.Executable, Path.Combine(SampleUpstream.Folder(1), "not there"));
        Assert.Equal(["MirrorNotStarted"], result.ErrorIds);
        Assert.Contains("It said: ", result.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.Contains("exit code 2", result.Errors[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_executable_that_is_not_there_is_said_to_be_missing()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        EngineResult result = engine.Run(Start, folder["none"], folder.Root);
        Assert.Equal(["MirrorNotStarted"], result.ErrorIds);
        Assert.Contains("QUAYAIRGAP_EXECUTABLE", result.Errors[0].ErrorDetails.RecommendedAction, StringComparison.Ordinal);
    }
}
