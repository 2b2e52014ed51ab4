using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Sources;
using Xunit;

namespace QuayAirGap.Core.Tests.Settings;

public sealed class SiteSettingsTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("---\n")]
    [InlineData("sources:\n")]
    [InlineData("\uFEFFversion: 1\nsources: {}\n")]
    public void What_the_file_does_not_say_has_its_default(string? text)
    {
        using var site = new SettingsSite(text);

        SiteSettings settings = SiteSettings.Load(site.Site);

        Assert.Equal(SourceCatalog.All, settings.Sources.Select(s => s.Definition));
        Assert.All(settings.Sources, s => Assert.Equal(s.Definition.EnabledByDefault, s.Enabled));
        Assert.Equal(settings.Sources, SiteSettings.LoadOrDefault(null).Sources);
        Assert.Equal((7, TimeSpan.FromDays(30)), (settings.KeepGenerations, settings.BundleValidity));
    }

    [Fact]
    public void Everything_that_can_be_said_is_understood()
    {
        using var site = new SettingsSite("""
            version: 1
            keepGenerations: 3
            bundleValidity: 10d
            network: {caFile: ca.pem, clientCertificate: /c.pfx, clientPasswordFile: c.txt, proxy: "http://proxy.example:3128", requestsPerHost: 3}
            sources:
              alpine:
                enabled: false
                uri: http://mirror.example/alpine
              debian: { mirrorUri: "https://m.example:8443/d/", upstreamRoot: http://cache.example, warnAfter: 36h, criticalAfter: 2.00:30:00, expireAfter: '90d' }
              oracle:
                enabled: false
              osv:
                include: [Go, "PyPI", 'npm']
                exclude:
                  - go # and why
                maxShrink: 25%
              rhel-vex:
                # only a comment

            """);

        SiteSettings settings = SiteSettings.LoadOrDefault(site.Site);

        Assert.Equal((3, TimeSpan.FromDays(10)), (settings.KeepGenerations, settings.BundleValidity));
        Assert.Equal(
            new NetworkSettings
            {
                CaFile = "ca.pem",
                ClientCertificate = "/c.pfx",
                ClientPasswordFile = "c.txt",
                Proxy = new Uri("http://proxy.example:3128/"),
                RequestsPerHost = 3,
            },
            settings.Network);
        Assert.False(site["alpine"].Enabled);
        Assert.Equal(new Uri("http://mirror.example/alpine/"), site["alpine"].Uri);
        Assert.Equal(new Uri("https://m.example:8443/d/"), site["debian"].MirrorUri);
        Assert.Equal(new Uri("http://cache.example/"), site["debian"].UpstreamRoot);
        Assert.Equal(
            (TimeSpan.FromHours(36), new TimeSpan(2, 0, 30, 0), TimeSpan.FromDays(90)),
            (site["debian"].WarnAfter, site["debian"].CriticalAfter, site["debian"].ExpireAfter));
        Assert.True(site["osv"].Enabled);
        Assert.Equal(["Go", "PyPI", "npm"], site["osv"].Include);
        Assert.Equal(["go"], site["osv"].Exclude);
        Assert.Equal(25, site["osv"].MaxShrink);
        Assert.Equal([false, true, false], new[] { "go", "pypi", "maven" }.Select(site["osv"].Selection.Wants));
        Assert.True(site["rhel-vex"].Enabled);
    }

    [Theory]
    [InlineData("version: 1\nsource: {}\n", 2, "'sources'")]
    [InlineData("sources:\n  alpin:\n    enabled: true\n", 2, "'alpine'")]
    [InlineData("sources:\n  alpine:\n    enable: true\n", 3, "'enabled'")]
    [InlineData("sources:\n  alpine:\n    enabled: yes\n", 3, "true or false")]
    [InlineData("sources:\n  alpine:\n    enabled:\n", 3, "no value")]
    [InlineData("sources:\n  alpine:\n    enabled: {}\n", 3, "not settings below")]
    [InlineData("sources:\n  alpine: false\n", 2, "settings below it")]
    [InlineData("sources:\n  alpine:\n    mirrorUri: http://x/\n", 3, "no second upstream")]
    [InlineData("sources:\n  alpine:\n    uri: mirror/alpine\n", 3, "absolute")]
    [InlineData("sources:\n  alpine:\n    uri: file:///etc\n", 3, "absolute")]
    [InlineData("sources:\n  alpine:\n    uri: https://me:secret@x.example/\n", 3, "password")]
    [InlineData("sources:\n  alpine:\n    uri: https://x.example/?sig=secret\n", 3, "query")]
    [InlineData("sources:\n  alpine:\n    warnAfter: 3\n", 3, "length of time")]
    [InlineData("sources:\n  alpine:\n    warnAfter: 0d\n", 3, "length of time")]
    [InlineData("sources:\n  alpine:\n    warnAfter: -3d\n", 3, "length of time")]
    [InlineData("sources:\n  alpine:\n    warnAfter: 99999999d\n", 3, "length of time")]
    [InlineData("sources:\n  alpine:\n    warnAfter: 6d\n", 2, "do not rise")]
    [InlineData("sources:\n  alpine:\n    expireAfter: 4d\n", 2, "do not rise")]
    [InlineData("network:\n  proxi: http://p/\n", 2, "'proxy'")]
    [InlineData("network:\n  proxy: http://user:secret@p.example/\n", 2, "password")]
    [InlineData("network:\n  requestsPerHost: 0\n", 2, "from 1 to 64")]
    [InlineData("network:\n  clientPasswordFile: x\n", 1, "needs a 'clientCertificate'")]
    [InlineData("version: 0\n", 1, "'version'")]
    [InlineData("keepGenerations: 1\n", 1, "from 2")]
    [InlineData("bundleValidity: soon\n", 1, "length of time")]
    [InlineData("version: 1\nversion: 1\n", 2, "twice")]
    [InlineData("sources:\n  alpine: {}\n  alpine: {}\n", 3, "twice")]
    [InlineData("sources: [alpine]\n", 1, "has settings below it")]
    [InlineData("sources:\n  debian:\n    include: [a]\n", 3, "carried whole")]
    [InlineData("sources:\n  osv:\n    include: go\n", 3, "is a list")]
    [InlineData("sources:\n  osv:\n    include: [go, [a]]\n", 3, "holds words")]
    [InlineData("sources:\n  osv:\n    exclude:\n      - go\n      - ''\n", 5, "not the name")]
    [InlineData("sources:\n  osv:\n    exclude: [~]\n", 3, "nothing")]
    [InlineData("sources:\n  osv:\n    enabled: [true]\n", 3, "has a value")]
    [InlineData("sources:\n  osv:\n    maxShrink: 101\n", 3, "from 0 to 100")]
    [InlineData("sources: &a\n  alpine: {}\n", 1, "anchors")]
    [InlineData("version: !!int 1\n", 1, "tags")]
    [InlineData("sources: {}\nkeepGenerations: *a\n", 2, "aliases")]
    [InlineData("version: 1\n---\nversion: 1\n", 2, "second document")]
    [InlineData("just words\n", 1, "key: value")]
    [InlineData("sources:\n  alpine:\n    uri: |\n      http://x/\n", 3, "one line")]
    [InlineData("sources:\n\talpine: {}\n", 1, "not YAML")]
    [InlineData("sources:\n  alpine:\n    enabled: a: b\n", 3, "not YAML")]
    [InlineData("{version: 1\n", 2, "not YAML")]
    [InlineData("? {a: b}\n: c\n", 1, "a key")]
    public void What_the_file_says_wrong_is_refused_with_its_line_and_what_was_meant(string text, int line, string says)
    {
        using var site = new SettingsSite(text);

        FeedException e = Assert.Throws<FeedException>(() => SiteSettings.Load(site.Site));

        Assert.Equal(ErrorIds.SettingsInvalid, e.ErrorId);
        Assert.Contains(site.Site.SettingsFile, e.Message);
        Assert.Contains($"line {line}:", e.Message);
        Assert.Contains(says, e.Message);
    }

    [Fact]
    public void A_file_that_is_not_UTF8_or_far_too_large_is_refused()
    {
        using var site = new SettingsSite();
        File.WriteAllBytes(site.Site.SettingsFile, [0x76, 0xFF, 0xFE]);
        Assert.Contains("UTF-8", Assert.Throws<FeedException>(() => SiteSettings.Load(site.Site)).Message);

        site.Text = new string('#', 300 << 10);
        Assert.Contains("256 KiB", Assert.Throws<FeedException>(() => SiteSettings.Load(site.Site)).Message);
    }

    /// <summary>Whatever bytes stand in the file, the answer is settings or SettingsInvalid, never another exception.</summary>
    [Fact]
    public void Any_text_is_understood_or_refused()
    {
        string[] pieces =
        [
            "sources", "alpine", "debian", ":", ": ", "\n", "\n  ", "\n    ", "{", "}", "[", "]", ",", "'", "\"", "#", " ", "\t", "- ", "? ", "|", ">", "&a", "*a",
            "!x", "%YAML 1.2\n", "---\n", "...\n", "enabled: true", "uri: ", "http://x/", "3d", "\\x", "\uFEFF", "\u0085", "😀", "\0", "~",
        ];
        var random = new Random(5);
        using var site = new SettingsSite();
        int refused = 0;
        for (int i = 0; i < 3000; i++)
        {
            site.Text = string.Concat(Enumerable.Range(0, random.Next(1, 25)).Select(_ => pieces[random.Next(pieces.Length)]));
            try
            {
                Assert.Equal(SourceCatalog.All.Count, SiteSettings.Load(site.Site).Sources.Count);
            }
            catch (FeedException e)
            {
                Assert.Equal(ErrorIds.SettingsInvalid, e.ErrorId);
                refused++;
            }
        }

        Assert.InRange(refused, 1000, 2999);
    }

    [Theory]
    [InlineData("3d", 3 * 24 * 60 * 60, "3d")]
    [InlineData("36h", 36 * 60 * 60, "36h")]
    [InlineData("48h", 48 * 60 * 60, "2d")]
    [InlineData("90m", 90 * 60, "90m")]
    [InlineData("1.02:03:04", 93784, "1.02:03:04")]
    [InlineData("12:00:00", 12 * 60 * 60, "12h")]
    public void A_length_of_time_is_read_and_written_back(string text, int seconds, string written)
    {
        Assert.True(FeedDuration.TryParse(text, out TimeSpan duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
        Assert.Equal(written, FeedDuration.Format(duration));
    }
}
