using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AngleSharp.Html.Parser;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Pages;
using QuayAirGap.Core.Scanning;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Coverage;
using Xunit;

namespace QuayAirGap.Core.Tests.Pages;

/// <summary>Clair's vulnerability reports, read and written out with their verdicts.</summary>
public sealed class ScanReportTests : IDisposable
{
    private const string Hostile = "=cmd|'/c calc'!A1</script><script>alert(1)</script>\" onclick=\"x\u202E\n";

    private readonly CoverageSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public void Findings_have_their_package_severity_fix_score_and_source()
    {
        VulnerabilityReport report = ScanKit.Read(ScanKit.Debian());

        Assert.Equal(["CVE-2026-0002", "CVE-2026-0001", "CVE-2026-0003"], report.Findings.Select(f => f.Name));
        ScanFinding worst = report.Findings[0];
        Assert.Equal((ScanSeverity.Critical, "2.36-9+deb12u9", "debian/updater", "debian"), (worst.Severity, worst.FixedIn, worst.Updater, worst.Source));
        Assert.Equal((9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), (worst.Cvss, worst.CvssVector));
        Assert.Equal("https://security-tracker.debian.org/tracker/CVE-2026-0002", worst.Link);
        IndexPackage package = report.Index.Packages.Values.ElementAt(1);
        Assert.Equal((package.Name, package.Version), (worst.Package, worst.PackageVersion));
        Assert.Null(report.Findings[2].Cvss);
    }

    [Theory]
    [InlineData("debian/updater", "debian")]
    [InlineData("rhel-vex", "rhel-vex")]
    [InlineData("osv/pypi", "osv")]
    [InlineData("ubuntu/updater/noble", "ubuntu")]
    [InlineData("alpine-main-v3.22-updater", "alpine")]
    [InlineData("oracle-2026-updater", "oracle")]
    [InlineData("aws-AL2023-updater", "aws")]
    [InlineData("somebody/else", null)]
    [InlineData("", null)]
    public void An_updater_leads_to_its_source(string updater, string? source) =>
        Assert.Equal(source, ScanKit.Read(ScanKit.Report("debian-12", ("CVE-1", "Low", "", updater, null))).Findings[0].Source);

    [Fact]
    public void The_fix_of_a_language_package_is_taken_out_of_its_query_and_links_are_of_the_web()
    {
        JsonObject report = ScanKit.Report("debian-12", ("CVE-1", "High", "introduced=0&fixed=1.2.3%2Bx", "osv/pypi", null), ("CVE-2", "7", "introduced=0&lastAffected=2", "osv/go", null));
        report["vulnerabilities"]!["900"]!["links"] = "javascript:alert(1) file:///etc/passwd https://ok.example/\"><script> https://ok.example/a";
        IReadOnlyList<ScanFinding> findings = ScanKit.Read(report).Findings;
        Assert.Equal(("1.2.3+x", "https://ok.example/a"), (findings[0].FixedIn, findings[0].Link));
        Assert.Equal(("", ScanSeverity.Unknown), (findings[1].FixedIn, findings[1].Severity));
    }

    [Fact]
    public void What_is_no_report_is_refused_and_an_index_report_is_not_taken_for_a_clean_one()
    {
        void Refused(string text) => Assert.Equal(
            ErrorIds.ScanReportInvalid, Assert.Throws<FeedException>(() => VulnerabilityReport.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)))).ErrorId);

        string whole = ScanKit.Debian().ToJsonString();
        Refused("");
        Refused("[]");
        Refused("{}");
        Refused(whole + "x");
        Refused(File.ReadAllText(CoverageSite.FixturePath("debian-12")));
        Refused(ScanKit.Debian().ToJsonString().Replace("\"900\":{", "\"899\":{", StringComparison.Ordinal));
        JsonObject wrong = ScanKit.Debian();
        wrong["package_vulnerabilities"] = new JsonArray();
        Refused(wrong.ToJsonString());

        // Cut anywhere, or with any byte turned, it is read or refused, and nothing else.
        byte[] bytes = Encoding.UTF8.GetBytes(whole);
        var random = new Random(7);
        for (int i = 0; i < 400; i++)
        {
            byte[] damaged = i % 2 == 0 ? bytes[..random.Next(bytes.Length)] : [.. bytes];
            if (i % 2 == 1)
            {
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            }

            try
            {
                _ = VulnerabilityReport.Read(new MemoryStream(damaged));
            }
            catch (FeedException e)
            {
                Assert.Equal(ErrorIds.ScanReportInvalid, e.ErrorId);
            }
        }
    }

    [Fact]
    public void The_verdict_comes_first_everywhere_and_nothing_found_never_stands_alone()
    {
        _site.Publish(s => s.Name == "debian" ? s with { State = CaptureState.Missing, CapturedAt = null, Releases = [], Updaters = [] } : s);
        ScanReport report = ScanKit.Judge(_site, ScanKit.Stored("shop:1", ScanKit.Report("debian-12")));
        ScannedImage image = Assert.Single(report.Images);
        Assert.Equal(CoverageVerdict.Incomplete, image.Coverage.Verdict);

        AngleSharp.Html.Dom.IHtmlDocument page = new HtmlParser().ParseDocument(ImagesPage.Render(report).Html);
        Assert.StartsWith("Incomplete", page.QuerySelector("main h1, main h2")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("0 findings: there may be more that nobody looked for", page.QuerySelector("main")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("FEED-MISSING", page.QuerySelector("main")!.TextContent, StringComparison.Ordinal);

        using var json = JsonDocument.Parse(ScanReportFile.Render(report, ScanReportFormat.Json));
        Assert.Equal("Incomplete", json.RootElement.GetProperty("images")[0].EnumerateObject().First().Value.GetString());
        Assert.Equal("Incomplete", json.RootElement.GetProperty("verdict").GetString());

        string[] csv = Encoding.UTF8.GetString(ScanReportFile.Render(report, ScanReportFormat.Csv)).TrimStart('\uFEFF').Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("Verdict,Image,", csv[0], StringComparison.Ordinal);
        Assert.All(csv[1..], line => Assert.StartsWith("Incomplete,shop:1,sha256:", line, StringComparison.Ordinal));
        Assert.Contains(",Verdict,", csv[1], StringComparison.Ordinal);

        JsonNode run = JsonNode.Parse(ScanReportFile.Render(report, ScanReportFormat.Sarif))!["runs"]![0]!;
        Assert.Empty(run["results"]!.AsArray());
        JsonNode invocation = run["invocations"]![0]!;
        Assert.False(invocation["executionSuccessful"]!.GetValue<bool>());
        Assert.Equal("VERDICT-INCOMPLETE", (string)invocation["toolConfigurationNotifications"]![0]!["descriptor"]!["id"]!);
        Assert.Equal("error", (string)invocation["toolConfigurationNotifications"]![0]!["level"]!);
    }

    [Fact]
    public void A_covered_image_says_what_each_finding_and_each_missing_one_rests_on()
    {
        ScanReport report = ScanKit.Judge(_site, ScanKit.Stored("shop:1", ScanKit.Debian()));
        ScannedImage image = Assert.Single(report.Images);
        Assert.Equal(CoverageVerdict.Covered, image.Coverage.Verdict);
        Assert.Equal(CoverageSite.Now.AddHours(-1) + TimeSpan.FromDays(3), image.GoodUntil);

        AngleSharp.Html.Dom.IHtmlDocument page = new HtmlParser().ParseDocument(ImagesPage.Render(report).Html);
        Assert.Equal(["CVE-2026-0002", "CVE-2026-0001", "CVE-2026-0003"], page.QuerySelectorAll(".findings tbody th").Select(t => t.TextContent));
        Assert.All(page.QuerySelectorAll(".findings td[data-head='Feed']"), t => Assert.Equal("debian, 2026-11-25 11:00", t.TextContent));

        JsonNode run = JsonNode.Parse(ScanReportFile.Render(report, ScanReportFormat.Sarif))!["runs"]![0]!;
        Assert.True(run["invocations"]![0]!["executionSuccessful"]!.GetValue<bool>());
        Assert.Equal(["error", "warning", "note"], run["results"]!.AsArray().Select(r => (string)r!["level"]!));
        Assert.Equal("9.8", (string)run["tool"]!["driver"]!["rules"]![0]!["properties"]!["security-severity"]!);
        Assert.Contains("debian, captured 2026-11-25T11:00:00Z", (string)run["results"]![0]!["message"]!["text"]!, StringComparison.Ordinal);
        Sarif(run);
    }

    /// <summary>Whatever form somebody reads: by which rules, by whose word, and what was left out of Clair's reach.</summary>
    [Fact]
    public void Every_form_says_by_what_it_was_judged_and_what_is_held_back()
    {
        _site.Publish(heldBack: [.. Enumerable.Range(1, 25).Select(i => new Core.Publishing.HeldBackItem("osv", FormattableString.Invariant($"PYSEC-2026-{i}"), "PyPI: its CVSS vector is not valid."))]);
        ScanReport report = ScanKit.Judge(_site, ScanKit.Stored("shop:1", ScanKit.Report("python-on-alpine")));
        const string Basis = "Judged by the rules of Clair main and by what the mirror serves; Clair's own state was not asked.";
        Assert.Equal(CoverageVerdict.Covered, Assert.Single(report.Images).Coverage.Verdict);
        Assert.EndsWith("; 25 held back", report.Images[0].Coverage.Summary, StringComparison.Ordinal);

        foreach (PageDocument document in new[] { ImagesPage.Render(report), ImagesPage.Render(report, addressOf: _ => "images/x") })
        {
            string page = new HtmlParser().ParseDocument(document.Html).QuerySelector("main")!.TextContent;
            Assert.Contains(Basis, page, StringComparison.Ordinal);
            Assert.Contains("25 advisories of osv pypi are held back from Clair: PYSEC-2026-1, PYSEC-2026-2", page, StringComparison.Ordinal);
            Assert.Contains("PYSEC-2026-20 and 5 more", page, StringComparison.Ordinal);
        }

        string csv = Encoding.UTF8.GetString(ScanReportFile.Render(report, ScanReportFormat.Csv));
        Assert.Contains(Basis, csv, StringComparison.Ordinal);
        Assert.Contains(",Note,FEED-PARTIAL,", csv, StringComparison.Ordinal);

        using var json = JsonDocument.Parse(ScanReportFile.Render(report, ScanReportFormat.Json));
        Assert.Equal(("main", "NotAsked"), (json.RootElement.GetProperty("clairRelease").GetString(), json.RootElement.GetProperty("clairAsked").GetString()));
        JsonElement note = json.RootElement.GetProperty("images")[0].GetProperty("notes")[0];
        Assert.Equal(("FEED-PARTIAL", "pypi", 25, 25), (
            note.GetProperty("code").GetString(), note.GetProperty("part").GetString(), note.GetProperty("itemCount").GetInt32(), note.GetProperty("items").GetArrayLength()));
        Assert.Equal("PYSEC-2026-25", note.GetProperty("items")[24].GetString());

        JsonNode run = JsonNode.Parse(ScanReportFile.Render(report, ScanReportFormat.Sarif))!["runs"]![0]!;
        JsonArray told = run["invocations"]![0]!["toolConfigurationNotifications"]!.AsArray();
        Assert.Contains(Basis, (string)told[0]!["message"]!["text"]!, StringComparison.Ordinal);
        Assert.Equal(("FEED-PARTIAL", "note"), ((string)told[1]!["descriptor"]!["id"]!, (string)told[1]!["level"]!));
        Assert.True(run["invocations"]![0]!["executionSuccessful"]!.GetValue<bool>()); // known by number and name: no other verdict
        Sarif(run);

        _site.Clair();
        ScanReport asked = ScanKit.Judge(_site, ScanKit.Stored("shop:1", ScanKit.Debian()));
        Assert.Contains("by what Clair has: it was asked, and last answered at 2026-11-25T11:00:00Z.", ImagesPage.Render(asked).Html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fleet_tells_each_reason_once_with_its_number_of_images_and_its_remedy()
    {
        ScanReport report = ScanKit.Fleet(_site, 100);

        AngleSharp.Html.Dom.IHtmlDocument page = new HtmlParser().ParseDocument(ImagesPage.Render(report, addressOf: _ => "images/x").Html);

        string[] reasons = [.. page.QuerySelectorAll(".reasons li .head").Select(h => h.TextContent)];
        Assert.Equal(["10 images UNSUPPORTED", "10 images UNSUPPORTED", "10 images END-OF-LIFE"], reasons.Select(r => r[r.IndexOf("10 images", StringComparison.Ordinal)..]));
        Assert.All(page.QuerySelectorAll(".reasons li"), li => Assert.StartsWith("Do: ", li.QuerySelector(".remedy")!.TextContent, StringComparison.Ordinal));
        Assert.All(page.QuerySelectorAll("tr.image.row"), r => Assert.NotEqual("", r.QuerySelector("td[data-head='Why']")!.TextContent));
    }

    [Fact]
    public void Fresh_feeds_do_not_make_an_old_answer_of_Clair_good()
    {
        ScanReport report = ScanKit.Judge(_site, ScanKit.Stored("shop:1", ScanKit.Report("debian-12"), CoverageSite.Now.AddDays(-10)));
        ScannedImage image = Assert.Single(report.Images);
        Assert.Equal(CoverageVerdict.Stale, image.Coverage.Verdict);
        Assert.Equal(ScannedImage.ReportStale, image.Coverage.Gaps[0].Code);
        Assert.StartsWith("Stale", image.Coverage.Summary, StringComparison.Ordinal);
        Assert.Null(image.GoodUntil);
    }

    [Fact]
    public void The_highest_risk_of_a_false_clean_result_is_on_top()
    {
        ScanReport report = ScanKit.Fleet(_site, 30);
        Assert.Equal(report.Images.Select(i => i.Coverage.Verdict).OrderDescending(), report.Images.Select(i => i.Coverage.Verdict));
        Assert.True(report.Images.Select(i => i.Coverage.Verdict).Distinct().Count() >= 3);
        Assert.Equal(report.Images[0].Coverage.Verdict, report.Worst);
    }

    [Fact]
    public void What_a_report_says_stays_text_in_every_form()
    {
        JsonObject hostile = ScanKit.Report("debian-12", (Hostile, "High", Hostile, "debian/updater", 7));
        hostile["vulnerabilities"]!["900"]!["description"] = Hostile;
        ScanReport report = ScanKit.Judge(_site, ScanKit.Stored(Hostile, hostile));

        foreach (string html in new[] { ImagesPage.Render(report).Html, ImagesPage.Render(report, addressOf: _ => "images/x").Html })
        {
            AngleSharp.Html.Dom.IHtmlDocument page = new HtmlParser().ParseDocument(html);
            Assert.Single(page.QuerySelectorAll("script"));
            Assert.All(page.All.SelectMany(e => e.Attributes), a => Assert.False(a.Name.StartsWith("on", StringComparison.OrdinalIgnoreCase) || a.Name == "style", a.Name));
            Assert.DoesNotContain('\u202E', html);
        }

        string csv = Encoding.UTF8.GetString(ScanReportFile.Render(report, ScanReportFormat.Csv)).TrimStart('\uFEFF');
        Assert.All(Cells(csv), c => Assert.DoesNotMatch("^\\s*[=+\\-@|%]", c));
        Assert.Contains(Cells(csv), c => c.StartsWith("'=cmd|", StringComparison.Ordinal));
        Assert.DoesNotContain(csv.Replace("\r\n", "", StringComparison.Ordinal), c => char.IsControl(c));
        JsonNode sarif = JsonNode.Parse(ScanReportFile.Render(report, ScanReportFormat.Sarif))!["runs"]![0]!;
        Assert.Equal(Hostile, (string)sarif["results"]![0]!["ruleId"]!);
        Sarif(sarif);
        _ = JsonNode.Parse(ScanReportFile.Render(report, ScanReportFormat.Json));
    }

    [Fact]
    public void Five_thousand_images_make_pages_and_files_of_bounded_size()
    {
        ScanReport report = ScanKit.Fleet(_site, 5000);
        string page = ImagesPage.Render(report).Html;
        Assert.InRange(page.Length, 1_000_000, 12_000_000);
        Assert.Equal(5000, page.Split("<tr class=\"image row\"").Length - 1);
        Assert.Contains("are counted here and not told", page, StringComparison.Ordinal);
        Assert.True(ScanReportFile.Render(report, ScanReportFormat.Csv).Length > 1_000_000);
    }

    [Fact]
    public void Stored_reports_are_judged_by_the_feeds_of_the_day()
    {
        var stored = new StoredReports(_site.Site);
        stored.Save(ScanKit.Stored("registry.lab.example/shop/web:1", ScanKit.Debian()));
        stored.Save(ScanKit.Stored("registry.lab.example/shop/web:1", ScanKit.Debian()));
        string id = Assert.Single(stored.Ids());
        var images = new PublishedImages(_site.Site, QuayAirGap.Core.Clair.ClairRelease.Main, _site.Clock);
        Assert.Equal(CoverageVerdict.Covered, images.All().Report.Worst);
        Assert.Equal(3, images.One(id)!.Images[0].Findings.Count);
        Assert.Null(images.One(new string('0', 32)));

        // A feed goes missing: the same report is worth less at once.
        _site.Publish(s => s.Name == "debian" ? s with { State = CaptureState.Missing, CapturedAt = null, Releases = [], Updaters = [] } : s);
        Assert.Equal(CoverageVerdict.Incomplete, images.All().Report.Worst);
        Assert.Equal(CoverageVerdict.Incomplete, images.One(id)!.Worst);
        Assert.Equal(3, images.All().Report.Images[0].Total);

        // And it ages.
        _site.Publish();
        _site.Clock.Advance(TimeSpan.FromDays(4));
        Assert.Equal(CoverageVerdict.Stale, images.All().Report.Worst);

        File.WriteAllText(Path.Combine(stored.Folder, new string('a', 32) + ".json.gz"), "not a report");
        Assert.Single(images.All().Troubles);
        Assert.Equal(1, stored.RemoveOthers(new HashSet<string> { id }));
        Assert.Equal([id], stored.Ids());
    }

    /// <summary>What the schema of SARIF 2.1.0 demands of the parts that are written.</summary>
    private static void Sarif(JsonNode run)
    {
        string[] levels = ["none", "note", "warning", "error"];
        JsonNode driver = run["tool"]!["driver"]!;
        Assert.NotEmpty((string)driver["name"]!);
        string[] rules = [.. driver["rules"]!.AsArray().Select(r => (string)r!["id"]!)];
        Assert.Equal(rules.Distinct(), rules);
        string[] codes = [.. driver["notifications"]!.AsArray().Select(r => (string)r!["id"]!)];
        foreach (JsonNode? result in run["results"]!.AsArray())
        {
            Assert.Equal((string)result!["ruleId"]!, rules[(int)result["ruleIndex"]!]);
            Assert.Contains((string)result["level"]!, levels);
            Assert.NotEmpty((string)result["message"]!["text"]!);
            Assert.True(Uri.TryCreate((string)result["locations"]![0]!["physicalLocation"]!["artifactLocation"]!["uri"]!, UriKind.Relative, out _));
        }

        foreach (JsonNode? invocation in run["invocations"]!.AsArray())
        {
            Assert.NotNull(invocation!["executionSuccessful"]);
            Assert.All(invocation["toolConfigurationNotifications"]!.AsArray(), n =>
            {
                Assert.Contains((string)n!["level"]!, levels);
                Assert.Contains((string)n["descriptor"]!["id"]!, codes);
                Assert.NotEmpty((string)n["message"]!["text"]!);
            });
        }
    }

    private static IEnumerable<string> Cells(string csv)
    {
        var cell = new StringBuilder();
        bool quoted = false;
        foreach (char c in csv)
        {
            if (c == '"')
            {
                quoted = !quoted;
            }
            else if (!quoted && c is ',' or '\n')
            {
                yield return cell.ToString().TrimEnd('\r');
                cell.Clear();
            }
            else
            {
                cell.Append(c);
            }
        }
    }
}
