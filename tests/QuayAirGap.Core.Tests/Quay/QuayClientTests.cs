using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Quay.Api;
using QuayAirGap.Core.Tests.Collecting;
using QuayAirGap.Core.Tests.Support;
using QuayAirGap.TestKit.Quay;
using Xunit;

namespace QuayAirGap.Core.Tests.Quay;

/// <summary>Quay's REST API, against a server that is as strict as Quay.</summary>
public sealed class QuayClientTests
{
    private static readonly UpstreamOptions s_hasty = new() { Attempts = 3, RetryDelay = TimeSpan.FromMilliseconds(20), StallTimeout = TimeSpan.FromSeconds(20), RequestsPerHost = 4 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_superuser_finds_every_namespace_over_several_pages()
    {
        await using QuayServer quay = await ServerAsync("super:user", "user:read");
        quay.Organizations.AddRange(["apps", "base", "infra", "lab", "tools", "web", "zoo"]);
        quay.Users.AddRange(["alex", "kim", "sam"]);
        quay.Memberships.Add("apps");
        using QuayClient client = Client(quay);

        IReadOnlyList<QuayNamespace> namespaces = await client.GetNamespacesAsync(Token);

        Assert.Equal(["alex", "apps", "base", "infra", "kim", "lab", "robin", "sam", "tools", "web", "zoo"], namespaces.Select(n => n.Name));
        Assert.Equal(["apps", "robin"], namespaces.Where(n => n.IsMember).Select(n => n.Name));
        Assert.Empty(quay.Mistakes);
    }

    [Fact]
    public async Task When_an_image_was_tagged_and_made_is_told_as_far_as_Quay_knows()
    {
        await using QuayServer quay = await ServerAsync("repo:read");
        quay.Memberships.Add("apps");
        var tagged = new DateTimeOffset(2026, 11, 25, 8, 0, 0, TimeSpan.Zero);
        var made = new DateTimeOffset(2026, 11, 20, 9, 30, 15, TimeSpan.Zero);
        quay.Repository("apps", "shop").Image(Digest(1), "1.0").Dated(Digest(1), tagged, DateTimeOffset.UnixEpoch, made, null, made.AddDays(-3)).Image(Digest(2), "2.0")
            .List(Digest(3), "all", [$"{{\"digest\":\"{Digest(1)}\"}}"], [Digest(1)]).Dated(Digest(3), tagged.AddHours(-1));
        using QuayClient client = Client(quay);

        IReadOnlyList<QuayImage> images = await client.GetImagesAsync(new QuayRepository("apps", "shop", null), Token);

        QuayImage shop = images.Single(i => i.ManifestDigest == Digest(1));
        Assert.Equal((tagged.AddHours(-1), "1.0,all"), (shop.TaggedAt, string.Join(',', shop.Tags))); // the older of its tags
        Assert.Equal(made, (await client.GetManifestAsync("apps", "shop", Digest(1), Token)).CreatedAt);
        Assert.Null((await client.GetManifestAsync("apps", "shop", Digest(2), Token)).CreatedAt);
        Assert.Null((await client.GetManifestAsync("apps", "shop", Digest(3), Token)).CreatedAt);
        Assert.Empty(quay.Mistakes);
    }

    [Fact]
    public async Task Anybody_else_finds_their_own_organisations_and_nobody_none()
    {
        await using QuayServer quay = await ServerAsync("repo:read", "user:read");
        quay.Organizations.AddRange(["apps", "base"]);
        quay.Memberships.Add("apps");
        using QuayClient client = Client(quay);
        Assert.Equal([new QuayNamespace("apps", true), new QuayNamespace("robin", true)], await client.GetNamespacesAsync(Token));

        using var anonymous = new QuayClient(quay.Uri, token: null, options: s_hasty);
        FeedException refused = await Assert.ThrowsAsync<FeedException>(() => anonymous.GetNamespacesAsync(Token));
        Assert.Equal(ErrorIds.QuayDenied, refused.ErrorId);
        Assert.Contains("super:user", refused.Remedy);
    }

    [Fact]
    public async Task All_repositories_and_tags_are_read_whatever_the_number_of_pages()
    {
        await using QuayServer quay = await ServerAsync("repo:read");
        quay.Memberships.Add("apps");
        for (int i = 0; i < 10; i++)
        {
            quay.Repository("apps", $"nested/app-{i}").Image(Digest(i), $"v{i}");
        }

        QuayRepositoryData many = quay.Repository("apps", "many");
        for (int i = 0; i < 250; i++)
        {
            many.Image(Digest(1000 + (i / 2)), $"t{i:d3}");
        }

        quay.Repository("secret", "closed").Image(Digest(1), "latest");
        quay.Repository("secret", "open").Image(Digest(2), "latest");
        quay.Repositories[^1].IsPublic = true;
        using QuayClient client = Client(quay);

        List<QuayRepository> repositories = await client.GetRepositoriesAsync("apps", Token).ToListAsync(Token);
        Assert.Equal(11, repositories.Count);
        Assert.All(repositories, r => Assert.Equal("NORMAL", r.State));
        Assert.Equal(["open"], (await client.GetRepositoriesAsync("secret", Token).ToListAsync(Token)).Select(r => r.Name));

        List<QuayTag> tags = await client.GetTagsAsync("apps", "many", Token).ToListAsync(Token);
        Assert.Equal(250, tags.Count);
        Assert.Equal(3, quay.Requests.Count(r => r.Contains("/many/tag/", StringComparison.Ordinal)));

        var progress = new List<FeedProgress>();
        List<QuayImage> images = await client.GetImagesAsync(["apps", "secret"], new Collected(progress), Token).ToListAsync(Token);
        Assert.Equal(10 + 125 + 1, images.Count);
        Assert.Equal(["t000", "t001"], images.Single(i => i.ManifestDigest == Digest(1000)).Tags);
        Assert.Equal(12, progress.Count(p => p.Item is not null));
        Assert.Equal(["apps", "secret"], progress.Where(p => p.Completed).Select(p => p.Source));
        Assert.Empty(quay.Mistakes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_list_is_the_images_in_it_without_attestations_and_those_that_are_not_here(bool tellsChildren)
    {
        await using QuayServer quay = await ServerAsync("repo:read");
        quay.TellsChildren = tellsChildren;
        quay.Memberships.Add("apps");
        string Entry(int n, string platform, string more = "") =>
            "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"size\":1,\"digest\":\"" + Digest(n) + "\",\"platform\":{" + platform + "}" + more + "}";
        quay.Repository("apps", "multi")
            .Image(Digest(1)).Image(Digest(2)).Image(Digest(3), "only-amd64-too").Image(Digest(4))
            .List(
                Digest(100), "latest",
                [
                    Entry(1, "\"os\":\"linux\",\"architecture\":\"amd64\""),
                    Entry(2, "\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\""),
                    Entry(4, "\"os\":\"unknown\",\"architecture\":\"unknown\"", ",\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}"),
                    Entry(9, "\"os\":\"linux\",\"architecture\":\"s390x\""),
                ],
                [Digest(1), Digest(2), Digest(4), Digest(9)]);
        quay.Repositories[0].Tags.Add(("stable", Digest(100)));
        using QuayClient client = Client(quay);

        IReadOnlyList<QuayImage> images = await client.GetImagesAsync(new QuayRepository("apps", "multi", "NORMAL"), Token);

        QuayImage arm = images.Single(i => i.ManifestDigest == Digest(2));
        Assert.Equal("linux/arm64/v8", arm.Platform);
        Assert.Equal(["latest", "stable"], arm.Tags);
        int[] expected = tellsChildren ? [1, 2, 3] : [1, 2, 3, 9]; // without being told it cannot be known that one is not here
        Assert.Equal(expected.Select(Digest), images.Select(i => i.ManifestDigest).Order());
        Assert.Equal(1, quay.Requests.Count(r => r.EndsWith($"/manifest/{Digest(100)}", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_list_within_a_list_is_followed()
    {
        await using QuayServer quay = await ServerAsync("repo:read");
        quay.Memberships.Add("apps");
        quay.Repository("apps", "nested").Image(Digest(1))
            .List(Digest(101), "", [$$$"""{"digest":"{{{Digest(1)}}}","platform":{"os":"linux","architecture":"amd64"}}"""], [Digest(1)])
            .List(Digest(100), "latest", [$$"""{"digest":"{{Digest(101)}}"}"""], [Digest(101)]);
        using QuayClient client = Client(quay);

        QuayImage image = Assert.Single(await client.GetImagesAsync(new QuayRepository("apps", "nested", "NORMAL"), Token));
        Assert.Equal(Digest(1), image.ManifestDigest);
    }

    [Fact]
    public async Task Labels_are_read_added_and_removed()
    {
        await using QuayServer quay = await ServerAsync("repo:read", "repo:write");
        quay.Memberships.Add("apps");
        QuayRepositoryData repository = quay.Repository("apps", "web").Image(Digest(1), "latest");
        repository.Manifests[Digest(1)].Labels.AddRange([new QuayLabelData("m1", "airgap.scan-warning", "from the image", "manifest", "text/plain"), new QuayLabelData("o1", "maintainer", "x", "api", "text/plain")]);
        using QuayClient client = Client(quay);

        QuayLabel added = await client.AddLabelAsync("apps", "web", Digest(1), "airgap.scan-warning", "Stale: rhel-vex \"16\" days ☃", Token);
        IReadOnlyList<QuayLabel> labels = await client.GetLabelsAsync("apps", "web", Digest(1), "airgap.", Token);
        Assert.Equal([("m1", false), (added.Id, true)], labels.Select(l => (l.Id, l.IsMutable)));
        Assert.Equal("Stale: rhel-vex \"16\" days ☃", labels[1].Value);

        await client.RemoveLabelAsync("apps", "web", Digest(1), added.Id, Token);
        await client.RemoveLabelAsync("apps", "web", Digest(1), added.Id, Token); // gone is gone
        Assert.Equal(["m1", "o1"], repository.Manifests[Digest(1)].Labels.Select(l => l.Id));
        Assert.Equal(["manifest_label_add apps/web airgap.scan-warning", "manifest_label_delete apps/web airgap.scan-warning"], quay.Audit);

        FeedException reserved = await Assert.ThrowsAsync<FeedException>(() => client.AddLabelAsync("apps", "web", Digest(1), "quay.x", "y", Token));
        Assert.Equal(ErrorIds.QuayAnswer, reserved.ErrorId);
        Assert.Contains("reserved prefix", reserved.Message);
        Assert.Empty(quay.Mistakes);
    }

    [Theory]
    [InlineData("MIRROR", false)]
    [InlineData("READ_ONLY", false)]
    [InlineData("NORMAL", true)]
    public async Task What_Quay_keeps_from_being_changed_is_an_error_of_its_own_and_asked_for_once(string state, bool readOnlyRegistry)
    {
        await using QuayServer quay = await ServerAsync("repo:read", "repo:write");
        quay.Memberships.Add("apps");
        quay.Repository("apps", "web").Image(Digest(1), "latest").State = state;
        quay.ReadOnly = readOnlyRegistry;
        using QuayClient client = Client(quay);

        FeedException error = await Assert.ThrowsAsync<FeedException>(() => client.AddLabelAsync("apps", "web", Digest(1), "airgap.x", "y", Token));
        Assert.Equal(ErrorIds.QuayReadOnly, error.ErrorId);
        Assert.Contains(readOnlyRegistry ? "read-only" : state, error.Message);
        Assert.Single(quay.Requests);
    }

    [Fact]
    public async Task A_missing_scope_and_a_missing_manifest_are_told_apart()
    {
        await using QuayServer quay = await ServerAsync("repo:read");
        quay.Memberships.Add("apps");
        quay.Repository("apps", "web").Image(Digest(1), "latest");
        using QuayClient client = Client(quay);

        FeedException denied = await Assert.ThrowsAsync<FeedException>(() => client.AddLabelAsync("apps", "web", Digest(1), "airgap.x", "y", Token));
        Assert.Equal(ErrorIds.QuayDenied, denied.ErrorId);
        FeedException missing = await Assert.ThrowsAsync<FeedException>(() => client.GetManifestAsync("apps", "web", Digest(2), Token));
        Assert.Equal(ErrorIds.QuayNotFound, missing.ErrorId);
        FeedException token = Assert.Throws<FeedException>(() => new QuayClient(quay.Uri, "no\ntoken"));
        Assert.Equal(ErrorIds.QuayDenied, token.ErrorId);
        Assert.DoesNotContain("no\ntoken", token.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_many_requests_are_waited_for_as_long_as_Quay_asks()
    {
        await using QuayServer quay = await ServerAsync("repo:read", "repo:write");
        quay.Memberships.Add("apps");
        quay.Repository("apps", "web").Image(Digest(1), "latest");
        int refusals = 0;
        quay.Instead = context =>
        {
            if (Interlocked.Increment(ref refusals) % 2 == 0)
            {
                return Task.FromResult(false);
            }

            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "1";
            return Task.FromResult(true);
        };
        using QuayClient client = Client(quay);

        var clock = System.Diagnostics.Stopwatch.StartNew();
        Assert.Single(await client.GetTagsAsync("apps", "web", Token).ToListAsync(Token));
        await client.AddLabelAsync("apps", "web", Digest(1), "airgap.x", "y", Token); // refused unread: may be sent again
        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(1.9), $"only {clock.Elapsed}");
        Assert.Single(quay.Repositories[0].Manifests[Digest(1)].Labels);
    }

    [Fact]
    public async Task A_label_is_not_added_twice_when_the_answer_is_lost()
    {
        await using QuayServer quay = await ServerAsync("repo:write");
        quay.Memberships.Add("apps");
        quay.Instead = context =>
        {
            context.Abort();
            return Task.FromResult(true);
        };
        using QuayClient client = Client(quay);

        await Assert.ThrowsAsync<FeedException>(() => client.AddLabelAsync("apps", "web", Digest(1), "airgap.x", "y", Token));
        Assert.Single(quay.Requests);
        await Assert.ThrowsAsync<FeedException>(() => client.GetLabelsAsync("apps", "web", Digest(1), "airgap.", Token));
        Assert.Equal(1 + s_hasty.Attempts, quay.Requests.Count);
    }

    public static TheoryData<string> Nonsense() =>
    [
        "<html>", "", "[]", "{}", """{"tags":{},"has_additional":false}""", """{"tags":[{}],"has_additional":false}""", """{"tags":[{"name":"a","manifest_digest":"x"}],"has_additional":false}""",
        """{"tags":[],"has_additional":"no"}""", """{"tags":[],"has_additional":true}""", """{"tags":[],"has_additional":tr""", """{"tags":[{"name":null,"manifest_digest":"sha256:0"}]}""",
    ];

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task Nonsense_is_an_error_and_never_an_empty_list(string answer)
    {
        await using QuayServer quay = await ServerAsync("repo:read");
        quay.Instead = async context =>
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(answer);
            return true;
        };
        using QuayClient client = Client(quay);

        FeedException error = await Assert.ThrowsAsync<FeedException>(async () => await client.GetTagsAsync("apps", "web", Token).ToListAsync(Token));
        Assert.Equal(ErrorIds.QuayAnswer, error.ErrorId);
    }

    [Fact]
    public async Task A_list_that_leads_in_a_circle_ends()
    {
        await using QuayServer quay = await ServerAsync("repo:read");
        quay.Instead = async context =>
        {
            await context.Response.WriteAsync("""{"repositories":[],"next_page":"again"}""");
            return true;
        };
        using QuayClient client = Client(quay);

        FeedException error = await Assert.ThrowsAsync<FeedException>(async () => await client.GetRepositoriesAsync("apps", Token).ToListAsync(Token));
        Assert.Equal(ErrorIds.QuayAnswer, error.ErrorId);
        Assert.Equal(2, quay.Requests.Count);
    }

    [Fact]
    public async Task A_repository_that_goes_away_in_between_is_passed_over_but_one_with_a_broken_list_is_not()
    {
        await using QuayServer quay = await ServerAsync("repo:read");
        quay.Memberships.Add("apps");
        quay.Repository("apps", "goes").Image(Digest(1), "latest");
        quay.Repository("apps", "stays").Image(Digest(2), "latest");
        quay.Instead = context =>
        {
            if (context.Request.Path.Value!.EndsWith("/goes/tag/", StringComparison.Ordinal))
            {
                quay.Repositories.RemoveAll(r => r.Name == "goes");
            }

            return Task.FromResult(false);
        };
        using QuayClient client = Client(quay);
        Assert.Equal(["stays"], (await client.GetImagesAsync(["apps"], null, Token).ToListAsync(Token)).Select(i => i.Repository));

        quay.Repositories[0].List(Digest(100), "list", [], []);
        quay.Instead = async context =>
        {
            context.Response.StatusCode = 404;
            bool refuse = context.Request.Path.Value!.EndsWith($"/manifest/{Digest(100)}", StringComparison.Ordinal);
            context.Response.StatusCode = refuse ? 404 : 200;
            await Task.CompletedTask;
            return refuse;
        };
        FeedException error = await Assert.ThrowsAsync<FeedException>(async () => await client.GetImagesAsync(["apps"], null, Token).ToListAsync(Token));
        Assert.Equal(ErrorIds.QuayNotFound, error.ErrorId);
    }

    [Fact]
    public async Task Ctrl_C_stops_at_once()
    {
        await using QuayServer quay = await ServerAsync("repo:read");
        quay.Instead = async context =>
        {
            await Task.Delay(TimeSpan.FromSeconds(30), context.RequestAborted);
            return true;
        };
        using QuayClient client = Client(quay);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        stop.CancelAfter(200);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await client.GetRepositoriesAsync("apps", stop.Token).ToListAsync(stop.Token));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed}");
    }

    [Fact]
    public async Task A_Quay_with_an_authority_of_the_site_is_trusted_only_where_it_is_named()
    {
        using var folder = new TempFolder();
        using X509Certificate2 authority = TlsPki.Authority("CN=Site CA");
        using X509Certificate2 certificate = TlsPki.Issue(authority, "CN=localhost", "1.3.6.1.5.5.7.3.1", "localhost");
        string ca = Path.Combine(folder.Path, "ca.pem");
        await File.WriteAllTextAsync(ca, authority.ExportCertificatePem(), Token);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.UseHttps(certificate)));
        builder.WebHost.UseKestrelHttpsConfiguration();
        await using WebApplication app = builder.Build();
        app.Run(context => context.Response.WriteAsync("""{"repositories":[]}"""));
        await app.StartAsync(Token);
        var address = new Uri($"https://localhost:{new Uri(app.Urls.Single()).Port}");

        using var trusting = new QuayClient(address, "token", ca, s_hasty);
        Assert.Empty(await trusting.GetRepositoriesAsync("apps", Token).ToListAsync(Token));
        using var doubting = new QuayClient(address, "token", null, s_hasty);
        FeedException error = await Assert.ThrowsAsync<FeedException>(async () => await doubting.GetRepositoriesAsync("apps", Token).ToListAsync(Token));
        Assert.Equal(ErrorIds.UpstreamUnreachable, error.ErrorId);
    }

    private static string Digest(int n) => $"sha256:{n:x64}";

    private static async Task<QuayServer> ServerAsync(params string[] scopes)
    {
        QuayServer quay = await QuayServer.StartAsync();
        quay.Tokens["secret"] = scopes;
        return quay;
    }

    private static QuayClient Client(QuayServer quay) => new(quay.Uri, "secret", options: s_hasty);

    private sealed class Collected(List<FeedProgress> into) : IProgress<FeedProgress>
    {
        public void Report(FeedProgress value) => into.Add(value);
    }
}
