using QuayAirGap.TestKit.Clair;

namespace QuayAirGap.Tests;

/// <summary>The cmdlets that write pages and reports, in the real engine.</summary>
public sealed class PageTests
{
    [Fact]
    public void The_status_page_is_written_as_one_file_and_replaces_only_its_own()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        string site = folder["site"];
        string page = folder["status.html"];
        engine.Run("param($s) Set-ClairFeedSource alpine -Enabled $true -SitePath $s", site).WithoutErrors();
        engine.Run("param($s, $p) Export-ClairFeedStatus $p -SitePath $s -WhatIf", site, page).WithoutErrors();
        Assert.False(File.Exists(page));

        Assert.Empty(engine.Run("param($s, $p) Export-ClairFeedStatus $p -SitePath $s", site, page).WithoutErrors().Output);
        Assert.Contains("Critical: feeds are missing or too old", File.ReadAllText(page), StringComparison.Ordinal);
        Assert.Equal(page, ((FileInfo)engine.Run("param($s, $p) Export-ClairFeedStatus $p -SitePath $s -PassThru", site, page).WithoutErrors().Single.BaseObject).FullName);

        File.WriteAllText(page, "mine");
        Assert.Equal(["DestinationInvalid"], engine.Run("param($s, $p) Export-ClairFeedStatus $p -SitePath $s", site, page).ErrorIds);
        Assert.Equal("mine", File.ReadAllText(page));
        engine.Run("param($s, $p) Export-ClairFeedStatus $p -SitePath $s -Force", site, page).WithoutErrors();
        Assert.Equal(["SiteNotFound"], engine.Run("param($s, $p) Export-ClairFeedStatus $p -SitePath $s", folder["nowhere"], page).ErrorIds);
    }

    [Theory]
    [InlineData("Html", "<h1 id=\"level\"><span class=\"headline\">Incomplete")]
    [InlineData("Json", "\"verdict\": \"Incomplete\"")]
    [InlineData("Csv", "Incomplete,")]
    [InlineData("Sarif", "\"executionSuccessful\": false")]
    public void A_scan_report_has_its_verdict_in_every_form(string format, string verdict)
    {
        using var engine = new Engine();
        using var folder = new Folder();
        string site = folder["site"];
        string output = folder["report.out"];
        engine.Run("param($s) Set-ClairFeedSource debian -Enabled $true -SitePath $s", site).WithoutErrors();
        EngineResult run = engine.Run(
            "param($s, $i, $o, $f) Export-ClairScanReport -Path $i -Destination $o -Format $f -SitePath $s -PassThru", site, Report, output, format);
        run.WithoutErrors();
        Assert.Contains(verdict, File.ReadAllText(output), StringComparison.Ordinal);
        Assert.Contains("CVE-2023-45853", File.ReadAllText(output), StringComparison.Ordinal);
    }

    [Fact]
    public void Reports_are_kept_in_the_site_and_one_that_cannot_be_read_is_not_left_out()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        string site = folder["site"];
        string output = folder["fleet.json"];
        engine.Run("param($s) Set-ClairFeedSource debian -Enabled $true -SitePath $s", site).WithoutErrors();
        Assert.Equal(["ScanReportNowhere"], engine.Run("param($s, $i) Export-ClairScanReport -Path $i -SitePath $s", site, Report).ErrorIds);
        Assert.Empty(engine.Run("param($s, $i) Export-ClairScanReport -Path $i -Publish -SitePath $s -WhatIf", site, Report).WithoutErrors().Output);
        Assert.False(Directory.Exists(Path.Combine(site, "reports")));

        // The index report of the same image is no report without findings.
        string index = Report.Replace(".vulnerabilities", "", StringComparison.Ordinal);
        EngineResult two = engine.Run("param($s, $a, $b, $o) Export-ClairScanReport -Path $a, $b -Publish -Prune -Destination $o -Format Json -SitePath $s", site, Report, index, output);
        Assert.Equal(["ScanReportInvalid"], two.ErrorIds);
        Assert.Single(two.Warnings);
        Assert.Contains("REPORT-UNREADABLE", File.ReadAllText(output), StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Path.Combine(site, "reports")));

        Assert.Equal(["IndexReportNotFound"], engine.Run("param($s, $o) Export-ClairScanReport -Path nowhere*.json -Destination $o -Force -SitePath $s", site, output).ErrorIds.Take(1));
    }

    [Fact]
    public async Task A_running_Clair_is_asked_by_digest_and_what_it_does_not_know_is_not_clean()
    {
        await using ClairServer clair = await ClairServer.StartAsync("c2hvcnQ=", "quay");
        const string Debian = "sha256:1422d205854c67509b426996501a7cd4a00c45525bf4df52c70eb42ede67d8f8";
        string none = "sha256:" + new string('0', 64);
        clair.VulnerabilityReports[Debian] = await File.ReadAllTextAsync(Report, TestContext.Current.CancellationToken);
        using var engine = new Engine();
        using var folder = new Folder();
        await File.WriteAllTextAsync(folder["psk"], "c2hvcnQ=", TestContext.Current.CancellationToken);
        string output = folder["fleet.json"];
        engine.Run("param($s) Set-ClairFeedSource debian -Enabled $true -SitePath $s", folder["site"]).WithoutErrors();
        const string Export = "param($d, $u, $k, $o, $s) Export-ClairScanReport -ManifestDigest $d -ClairUri $u -PskPath $k -Destination $o -Format Json -Publish -SitePath $s";

        EngineResult result = engine.Run(Export, new[] { Debian, none, "latest" }, clair.Uri, folder["psk"], output, folder["site"]);

        Assert.Equal(["ManifestDigestInvalid"], result.ErrorIds);
        using var json = System.Text.Json.JsonDocument.Parse(await File.ReadAllTextAsync(output, TestContext.Current.CancellationToken));
        (string?, string?, int)[] images =
        [
            .. json.RootElement.GetProperty("images").EnumerateArray()
                .Select(i => (i.GetProperty("name").GetString(), i.GetProperty("verdict").GetString(), i.GetProperty("findings").GetArrayLength())),
        ];
        Assert.Equivalent(new[] { (none, "Unindexed", 0), ("latest", "Unindexed", 0), (Debian, "Incomplete", 1) }, images, strict: true);
        Assert.Equal(2, Directory.GetFiles(Path.Combine(folder["site"], "reports")).Length);
        Assert.Equal(["ClairUnauthorized"], engine.Run(
            "param($d, $u, $o, $s) Export-ClairScanReport -ManifestDigest $d -ClairUri $u -Destination $o -Force -SitePath $s", Debian, clair.Uri, output, folder["site"]).ErrorIds);
    }

    private static string Report => Path.Combine(Built.Root, "tests", "fixtures", "index-reports", "debian-12.vulnerabilities.json");
}
