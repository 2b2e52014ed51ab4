using System.Text.RegularExpressions;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Tests.Families;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Oval;

public sealed partial class SuseFamilyTests
{
    private const string Folder = "ftp.suse.com/pub/projects/security/oval/";
    private static readonly string[] s_wanted = ["opensuse.leap.15.6.xml.gz", "opensuse.leap.16.0.xml.gz", "suse.linux.enterprise.server.12.xml.gz", "suse.linux.enterprise.server.15.xml.gz"];

    [Theory]
    [InlineData(ListingStyle.Apache)]
    [InlineData(ListingStyle.Nginx)]
    [InlineData(ListingStyle.Iis)]
    [InlineData(ListingStyle.Lighttpd)]
    public async Task Whatever_server_lists_the_documents_Clair_gets_one_relative_link_for_each(ListingStyle style)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.SetHost("ftp.suse.com", new UpstreamHost(Listing: style));

        CollectedContent content = await rig.CollectContentAsync();
        Generation generation = await rig.PublishAsync(await rig.CollectAsync());

        Assert.Equal(4, content.AdvisoryCount);
        Assert.Equal(
            ["opensuse.leap.15.6", "opensuse.leap.16.0", "suse.linux.enterprise.server.12", "suse.linux.enterprise.server.15"],
            content.Releases.Order(StringComparer.Ordinal));
        Assert.Equal(content.Releases.Select(r => "suse-updater-" + r), content.Updaters);
        AssertListed(rig, generation);
    }

    public static TheoryData<string> Listings =>
    [
        // An icon and a name, each a link; a checksum beside each document; links of every form.
        string.Concat(s_wanted.Select(n => $"<a href=\"{n}\"><img src=i></a><a href=\"{n}\">{n}</a>")),
        string.Concat(s_wanted.Select(n => $"<a href=\"{n}\">{n}</a><a href=\"{n}.sha256\">sum</a><a href=\"{n}.asc\">signature</a>")),
        string.Concat(s_wanted.Select(n => $"<a href=\"https://ftp.suse.com/pub/projects/security/oval/{n}\">{n}</a>")),
        string.Concat(s_wanted.Select(n => $"<A HREF='/cache/oval/{n}'>{n}</A>")),
        string.Concat(s_wanted.Select(n => $"<a href=./{n}>{n}</a>")),
    ];

    [Theory]
    [MemberData(nameof(Listings))]
    public async Task A_listing_at_which_Clair_would_fail_or_stray_becomes_one_that_it_reads(string listing)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Put(Folder + "index.html", $"<html><body>{listing}</body></html>");

        AssertListed(rig, await rig.PublishAsync(await rig.CollectAsync()));
    }

    [Theory]
    [InlineData("<html><p>Sign in</p></html>")]
    [InlineData("<html><a href=\"/login?next=suse.linux.enterprise.server.15.xml.gz\">Sign in</a><a href=\"../\">up</a></html>")]
    [InlineData("<html><a href=\"opensuse.leap.15.4.xml.gz\">too old</a><a href=\"suse.linux.enterprise.server.10.xml.gz\">too old</a></html>")]
    [InlineData("<html><a href=\"https://elsewhere.example/other/suse.linux.enterprise.server.15.xml.gz\">elsewhere</a></html>")]
    public async Task A_page_without_a_document_of_this_directory_fails_the_source(string page)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Put(Folder + "index.html", page);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "https://" + Folder);
    }

    [Fact]
    public async Task A_listed_document_that_is_not_there_fails_the_source()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.AddFault(Folder + s_wanted[0], UpstreamFault.Status(404));

        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, s_wanted[0]);
    }

    public static TheoryData<byte[]> Broken =>
    [
        "<html>Sign in</html>"u8.ToArray(), OvalText.Gz(OvalText.With("1"))[..^3], OvalText.Gz("<html/>"), OvalText.Gz(OvalText.Empty), OvalText.Bytes(OvalText.With("1")),
    ];

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task One_broken_document_fails_the_source_by_name(byte[] content)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.Replace(Folder + s_wanted[2], content);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "https://" + Folder + s_wanted[2]);
    }

    [Fact]
    public async Task A_release_that_went_is_missing_from_what_the_capture_speaks_for_and_from_the_listing()
    {
        await using FamilyRig rig = await UpstreamAsync();
        await rig.CollectAsync();
        rig.Upstream.Remove(Folder + s_wanted[2]);

        CollectedContent content = await rig.CollectContentAsync();

        Assert.DoesNotContain("suse.linux.enterprise.server.12", content.Releases);
        Assert.DoesNotContain("suse-updater-suse.linux.enterprise.server.12", content.Updaters);
    }

    private static void AssertListed(FamilyRig rig, Generation generation)
    {
        Assert.Equal(["/" + Folder, .. s_wanted.Select(n => "/" + Folder + n)], generation.Entries.Select(e => e.Path));
        string listing = rig.ContentOf(generation.Entries[0]);
        Assert.Equal(s_wanted, Href().Matches(listing).Select(m => m.Groups[1].Value));
        Assert.All(generation.Entries.Skip(1), e => Assert.Equal("application/gzip", e.ContentType));
        rig.AssertFaithful(generation);
    }

    private static async Task<FamilyRig> UpstreamAsync()
    {
        FamilyRig rig = await FamilyRig.StartAsync("suse");
        foreach (string name in s_wanted)
        {
            rig.Upstream.Replace(Folder + name, OvalText.Gz(OvalText.With(name)));
        }

        // What Clair makes no updater from.
        foreach (string name in new[]
        {
            "opensuse.leap.15.4.xml.gz", "opensuse.leap.42.3.xml.gz", "opensuse.leap.micro.5.2.xml.gz", "suse.linux.enterprise.server.15-affected.xml.gz",
            "suse.linux.enterprise.server.10.xml.gz", "suse.linux.enterprise.desktop.15.xml.gz",
        })
        {
            rig.Upstream.Replace(Folder + name, OvalText.Gz(OvalText.With("other")));
        }

        return rig;
    }

    [GeneratedRegex("href=\"([^\"]+)\"")]
    private static partial Regex Href();
}
