using System.Text;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Sources;
using Xunit;

namespace QuayAirGap.Core.Tests.Settings;

public sealed partial class SourceSettingsEditorTests
{
    private static readonly SourceSettingsChange s_disable = new() { Enabled = false };

    public static TheoryData<string, string> Edits => new()
    {
        { "sources: {}\n", "sources:\n  debian:\n    enabled: false\n" },
        { "sources: {}  # none yet\nversion: 1\n", "sources:   # none yet\n  debian:\n    enabled: false\nversion: 1\n" },
        { "sources: null\n", "sources:\n  debian:\n    enabled: false\n" },
        { "sources:\n", "sources:\n  debian:\n    enabled: false\n" },
        { "sources: # later\n", "sources: # later\n  debian:\n    enabled: false\n" },
        { "", "sources:\n  debian:\n    enabled: false\n" },
        { "# only words", "# only words\nsources:\n  debian:\n    enabled: false\n" },
        { "version: 1", "version: 1\nsources:\n  debian:\n    enabled: false" },
        { "version: 1 # one\n\n# end\n", "version: 1 # one\nsources:\n  debian:\n    enabled: false\n\n# end\n" },
        { "version: 1\r\nsources: {}\r\n", "version: 1\r\nsources:\r\n  debian:\r\n    enabled: false\r\n" },
        { "\uFEFFsources: {}\n", "\uFEFFsources:\n  debian:\n    enabled: false\n" },
        { "{version: 1, sources: {}}\n", "{version: 1, sources: {debian: {enabled: false}}}\n" },
        { "{version: 1}\n", "{version: 1, sources: {debian: {enabled: false}}}\n" },
        { "sources: {alpine: {enabled: true}}\n", "sources: {alpine: {enabled: true}, debian: {enabled: false}}\n" },
        { "sources: {debian: {}}\n", "sources: {debian: {enabled: false}}\n" },
        { "sources: {debian: }\n", "sources: {debian: {enabled: false} }\n" },
        { "sources: {debian}\n", "sources: {debian: {enabled: false}}\n" },
        { "sources: {debian: ~, alpine: {}}\n", "sources: {debian: {enabled: false}, alpine: {}}\n" },
        { "sources: {debian: {enabled: true}} # c\n", "sources: {debian: {enabled: false}} # c\n" },
        { "sources: {debian: {warnAfter: 1d,}}\n", "sources: {debian: {warnAfter: 1d, enabled: false,}}\n" },
        { "sources: {debian: { # c\n  }}\n", "sources: {debian: {enabled: false # c\n  }}\n" },
        { "sources:\n  debian:\n    # on hold\n  alpine:\n    enabled: true\n", "sources:\n  debian:\n    enabled: false\n    # on hold\n  alpine:\n    enabled: true\n" },
        { "sources:\n   alpine:\n      # only this\n\n# end\n", "sources:\n   alpine:\n      # only this\n   debian:\n      enabled: false\n\n# end\n" },
        { "sources:\n  debian:\n     enabled:   \"true\"   # why\n", "sources:\n  debian:\n     enabled:   false   # why\n" },
        { "sources:\n  debian:\n     warnAfter: 1d # why\n     # below\n", "sources:\n  debian:\n     warnAfter: 1d # why\n     enabled: false\n     # below\n" },
        { "sources:\n  debian: {warnAfter: 1d}\n  alpine:\n", "sources:\n  debian: {warnAfter: 1d, enabled: false}\n  alpine:\n" },
    };

    [Theory]
    [MemberData(nameof(Edits))]
    public void One_setting_changes_and_every_other_byte_stays(string before, string after)
    {
        using var site = new SettingsSite(before);

        Assert.True(site.Apply("Debian", s_disable));

        Assert.Equal(after, site.Text);
        Assert.False(site["debian"].Enabled);
        Assert.False(site.Apply("debian", s_disable));
        Assert.Equal(after, site.Text);
    }

    public static TheoryData<string, string> Removals => new()
    {
        { "sources:\n  debian:\n    uri: http://x/\n", "sources:\n  debian:\n" },
        { "sources:\n  debian:\n    uri: http://x/", "sources:\n  debian:" },
        { "sources:\r\n  debian:\r\n    uri: http://x/  \r\n    enabled: true\r\n", "sources:\r\n  debian:\r\n    enabled: true\r\n" },
        { "sources:\n  debian:\n    uri: http://x/   # the lab\n    enabled: true\n", "sources:\n  debian:\n    # the lab\n    enabled: true\n" },
        { "sources: {debian: {uri: \"http://x/\", enabled: true}}\n", "sources: {debian: { enabled: true}}\n" },
        { "sources: {debian: {enabled: true, uri: \"http://x/\"}}\n", "sources: {debian: {enabled: true, }}\n" },
        { "sources: {debian: {enabled: true, uri: \"http://x/\" , }}\n", "sources: {debian: {enabled: true,   }}\n" },
        { "sources: {debian: {uri: \"http://x/\" # a,\n , warnAfter: 1d}}\n", "sources: {debian: { # a,\n  warnAfter: 1d}}\n" },
    };

    [Theory]
    [MemberData(nameof(Removals))]
    public void A_setting_that_goes_back_to_its_default_leaves_and_comments_stay(string before, string after)
    {
        using var site = new SettingsSite(before);

        Assert.True(site.Apply("debian", new SourceSettingsChange { ClearUri = true }));

        Assert.Equal(after, site.Text);
        Assert.Null(site["debian"].Uri);
        Assert.False(site.Apply("debian", new SourceSettingsChange { ClearUri = true, ClearMirrorUri = true, ClearUpstreamRoot = true }));
    }

    [Fact]
    public void The_new_sites_own_file_takes_every_setting_and_keeps_its_words()
    {
        using var site = new SettingsSite();
        string[] comments = [.. site.Text.Split('\n').Where(l => l.StartsWith('#'))];
        var all = new SourceSettingsChange
        {
            Enabled = false,
            Uri = new Uri("https://tracker.example/data/json"),
            MirrorUri = new Uri("http://m.example:8080/d{1}"),
            UpstreamRoot = new Uri("http://cache.example"),
            WarnAfter = TimeSpan.FromHours(8),
            CriticalAfter = TimeSpan.FromDays(9),
            ExpireAfter = new TimeSpan(9, 1, 2, 3),
        };

        Assert.True(site.Apply("debian", all));
        Assert.True(site.Apply("osv", new SourceSettingsChange { UpstreamRoot = new Uri("http://cache.example/a,b/#".TrimEnd('#')) }));

        SourceSettings debian = site["debian"];
        Assert.Equal(all.Uri, debian.Uri);
        Assert.Equal("http://m.example:8080/d%7B1%7D/", debian.MirrorUri!.AbsoluteUri);
        Assert.Equal("http://cache.example/", debian.UpstreamRoot!.AbsoluteUri);
        Assert.Equal((all.WarnAfter, all.CriticalAfter, all.ExpireAfter), (debian.WarnAfter, debian.CriticalAfter, debian.ExpireAfter));
        Assert.Equal(comments, site.Text.Split('\n').Where(l => l.StartsWith('#')));
        Assert.False(site.Apply("debian", all));
    }

    [Fact]
    public void Another_way_to_write_the_same_value_is_left_alone()
    {
        using var site = new SettingsSite("sources:\n  alpine:\n    warnAfter: 24h\n    uri: http://x.example/a\n");

        Assert.False(site.Apply("alpine", new SourceSettingsChange { WarnAfter = TimeSpan.FromDays(1), Uri = new Uri("http://x.example/a/") }));
    }

    public static TheoryData<string, SourceSettingsChange, string> Refused => new()
    {
        { "alpin", s_disable, ErrorIds.SourceUnknown },
        { "alpine", new SourceSettingsChange { MirrorUri = new Uri("http://x/") }, ErrorIds.SettingsInvalid },
        { "alpine", new SourceSettingsChange { Uri = new Uri("http://a:b@x/") }, ErrorIds.SettingsInvalid },
        { "alpine", new SourceSettingsChange { Uri = new Uri("ftp://x/") }, ErrorIds.SettingsInvalid },
        { "alpine", new SourceSettingsChange { Uri = new Uri("x", UriKind.Relative) }, ErrorIds.SettingsInvalid },
        { "alpine", new SourceSettingsChange { WarnAfter = TimeSpan.FromDays(6) }, ErrorIds.SettingsInvalid },
        { "alpine", new SourceSettingsChange { ExpireAfter = TimeSpan.Zero }, ErrorIds.SettingsInvalid },
        { "alpine", new SourceSettingsChange { ExpireAfter = TimeSpan.FromDays(99999) }, ErrorIds.SettingsInvalid },
        { "alpine", new SourceSettingsChange { WarnAfter = TimeSpan.FromMilliseconds(1500) }, ErrorIds.SettingsInvalid },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_change_that_cannot_be_is_refused_and_the_file_is_as_it_was(string name, SourceSettingsChange change, string errorId)
    {
        using var site = new SettingsSite();
        string before = site.Text;

        Assert.Equal(errorId, Assert.Throws<FeedException>(() => site.Apply(name, change)).ErrorId);

        Assert.Equal(before, site.Text);
        Assert.Equal(["sources.yaml"], Directory.GetFiles(site.Site.Root).Select(Path.GetFileName));
    }

    [Fact]
    public void A_file_that_is_wrong_already_is_not_edited()
    {
        using var site = new SettingsSite("sources:\n  debain: {}\n");

        Assert.Equal(ErrorIds.SettingsInvalid, Assert.Throws<FeedException>(() => site.Apply("alpine", s_disable)).ErrorId);
        Assert.Equal("sources:\n  debain: {}\n", site.Text);
    }

    [Theory]
    [InlineData("sources: {}\n", "sources:\n  osv:\n    include: [go, pypi]\n")]
    [InlineData("sources:\n  osv: {}\n", "sources:\n  osv: {include: [go, pypi]}\n")]
    [InlineData("sources:\n  osv:\n    include: [go] # mine\n", "sources:\n  osv:\n    include: [go, pypi] # mine\n")]
    [InlineData("sources:\n  osv:\n    include: # mine\n    enabled: true\n", "sources:\n  osv:\n    include: [go, pypi] # mine\n    enabled: true\n")]
    [InlineData(
        "sources:\n  osv:\n    include:\n      # ours\n      - maven # old\n      - go\n    warnAfter: 1d\n",
        "sources:\n  osv:\n    include:\n      # ours\n      # old\n      - go\n      - pypi\n    warnAfter: 1d\n")]
    [InlineData("sources:\n  osv:\n    include:\n    - 'PyPI'\n    - go", "sources:\n  osv:\n    include:\n    - 'PyPI'\n    - go")]
    public void A_list_is_changed_item_by_item(string before, string after)
    {
        using var site = new SettingsSite(before);

        bool changed = site.Apply("osv", new SourceSettingsChange { Include = ["go", "pypi"] });

        Assert.Equal(after, site.Text);
        Assert.Equal(before != after, changed);
        Assert.True(site["osv"].Selection.Wants("PyPI") && site["osv"].Selection.Wants("Go") && !site["osv"].Selection.Wants("maven"));
        site.Apply("osv", new SourceSettingsChange { Include = [] });
        Assert.Equal(["go", "maven", "pypi", "rubygems"], site["osv"].Selection.Include);
        Assert.DoesNotContain("include", site.Text);
    }

    [Fact]
    public void A_list_with_comments_inside_its_brackets_is_left_to_people()
    {
        const string Text = "sources:\n  osv:\n    include: [go, # old\n      pypi]\n";
        using var site = new SettingsSite(Text);

        FeedException e = Assert.Throws<FeedException>(() => site.Apply("osv", new SourceSettingsChange { Include = ["maven"] }));

        Assert.Equal(ErrorIds.SettingsInvalid, e.ErrorId);
        Assert.Equal(Text, site.Text);
        Assert.False(site.Apply("osv", new SourceSettingsChange { Include = ["pypi", "go"] }));
    }

    [Fact]
    public void A_source_that_Clair_needs_whole_has_no_parts_to_choose()
    {
        using var site = new SettingsSite();

        FeedException e = Assert.Throws<FeedException>(() => site.Apply("debian", new SourceSettingsChange { Exclude = ["buster"] }));

        Assert.Equal(ErrorIds.SourceIsWhole, e.ErrorId);
        Assert.DoesNotContain("buster", site.Text);
    }

    [Fact]
    public void Any_valid_file_changes_only_where_it_was_asked_to()
    {
        var random = new Random(20260301);
        using var site = new SettingsSite();
        int written = 0;
        for (int i = 0; i < 600; i++)
        {
            string before = Generate(random);
            site.Text = before;
            SiteSettings old = SiteSettings.Load(site.Site); // the generator writes valid files
            SourceDefinition source = SourceCatalog.All[random.Next(SourceCatalog.All.Count)];
            SourceSettingsChange change = Change(random, source);

            bool changed = site.Apply(source.Name, change);

            string after = site.Text;
            written += changed ? 1 : 0;
            Assert.Equal(changed, before != after);
            Assert.Equal(Comment().Matches(before).Select(m => m.Value), Comment().Matches(after).Select(m => m.Value));
            SiteSettings now = SiteSettings.Load(site.Site);
            Assert.Equal(old.Sources.Where(s => s.Name != source.Name), now.Sources.Where(s => s.Name != source.Name));
            Assert.Equal(Expected(old.Sources.Single(s => s.Name == source.Name), change), now.Sources.Single(s => s.Name == source.Name));
            Assert.True(before.Contains('\r') == after.Contains('\r') || before.Length == 0, $"{before}\n--- now\n{after}");
            AssertOtherLinesStay(before, after, source.Name);
            Assert.False(site.Apply(source.Name, change));
        }

        Assert.InRange(written, 300, 600);
    }

    /// <summary>Lines that belong to another source, and comment lines, are all still there, in their order.</summary>
    private static void AssertOtherLinesStay(string before, string after, string source)
    {
        string[] remaining = after.Split('\n');
        int at = 0;
        string section = "";
        foreach (string line in before.Split('\n'))
        {
            section = Section().Match(line) is { Success: true } m ? m.Groups[1].Value : section;
            if ((section != source || line.TrimStart().StartsWith('#')) && !line.Contains("sources", StringComparison.Ordinal) && !line.Contains('{'))
            {
                int found = Array.FindIndex(remaining, at, l => l.TrimEnd('\r') == line.TrimEnd('\r'));
                Assert.True(found >= 0, $"'{line}' has gone:\n{before}\n--- now\n{after}");
                at = found + 1;
            }
        }
    }

    private static SourceSettings Expected(SourceSettings s, SourceSettingsChange c) => s with
    {
        Enabled = c.Enabled ?? s.Enabled,
        Uri = c.ClearUri ? null : c.Uri ?? s.Uri,
        UpstreamRoot = c.ClearUpstreamRoot ? null : c.UpstreamRoot ?? s.UpstreamRoot,
        WarnAfter = c.WarnAfter ?? s.WarnAfter,
        ExpireAfter = c.ExpireAfter ?? s.ExpireAfter,
        Include = c.Include ?? s.Include,
        Exclude = c.Exclude ?? s.Exclude,
        MaxShrink = c.MaxShrink ?? s.MaxShrink,
    };

    private static SourceSettingsChange Change(Random random, SourceDefinition source) => new()
    {
        Enabled = random.Next(2) == 0 ? random.Next(2) == 0 : null,
        Uri = random.Next(4) == 0 ? new Uri($"http://h{random.Next(3)}.example/a,b/") : null,
        ClearUpstreamRoot = random.Next(3) == 0,
        WarnAfter = random.Next(3) == 0 ? TimeSpan.FromHours(random.Next(1, 50)) : null,
        ExpireAfter = random.Next(3) == 0 ? TimeSpan.FromSeconds(random.Next(7 * 86400, 9 * 86400)) : null,
        Include = random.Next(2) == 0 && source.PartKind is not null ? Parts(random) : null,
        Exclude = random.Next(2) == 0 && source.PartKind is not null ? Parts(random) : null,
        MaxShrink = random.Next(4) == 0 ? random.Next(101) : null,
    };

    private static string[] Parts(Random random) => [.. new[] { "p1", "P2", "p 3", "v3.*", "a,b", "#x", "it's" }.Where(_ => random.Next(3) == 0)];

    private static string Generate(Random random)
    {
        int comment = 0;
        string Comment() => random.Next(3) == 0 ? $"{new string(' ', random.Next(1, 4))}# c{comment++}: {{x}}, \"y\" 'z'" : "";
        string Blank(int indent) => random.Next(5) == 0 ? "\n" : random.Next(5) == 0 ? $"{new string(' ', indent)}# c{comment++}\n" : "";

        int step = random.Next(1, 5);
        string one = new(' ', step);
        var text = new StringBuilder(random.Next(8) == 0 ? "\uFEFF" : "");
        text.Append(Blank(0)).Append(random.Next(2) == 0 ? $"version: 1{Comment()}\n" : "").Append(Blank(0));
        List<string> names = [.. SourceCatalog.All.Select(s => s.Name).OrderBy(_ => random.Next()).Take(random.Next(6))];
        if (names.Count > 0)
        {
            text.Append("sources:").Append(Comment()).Append('\n');
            foreach (string name in names)
            {
                List<string> settings = [.. Settings(random, name)];
                text.Append(Blank(step));
                if (random.Next(4) == 0)
                {
                    text.Append($"{one}{name}: {{ {string.Join(random.Next(2) == 0 ? ", " : " , ", settings)} }}{Comment()}\n");
                    continue;
                }

                text.Append($"{one}{name}:{Comment()}\n").Append(Blank(2 * step));
                foreach (string setting in settings)
                {
                    text.Append($"{one}{one}{setting}{Comment()}\n").Append(Blank(2 * step));
                }

                if (random.Next(2) == 0 && SourceCatalog.Get(name).PartKind is not null)
                {
                    string deeper = new(' ', random.Next(2) * step);
                    text.Append($"{one}{one}exclude:{Comment()}\n").Append(Blank(2 * step));
                    foreach (string part in new[] { "p1", "'p2'", "\"p 3\"" }.Take(random.Next(1, 4)))
                    {
                        text.Append($"{one}{one}{deeper}- {part}{Comment()}\n").Append(Blank(2 * step));
                    }
                }
            }
        }
        else
        {
            text.Append(random.Next(3) switch { 0 => $"sources: {{}}{Comment()}\n", 1 => $"sources:{Comment()}\n", _ => "" });
        }

        text.Append(Blank(0)).Append(random.Next(3) == 0 ? $"keepGenerations: 5{Comment()}\n" : "").Append(Blank(0));
        string result = text.ToString();
        result = random.Next(4) == 0 ? result.TrimEnd('\n') : result;
        return random.Next(3) == 0 ? result.Replace("\n", "\r\n", StringComparison.Ordinal) : result;
    }

    private static IEnumerable<string> Settings(Random random, string name)
    {
        if (random.Next(2) == 0)
        {
            yield return random.Next(2) == 0 ? "enabled:  true" : "enabled: 'false'";
        }

        if (random.Next(2) == 0)
        {
            yield return "upstreamRoot: \"http://cache.example/#\"".Replace("#", "", StringComparison.Ordinal);
        }

        if (random.Next(2) == 0)
        {
            yield return "warnAfter: 24h";
        }

        if (random.Next(2) == 0 && SourceCatalog.Get(name).PartKind is not null)
        {
            yield return random.Next(3) == 0 ? "include: []" : "include: [ p1,'p2', \"p3\" ]";
        }
    }

    [GeneratedRegex(@"# ?c\d+[^\r\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^ +((?:alpine|aws|clair\.(?:cvss|epss|kev)|debian|oracle|osv|photon|rhel-vex|suse|ubuntu|repository-to-cpe|container-name-repos-map)):|^\S.*")]
    private static partial Regex Section();
}
