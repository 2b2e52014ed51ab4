using QuayAirGap.Core.Collecting;

namespace QuayAirGap.Core.Pages;

/// <summary>What stands around the content of every page.</summary>
internal static class PageFrame
{
    /// <param name="title">For the window's title, without the site.</param>
    /// <param name="site">The site's name.</param>
    /// <param name="madeAt">When what the page says was found out.</param>
    /// <param name="links">Name, address and whether it is this page; empty for a page that stands alone.</param>
    /// <param name="content">Writes what stands in the main element.</param>
    public static PageDocument Write(
        string title, string site, DateTimeOffset madeAt, IReadOnlyList<(string Name, string Address, bool IsHere)> links, Action<HtmlWriter> content)
    {
        var html = new HtmlWriter();
        html.Own("<!DOCTYPE html>\n").Open("html", ("lang", "en")).Line().Open("head").Line()
            .Open("meta", ("charset", "utf-8")).Line()
            .Open("meta", ("http-equiv", "Content-Security-Policy"), ("content", PageAssets.Policy)).Line()
            .Open("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1")).Line()
            .Open("meta", ("name", "color-scheme"), ("content", "light dark")).Line()
            .Open("meta", ("name", "referrer"), ("content", "no-referrer")).Line()
            .Own(PageDocument.Generator).Text(UpstreamClient.ProductVersion).Own("\">").Line()
            .Open("link", ("rel", "icon"), ("href", "data:,")).Line()
            .Element("title", $"{title} – {site}").Line()
            .Open("style").Own(PageAssets.Style).Close().Line()
            .Close().Line()
            .Open("body", ("data-made", PageText.Millis(madeAt)), ("data-title", $"{title} – {site}")).Line()
            .Own(PageAssets.Shapes).Line()
            .Element("a", "Skip to the content", ("class", "skip"), ("href", "#content")).Line();

        html.Open("header", ("class", "top")).Open("div", ("class", "wrap"))
            .Open("p", ("class", "brand")).Element("span", "QuayAirGap").Element("span", site, ("class", "site")).Close();
        if (links.Count > 0)
        {
            html.Open("nav", ("aria-label", "Pages")).Open("ul");
            foreach ((string name, string address, bool isHere) in links)
            {
                html.Open("li").Element("a", name, ("href", address), ("aria-current", isHere ? "page" : null)).Close();
            }

            html.Close(2);
        }

        html.Close(2).Line().Open("main", ("id", "content"), ("class", "wrap"), ("tabindex", "-1")).Line();
        html.Open("noscript").Open("p", ("class", "notice notice-warning"))
            .Element("strong", "This page cannot tell how old it is.")
            .Text($" Without its script it shows what was true at {PageText.Time(madeAt)}, and goes on showing it. Compare the times with a clock, or allow the script.")
            .Close(2).Line();
        html.Open("p", ("class", "notice notice-critical"), ("id", "clock"), ("role", "alert"), ("hidden", "")).Close().Line();
        content(html);
        html.Close().Line();
        html.Open("footer", ("class", "wrap foot")).Open("p")
            .Text("Made ").Element("time", PageText.Time(madeAt), ("datetime", PageText.Machine(madeAt)))
            .Text($" by QuayAirGap {UpstreamClient.ProductVersion}. Ages are reckoned by the clock of the computer that shows this page.")
            .Close(2).Line();
        html.Open("script").Own(PageAssets.Script).Close().Line().Close(2).Line();
        return new PageDocument(html.ToString());
    }

    /// <summary>A level's shape and word. The script changes both.</summary>
    public static HtmlWriter Badge(this HtmlWriter html, string key, string word) =>
        html.Open("span", ("class", $"badge lv-{key}")).Shape(key).Element("span", word, ("class", "word")).Close();

    /// <summary>The tick of what is good is the script's to give: a page without it may be of any age.</summary>
    public static HtmlWriter Shape(this HtmlWriter html, string key) =>
        html.Open("svg", ("class", "shape"), ("viewBox", "0 0 16 16"), ("aria-hidden", "true")).Open("use", ("href", key == "ok" ? "#s-none" : "#s-" + key)).Close();

    /// <summary>A time with how long ago it was, which the script keeps right; without it only the time stands there.</summary>
    /// <param name="absent">What stands there for no time.</param>
    /// <param name="utc">Whether the zone is named; in a table its head does.</param>
    public static HtmlWriter Moment(this HtmlWriter html, DateTimeOffset? time, string absent = "not known", bool utc = true) =>
        time is not { } known
            ? html.Element("span", absent, ("class", "unknown"))
            : html.Open("span", ("class", "moment"))
                .Element("time", utc ? PageText.Time(known) : PageText.Time(known)[..^4], ("datetime", PageText.Machine(known)))
                .Element("span", "", ("class", "ago"), ("data-ago", PageText.Millis(known))).Close();
}
