using System.Diagnostics;
using QuayAirGap.TestKit.Clair;

namespace QuayAirGap.Tests;

/// <summary>Clair's configuration as a person sets it up: over a site with the sample upstream's feeds.</summary>
public sealed class AirGapTests
{
    private const string Config = "indexer:\n  connstring: host=db password=not-a-secret\nauth: {psk: {key: \"c2hvcnQ=\", iss: [quay]}}\n";

    [Fact]
    public async Task From_a_plain_Clair_to_a_proved_one_and_back()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save(more: "").WithoutErrors();
        samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
        EngineResult mirror = samples.Engine.Run(
            "param($x, $s) Start-ClairFeedMirror -Urls http://127.0.0.1:0 -ExecutablePath $x -SitePath $s -PassThru", Built.Executable, samples.Inside).WithoutErrors();
        try
        {
            string config = samples.Folder["config.yaml"];
            string dropIn = config + ".d/50-quayairgap.yaml";
            await File.WriteAllTextAsync(config, Config, TestContext.Current.CancellationToken);
            string url = mirror["Url"]!.ToString()!;

            EngineResult bare = samples.Engine.Run("param($c, $s) Test-ClairAirGap $c -SitePath $s", config, samples.Inside).WithoutErrors();
            Assert.Contains(bare.Output, o => (string)o.Properties["Id"].Value == "NoFeedAddress");

            const string Set = "param($c, $s, $u) Set-ClairAirGap Mirror -ConfigPath $c -SitePath $s -MirrorUri $u";
            EngineResult planned = samples.Engine.Run(Set + " -WhatIf", config, samples.Inside, url).WithoutErrors();
            Assert.Equal(true, planned["Changed"]);
            Assert.Equal(false, planned["Applied"]);
            Assert.Contains("+   period: 24h", (string)planned["Diff"]!, StringComparison.Ordinal);
            Assert.False(Directory.Exists(config + ".d"));

            EngineResult set = samples.Engine.Run(Set, config, samples.Inside, url).WithoutErrors();
            Assert.Equal(true, set["Applied"]);
            Assert.Equal(Path.GetFullPath(dropIn), Path.GetFullPath((string)set["Path"]!));
            Assert.Contains(set.Warnings, w => w.StartsWith("aws is left out", StringComparison.Ordinal));
            Assert.NotEmpty((string[])set["NextSteps"]!);
            Assert.Equal(Config, await File.ReadAllTextAsync(config, TestContext.Current.CancellationToken));
            EngineResult again = samples.Engine.Run(Set, config, samples.Inside, url).WithoutErrors();
            Assert.Equal(false, again["Changed"]);

            // Another machine than the site's asks the mirror, and comes to the same.
            string before = await File.ReadAllTextAsync(dropIn, TestContext.Current.CancellationToken);
            EngineResult asked = samples.Engine.Run("param($c, $u) $env:QUAYAIRGAP_SITE = $null; Set-ClairAirGap Mirror -ConfigPath $c -MirrorUri $u", config, url).WithoutErrors();
            Assert.Equal(false, asked["Changed"]);
            Assert.Equal(before, await File.ReadAllTextAsync(dropIn, TestContext.Current.CancellationToken));

            EngineResult found = samples.Engine.Run("param($c, $s) Test-ClairAirGap $c -SitePath $s -Probe", config, samples.Inside).WithoutErrors();
            Assert.Empty(found.Output.Select(o => $"{o.Properties["Severity"].Value} {o.Properties["Id"].Value} {o.Properties["Where"].Value} {o.Properties["What"].Value}"));
            Assert.Equal(true, samples.Engine.Run("param($c, $s) Test-ClairAirGap $c -SitePath $s -Quiet", config, samples.Inside).Single.BaseObject);

            EngineResult back = samples.Engine.Run("param($c) Set-ClairAirGap Connected -ConfigPath $c", config).WithoutErrors();
            Assert.False(File.Exists(dropIn));
            Assert.Equal(before, await File.ReadAllTextAsync((string)back["Backup"]!, TestContext.Current.CancellationToken));

            await ProveAsync(samples, url);
        }
        finally
        {
            samples.Engine.Run("param($m) $m | Stop-ClairFeedMirror", mirror.Single);
        }
    }

    [Fact]
    public void A_secret_goes_through_the_pipeline_and_nothing_else_is_written()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        string clair = Convert.ToBase64String("matcher:\n  period: 1h # ours\n"u8);
        string[] lines = ["apiVersion: v1", "kind: Secret", "metadata:", "  name: b", "  namespace: quay", "data:", "  clair-config.yaml: " + clair, "type: Opaque"];
        EngineResult result = engine.Run(
            "param($l) $l | Set-ClairAirGap Offline -IndexerAirGap $false -OperatorVersion 3.18", (object)lines).WithoutErrors();
        string text = (string)result.Single.BaseObject;
        Assert.Contains("quayairgap-changes", text, StringComparison.Ordinal);
        EngineResult back = engine.Run("param($l) $l | Set-ClairAirGap Connected", (object)text.Split('\n')).WithoutErrors();
        Assert.Equal(string.Join('\n', lines), (string)back.Single.BaseObject);
        Assert.Contains(result.Warnings, w => w.StartsWith("No updater of this Clair runs", StringComparison.Ordinal));
    }

    [Fact]
    public void What_a_mode_needs_is_asked_for_by_name()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        File.WriteAllText(folder["config.yaml"], Config);
        string before = folder.Listing;
        Assert.Equal(["ClairModeIncomplete"], engine.Run("param($c) Set-ClairAirGap Offline -ConfigPath $c", folder["config.yaml"]).ErrorIds);
        Assert.Equal(["ClairModeIncomplete"], engine.Run("param($c) Set-ClairAirGap Upstream -ConfigPath $c -ProxyUri http://m:1", folder["config.yaml"]).ErrorIds);
        Assert.Equal(["ClairConfigNotFound"], engine.Run("param($c) Set-ClairAirGap Connected -ConfigPath $c", folder["none.yaml"]).ErrorIds);
        Assert.Equal(["ClairConfigNotFound"], engine.Run("param($c) Test-ClairAirGap $c", folder["none.yaml"]).ErrorIds);
        Assert.Equal(before, folder.Listing);
        EngineResult set = engine.Run(
            "param($c, $e) Set-ClairAirGap Upstream -ConfigPath $c -ProxyUri http://m:1 -NoProxy quay.example -EnvironmentPath $e", folder["config.yaml"], folder["proxy.env"])
            .WithoutErrors();
        Assert.Equal(["DropIn", "Environment"], set.Output.Select(o => (string)o.Properties["Kind"].Value));
        Assert.Equal(
            "# QuayAirGap: begin\nHTTP_PROXY=http://m:1\nHTTPS_PROXY=http://m:1\nNO_PROXY=localhost,127.0.0.1,::1,quay.example\n# QuayAirGap: end\n",
            File.ReadAllText(folder["proxy.env"]));
        engine.Run("param($c, $e) Set-ClairAirGap Connected -ConfigPath $c -EnvironmentPath $e", folder["config.yaml"], folder["proxy.env"]).WithoutErrors();
        Assert.False(File.Exists(folder["proxy.env"]));
    }

    [Fact]
    public void Findings_make_the_exit_code()
    {
        using var folder = new Folder();
        File.WriteAllText(folder["config.yaml"], Config);
        var start = new ProcessStartInfo(Built.Executable) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["-OutputFormat", "Json", "-Command", $"Test-ClairAirGap '{folder["config.yaml"]}'"])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["QUAYAIRGAP_SITE"] = "";
        using var process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(1, process.ExitCode);
        Assert.Contains("\"Id\":\"NoFeedAddress\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_generation_does_not_serve_any_more_is_said_of_a_Clair_that_still_has_it()
    {
        await using Samples samples = await Samples.StartAsync();
        const string Import = "param($b, $s) Import-ClairFeed $b -SitePath $s";
        samples.Save(more: "-Name alpine, debian").WithoutErrors();
        samples.Engine.Run(Import, samples.Bundle, samples.Inside).WithoutErrors();
        using var index = System.Text.Json.JsonDocument.Parse(
            await File.ReadAllTextAsync(Path.Combine(samples.Inside, "mirror", "generations", "1", "index.json"), TestContext.Current.CancellationToken));
        string modified = index.RootElement.GetProperty("entries").EnumerateArray()
            .Single(e => e.GetProperty("path").GetString() == "/security-tracker.debian.org/tracker/data/json").GetProperty("lastModified")
            .GetDateTimeOffset().UtcDateTime.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        await using ClairServer clair = await ClairServer.StartAsync("c2hvcnQ=", "quay");
        clair.Operations.Add(new("debian/updater", modified, DateTimeOffset.UnixEpoch));
        await File.WriteAllTextAsync(samples.Folder["psk"], "c2hvcnQ=", TestContext.Current.CancellationToken);
        EngineResult Of(string source) => samples.Engine.Run(
            "param($u, $k, $s, $n) Get-ClairUpdateOperation $u -PskPath $k -SitePath $s | Where-Object Source -eq $n", clair.Uri, samples.Folder["psk"], samples.Inside, source).WithoutErrors();
        Assert.Equal(("Current", 1), (Of("debian")["State"], Of("debian")["Generation"]));

        // From now on debian is left out outside.
        samples.Engine.Run("param($s) Set-ClairFeedSource debian -Enabled $false -SitePath $s", samples.Outside).WithoutErrors();
        samples.Save(samples.Folder["next.tar"], "-Name alpine").WithoutErrors();
        samples.Engine.Run(Import, samples.Folder["next.tar"], samples.Inside).WithoutErrors();

        EngineResult debian = Of("debian");
        Assert.Equal(("NotServed", 1, "debian/updater"), (debian["State"], debian["Generation"], debian["Updater"]));
        Assert.NotNull(debian["Date"]);
        Assert.Contains("nothing for it any more", (string)debian["Reason"]!, StringComparison.Ordinal);
        EngineResult suse = Of("suse"); // never served, and Clair has nothing
        Assert.Equal(("NotServed", null, null), (suse["State"], suse["Updater"], suse["Date"]));
        Assert.Equal("Deselected", samples.Engine.Run("param($s) Test-ClairFeedFreshness debian -SitePath $s", samples.Inside).WithoutErrors()["State"]);
    }

    private static async Task ProveAsync(Samples samples, string mirror)
    {
        await using ClairServer clair = await ClairServer.StartAsync("c2hvcnQ=", "quay");
        using var http = new HttpClient();
        using HttpResponseMessage zip = await http.GetAsync(new Uri($"{mirror}/osv-vulnerabilities.storage.googleapis.com/Go/all.zip"), TestContext.Current.CancellationToken);
        clair.Operations.Add(new("osv/go", zip.Headers.ETag!.ToString(), DateTimeOffset.UnixEpoch));
        clair.Operations.Add(new("osv/maven", "\"elsewhere\"", DateTimeOffset.UnixEpoch));
        const string Get = "param($u, $k, $s) Get-ClairUpdateOperation $u -PskPath $k -SitePath $s";
        await File.WriteAllTextAsync(samples.Folder["psk"], "c2hvcnQ=\n", TestContext.Current.CancellationToken);
        EngineResult operations = samples.Engine.Run(Get, clair.Uri, samples.Folder["psk"], samples.Inside).WithoutErrors();
        string StateOf(string updater) => (string)operations.Output.Single(o => (string?)o.Properties["Updater"].Value == updater).Properties["State"].Value;
        Assert.Equal("Current", StateOf("osv/go"));
        Assert.Equal("Unproven", StateOf("osv/maven"));
        Assert.Equal("Missing", StateOf("rhel-vex"));
        Assert.Equal("Missing", StateOf("oracle-2007-updater"));

        await File.WriteAllTextAsync(samples.Folder["psk"], "b3RoZXI=", TestContext.Current.CancellationToken);
        Assert.Equal(["ClairUnauthorized"], samples.Engine.Run(Get, clair.Uri, samples.Folder["psk"], samples.Inside).ErrorIds);
        using var password = new System.Security.SecureString();
        "c2hvcnQ=".ToList().ForEach(password.AppendChar);
        EngineResult secret = samples.Engine.Run(
            "param($u, $p, $s) Get-ClairUpdateOperation $u -Psk $p -SitePath $s | Where-Object State -eq Current", clair.Uri, password, samples.Inside).WithoutErrors();
        Assert.Equal("osv/go", secret["Updater"]);
    }
}
