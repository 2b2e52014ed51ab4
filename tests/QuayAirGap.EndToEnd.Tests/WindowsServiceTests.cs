using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>The scripts for Windows say everything that they would do, and refuse what could not run. Nothing is done: this is no Windows.</summary>
public sealed class WindowsServiceTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    private readonly string _folder = Directory.CreateTempSubdirectory("quayairgap-service ").FullName;

    public WindowsServiceTests()
    {
        File.WriteAllText(Program, "");
        Directory.CreateDirectory(Site);
        File.WriteAllText(Path.Combine(Site, "sources.yaml"), "");
    }

    private string Program => Path.Combine(_folder, "quayairgap.exe");

    private string Site => Path.Combine(_folder, "site");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_would_be_installed_is_shown()
    {
        (int exit, string output) = await RunAsync(
            "Install", "-Executable", Program, "-Site", Site, "-Urls", "http://*:8081", "-Argument", "--scan-gateway-contact", "-WhatIf");

        Assert.True(exit == 0, output);
        Assert.Contains($"\"{Program}\" serve --site \"{Site}\" --urls http://*:8081 --scan-gateway-contact", output);
        Assert.Contains(@"NT SERVICE\QuayAirGap, without privileges", output);
        Assert.Contains($"NT SERVICE\\QuayAirGap read it\" on target \"{Site}\"", output);
        Assert.Contains("TCP 8081", output);
    }

    [Fact]
    public async Task What_would_be_removed_is_shown_and_the_site_is_not_in_it()
    {
        (int exit, string output) = await RunAsync("Uninstall", "-Executable", Program, "-Site", Site, "-Name", "Feeds", "-WhatIf");

        Assert.True(exit == 0, output);
        Assert.Contains("\"Remove the service\" on target \"Feeds\"", output);
        Assert.Contains($"NT SERVICE\\Feeds read it no more\" on target \"{Site}\"", output);
        Assert.True(Directory.Exists(Site));
    }

    [Theory]
    [InlineData("-Site", "/nowhere", "is no site")]
    [InlineData("-Executable", "/nowhere/quayairgap.exe", "There is no")]
    [InlineData("-Urls", "http://*", "no port to open")]
    [InlineData("-Name", "a b", "Name")]
    public async Task What_could_not_run_is_refused(string parameter, string value, string expected)
    {
        var arguments = new Dictionary<string, string> { ["-Executable"] = Program, ["-Site"] = Site };
        arguments[parameter] = value;

        (int exit, string output) = await RunAsync("Install", [.. arguments.SelectMany(a => new[] { a.Key, a.Value }), "-WhatIf"]);

        Assert.Equal(2, exit);
        Assert.Contains(expected, output);
    }

    private static Task<(int ExitCode, string Output)> RunAsync(string verb, params string[] arguments) => Executable.RunAsync(
        s_limit, ["-File", Path.Combine(Repository.Root, "packaging", "windows", $"{verb}-QuayAirGapService.ps1"), .. arguments]);
}
