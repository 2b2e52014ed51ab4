using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Tests.Families;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Oval;

public sealed class PhotonFamilyTests
{
    private const string Folder = "packages.vmware.com/photon/photon_oval_definitions/";

    [Theory]
    [InlineData(ListingStyle.Apache)]
    [InlineData(ListingStyle.Forbidden)]
    public async Task Every_release_that_is_there_is_taken_whether_or_not_the_server_lists_it(ListingStyle style)
    {
        await using FamilyRig rig = await UpstreamAsync(1, 2, 3, 4, 5, 6);
        rig.Upstream.SetHost("packages.vmware.com", new UpstreamHost(Listing: style));

        CollectedContent content = await rig.CollectContentAsync();

        Assert.Equal(["1.0", "2.0", "3.0", "4.0", "5.0", "6.0"], content.Releases);
        Assert.Equal(
            [
                "photon-updater-1.0", "photon-updater-2.0", "photon-updater-3.0", "photon-updater-4.0", "photon-updater-5.0", "photon-updater-6.0",
                "photon-updater-photon1", "photon-updater-photon2", "photon-updater-photon3",
            ],
            content.Updaters.Order(StringComparer.Ordinal));
        Assert.Equal(5, content.AdvisoryCount);
        Assert.Equal(style == ListingStyle.Forbidden, content.Note?.Contains("would be missed", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task Documents_are_published_as_they_are_with_a_type_that_Clair_does_not_unpack()
    {
        await using FamilyRig rig = await UpstreamAsync(1, 2, 3, 4, 5);

        Generation generation = await rig.PublishAsync(await rig.CollectAsync());

        Assert.Equal(Enumerable.Range(1, 5).Select(r => "/" + Name(r)), generation.Entries.Select(e => e.Path));
        Assert.All(generation.Entries, e => Assert.Equal(("application/xml", null), (e.ContentType, e.Derivation)));
        Assert.Empty(generation.HeldBack);
        rig.AssertFaithful(generation);
    }

    [Fact]
    public async Task A_release_that_upstream_never_had_is_said_and_costs_none_of_the_others()
    {
        await using FamilyRig rig = await UpstreamAsync(1, 2, 4, 5);

        Generation generation = await rig.PublishAsync(await rig.CollectAsync());

        Assert.Equal(4, generation.Entries.Count);
        Assert.Equal("photon-updater-3.0, photon-updater-photon3", Assert.Single(generation.HeldBack).Item);
    }

    [Fact]
    public async Task A_release_beyond_a_gap_is_found_by_the_listing()
    {
        await using FamilyRig rig = await UpstreamAsync(1, 5, 8);

        Assert.Equal(["1.0", "5.0", "8.0"], (await rig.CollectContentAsync()).Releases);
    }

    [Fact]
    public async Task A_release_that_went_is_missing_from_what_the_capture_speaks_for()
    {
        await using FamilyRig rig = await UpstreamAsync(1, 2, 3);
        await rig.CollectAsync();
        rig.Upstream.Remove(Name(1));

        CollectedContent content = await rig.CollectContentAsync();

        Assert.Equal(["2.0", "3.0"], content.Releases);
        Assert.DoesNotContain("photon-updater-1.0", content.Updaters);
    }

    [Fact]
    public async Task What_is_listed_and_not_there_fails_the_source()
    {
        await using FamilyRig rig = await UpstreamAsync(1, 2, 3);
        rig.Upstream.AddFault(Name(2), UpstreamFault.Status(404));

        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, "photon2.xml");
    }

    [Fact]
    public async Task No_release_at_all_and_releases_without_an_advisory_fail_the_source()
    {
        await using FamilyRig rig = await UpstreamAsync();
        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, "no document of any release");

        rig.Put(Name(2), OvalText.Empty);
        await rig.FailsAsync(ErrorIds.UpstreamContent, "not one advisory");
    }

    [Theory]
    [InlineData("<html><body>Sign in</body></html>")]
    [InlineData("")]
    [InlineData("<oval_definitions><definitions>")]
    public async Task A_page_in_place_of_a_document_fails_the_source(string content)
    {
        await using FamilyRig rig = await UpstreamAsync(1, 2, 3);
        rig.Put(Name(3), content);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "https://" + Name(3));
    }

    [Fact]
    public async Task A_server_that_has_every_name_does_not_hold_the_collector_for_ever()
    {
        await using FamilyRig rig = await UpstreamAsync([.. Enumerable.Range(1, 60)]);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "answers 200 to any name");
    }

    private static string Name(int release) => $"{Folder}com.vmware.phsa-photon{release}.xml";

    private static async Task<FamilyRig> UpstreamAsync(params int[] releases)
    {
        FamilyRig rig = await FamilyRig.StartAsync("photon");
        foreach (int release in releases)
        {
            rig.Put(Name(release), release == 2 ? OvalText.Empty : OvalText.With($"{release}"));
        }

        return rig;
    }
}
