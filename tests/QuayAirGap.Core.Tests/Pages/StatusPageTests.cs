using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using AngleSharp.Html.Parser;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Pages;
using QuayAirGap.Core.Tests.Support;
using Xunit;

namespace QuayAirGap.Core.Tests.Pages;

/// <summary>The status page as a file: what stands in it, and what cannot get into it.</summary>
public sealed class StatusPageTests
{
    private const string Hostile =
        "</script><script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover=\"alert(3)' style='x' &lt; \u202Egnp.exe\u0000\u001b[31m\nhttps://evil.example/";

    [Fact]
    public void What_an_upstream_says_stays_text()
    {
        using var site = new StatusKit();
        site.Neglected(Hostile).Refuse("<b>x</b>.tar", Hostile);
        string html = site.Html();
        AngleSharp.Html.Dom.IHtmlDocument page = new HtmlParser().ParseDocument(html);

        Assert.Single(page.QuerySelectorAll("script"));
        Assert.Empty(page.QuerySelectorAll("img, iframe, object, embed, form, base, b"));
        Assert.Contains("</script><script>alert(1)</script><img src=x onerror=alert(2)>", page.QuerySelector("#todo")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("<b>x</b>.tar", page.QuerySelector(".events")!.TextContent, StringComparison.Ordinal);
        Assert.DoesNotContain(html, c => char.IsControl(c) && c != '\n');
        Assert.DoesNotContain('\u202E', html);
        Assert.All(page.All.SelectMany(e => e.Attributes), a => Assert.False(
            a.Name.StartsWith("on", StringComparison.OrdinalIgnoreCase) || a.Name == "style", $"{a.Name}={a.Value}"));
    }

    [Fact]
    public void It_loads_nothing_and_its_policy_lets_in_exactly_its_own_script_and_style()
    {
        using var site = new StatusKit();
        string html = site.Neglected(Hostile).Html();
        AngleSharp.Html.Dom.IHtmlDocument page = new HtmlParser().ParseDocument(html);

        // Whatever could be fetched or followed is within the page itself.
        Assert.All(
            page.All.SelectMany(e => e.Attributes).Where(a => a.Name is "src" or "href" or "srcset" or "action" or "data" or "poster" or "xlink:href"),
            a => Assert.Matches("^(#|data:,$)", a.Value));
        string style = page.QuerySelector("style")!.TextContent;
        string script = page.QuerySelector("script")!.TextContent;
        Assert.DoesNotMatch(new Regex("url\\(|@import|https?:", RegexOptions.IgnoreCase), style);
        Assert.DoesNotMatch(new Regex("fetch\\(|XMLHttp|WebSocket|import\\(|https?:|innerHTML|insertAdjacent|eval\\(", RegexOptions.IgnoreCase), script);
        string policy = page.QuerySelector("meta[http-equiv='Content-Security-Policy']")!.GetAttribute("content")!;
        Assert.Equal(
            $"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src '{Hash(style)}'; script-src '{Hash(script)}'", policy);
        Assert.Equal(policy + "; frame-ancestors 'none'", PageDocument.ContentSecurityPolicy);

        // The policy stands before everything that it is to hold.
        Assert.True(html.IndexOf("Content-Security-Policy", StringComparison.Ordinal) < html.IndexOf("<style", StringComparison.Ordinal));
    }

    [Fact]
    public void The_same_site_at_the_same_time_gives_the_same_bytes()
    {
        using var site = new StatusKit();
        site.Neglected();
        Assert.Equal(site.Html(), site.Html());
        Assert.NotEqual(site.Html(), site.Html(StatusKit.Now.AddMinutes(1)));
    }

    [Theory]
    [InlineData(7, "Fresh: all required feeds – as of 2026-11-20 09:30 UTC")]
    [InlineData(73, "Warning: feeds are growing old – as of 2026-11-20 09:30 UTC")]
    [InlineData(121, "Critical: feeds are missing or too old – as of 2026-11-20 09:30 UTC")]
    [InlineData(169, "Expired: do not rely on scan results – as of 2026-11-20 09:30 UTC")]
    public void The_level_of_the_whole_comes_first_with_the_moment_of_which_it_speaks(int hours, string headline)
    {
        using var site = new StatusKit();
        AngleSharp.Html.Dom.IHtmlDocument page = new HtmlParser().ParseDocument(site.Fresh(TimeSpan.FromHours(hours)).Html());
        Assert.Equal(headline, page.QuerySelector("main h1, main h2, main h3")!.TextContent);
        Assert.NotNull(page.QuerySelector("noscript"));
    }

    [Fact]
    public void A_site_without_anything_is_critical_and_one_that_requires_nothing_is_too()
    {
        using var empty = new StatusKit();
        StatusFacts facts = empty.Facts();
        Assert.Equal(FreshnessLevel.Critical, facts.Level);
        AngleSharp.Html.Dom.IHtmlDocument page = new HtmlParser().ParseDocument(StatusPage.Render(facts).Html);
        Assert.StartsWith("Critical", page.QuerySelector("h1")!.TextContent, StringComparison.Ordinal);
        Assert.All(page.QuerySelectorAll("tr.source[data-level] .badge"), b => Assert.Equal("Critical", b.TextContent));

        File.WriteAllText(
            empty.Site.SettingsFile,
            "version: 1\nsources:\n" + string.Concat(QuayAirGap.Core.Sources.SourceCatalog.All.Select(s => $"  {s.Name}:\n    enabled: false\n")));
        StatusFacts nothing = empty.Facts();
        Assert.Equal(FreshnessLevel.Critical, nothing.Level);
        AngleSharp.Html.Dom.IHtmlDocument none = new HtmlParser().ParseDocument(StatusPage.Render(nothing).Html);
        Assert.Equal("critical", none.QuerySelector("#verdict")!.GetAttribute("data-floor")); // the script must not make it good: no row is left to hold it
        Assert.Contains("No source is required", none.QuerySelector("#todo")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void What_only_Clair_knows_is_not_made_up()
    {
        using var site = new StatusKit();
        site.Fresh();
        Assert.Contains("not known", Ingested(site.Html()), StringComparison.Ordinal);
        StatusFacts facts = site.Facts();
        StatusFacts known = facts with
        {
            Sources = [.. facts.Sources.Select(s => s.Name == "alpine" ? s with { ClairHolding = ClairHolding.Current, IngestedAt = StatusKit.Now.AddHours(-1) } : s)],
        };
        Assert.Contains("2026-11-20 08:30", Ingested(StatusPage.Render(known).Html), StringComparison.Ordinal);

        static string Ingested(string html) => new HtmlParser().ParseDocument(html).QuerySelector("#source-alpine td[data-head='In Clair']")!.TextContent;
    }

    [Fact]
    public void Ages_over_time_come_from_the_ledger_and_from_generations_that_it_does_not_tell()
    {
        using var site = new StatusKit();
        site.Fresh();
        IReadOnlyList<AgePoint> told = site.Facts().History.PointsOf("debian");
        File.Delete(site.Site.LedgerFile);
        IReadOnlyList<AgePoint> kept = site.Facts().History.PointsOf("debian");

        Assert.Equal(told, kept);
        Assert.Equal(StatusKit.Now, told[^1].Time);
        Assert.Equal(TimeSpan.FromHours(7), told[^1].Age);
        Assert.True(told.Count > 20);
        Assert.All(told, p => Assert.True(p.Age > TimeSpan.Zero && p.Time >= StatusKit.Now - AgeHistory.Window));
        Assert.All(told.Chunk(2), c => Assert.Equal(c[1].Time - c[0].Time, c[1].Age - c[0].Age));
        Assert.InRange(site.Facts().History.OldestOf(StatusKit.Required).Max(p => p.Age), TimeSpan.FromDays(4), TimeSpan.FromDays(5));
    }

    [Fact]
    public void A_source_that_is_not_there_any_more_has_no_age()
    {
        using var site = new StatusKit();
        AgeHistory history = site.Neglected().Facts().History;
        Assert.True(history.PointsOf("ubuntu")[^1].Time < history.PointsOf("debian")[^1].Time);
    }

    [Fact]
    public void A_ledger_that_cannot_be_read_is_said_and_hides_nothing_else()
    {
        using var site = new StatusKit();
        site.Fresh();
        File.WriteAllText(site.Site.LedgerFile, "not a ledger\n");
        AngleSharp.Html.Dom.IHtmlDocument page = new HtmlParser().ParseDocument(site.Html());
        Assert.Contains("The ledger cannot be read", page.QuerySelector("main")!.TextContent, StringComparison.Ordinal);
        Assert.Equal(8, page.QuerySelectorAll("tr.source[data-level]").Length);
    }

    [Fact]
    public void Programs_get_times_and_not_ages()
    {
        using var site = new StatusKit();
        using var json = JsonDocument.Parse(StatusJson.Write(site.Neglected(Hostile).Facts()));
        JsonElement root = json.RootElement;
        Assert.Equal(("quayairgap.status", "Expired"), (root.GetProperty("format").GetString(), root.GetProperty("level").GetString()));
        JsonElement osv = root.GetProperty("sources").EnumerateArray().Single(s => s.GetProperty("name").GetString() == "osv");
        Assert.Equal("Failed", osv.GetProperty("state").GetString());
        Assert.Equal(StatusKit.Now.AddHours(-175), osv.GetProperty("capturedAt").GetDateTimeOffset());
        Assert.Equal(3 * 86400, osv.GetProperty("warnAfterSeconds").GetInt64());
        Assert.Equal(JsonValueKind.Null, osv.GetProperty("ingestedAt").ValueKind);
        Assert.Equal(JsonValueKind.Null, root.GetProperty("goodUntil").ValueKind);
        Assert.DoesNotContain(root.EnumerateObject(), p => p.Name.Contains("age", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void A_page_replaces_a_page_and_nothing_else()
    {
        using var site = new StatusKit();
        using var folder = new TempFolder();
        string path = folder.Of("status.html");
        byte[] page = StatusPage.Render(site.Facts()).ToUtf8();
        PageFile.Write(path, page, force: false);
        PageFile.Write(path, page, force: false);
        Assert.Equal(page, File.ReadAllBytes(path));
        Assert.Equal(["status.html"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));

        File.WriteAllText(path, "somebody's own");
        Assert.Equal(ErrorIds.DestinationInvalid, Assert.Throws<FeedException>(() => PageFile.Write(path, page, force: false)).ErrorId);
        Assert.Equal("somebody's own", File.ReadAllText(path));
        PageFile.Write(path, page, force: true);
        Assert.Equal(page, File.ReadAllBytes(path));
        Assert.Equal(ErrorIds.DestinationInvalid, Assert.Throws<FeedException>(() => PageFile.Write(folder.Path, page, force: true)).ErrorId);
        Assert.Equal(ErrorIds.DestinationInvalid, Assert.Throws<FeedException>(() => PageFile.Write(folder.Of("no", "x.html"), page, force: true)).ErrorId);
    }

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
