using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Quay.Api;
using QuayAirGap.TestKit.Quay;
using Xunit;

namespace QuayAirGap.Core.Tests.Quay;

/// <summary>Quay is asked when the images of a fleet were made, a few at a time, where their tags are newer than the mappings.</summary>
public sealed class ImageDatesTests
{
    private const int Images = 60;

    private static readonly DateTimeOffset s_mappings = new(2026, 11, 20, 0, 0, 0, TimeSpan.Zero);

    private static readonly DateTimeOffset s_tagged = s_mappings.AddDays(5);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_image_has_its_own_date_in_the_order_of_the_list_and_no_more_requests_run_than_are_allowed()
    {
        await using QuayServer quay = await FleetAsync();
        var asked = new Requests();
        int refused = 0;
        quay.Instead = context => asked.WatchAsync(context, async digest =>
        {
            await Task.Delay(50, Token);
            switch (Number(digest))
            {
                case 5 when Interlocked.Increment(ref refused) == 1: // asked to wait, it asks again
                    context.Response.StatusCode = 429;
                    context.Response.Headers.RetryAfter = "0";
                    return true;
                case 6: // deleted since it was listed
                    context.Response.StatusCode = 404;
                    return true;
                default:
                    return false;
            }
        });
        using QuayClient client = Client(quay, requests: 4);
        var told = new ConcurrentQueue<FeedProgress>();

        IReadOnlyList<ImageReference> images = await ImageFleet.ListAsync(client, ["apps"], [], s_mappings, new Told(told), Token);

        Assert.Equal(Enumerable.Range(0, Images).Select(Digest), images.Select(i => i.ManifestDigest));
        Assert.All(images, (image, i) => Assert.Equal(i == 6 ? s_tagged : Made(i), image.CreatedAt));
        Assert.InRange(asked.Most, 2, 4);
        Assert.Equal(Images + 1, asked.Digests.Count);
        Assert.Contains(told, p => p.Activity == $"Asking Quay when images were made: {Images} of {Images}");
        Assert.Empty(quay.Mistakes);
    }

    [Fact]
    public async Task A_client_that_may_send_one_request_at_a_time_sends_one_at_a_time()
    {
        await using QuayServer quay = await FleetAsync();
        var asked = new Requests();
        quay.Instead = context => asked.WatchAsync(context, async _ =>
        {
            await Task.Delay(5, Token);
            return false;
        });
        using QuayClient client = Client(quay, requests: 1);

        IReadOnlyList<ImageReference> images = await ImageFleet.ListAsync(client, [], ["apps/shop"], s_mappings, null, Token);

        Assert.All(images, (image, i) => Assert.Equal(Made(i), image.CreatedAt));
        Assert.Equal(1, asked.Most);
    }

    [Fact]
    public async Task Images_that_were_tagged_before_the_mappings_are_not_asked_for()
    {
        await using QuayServer quay = await FleetAsync();
        var asked = new Requests();
        quay.Instead = context => asked.WatchAsync(context, _ => Task.FromResult(false));
        using QuayClient client = Client(quay, requests: 4);

        IReadOnlyList<ImageReference> images = await ImageFleet.ListAsync(client, ["apps"], [], s_tagged, null, Token);

        Assert.All(images, i => Assert.Equal(s_tagged, i.CreatedAt));
        Assert.Empty(asked.Digests);
    }

    [Fact]
    public async Task The_first_refusal_ends_it_with_its_own_error()
    {
        await using QuayServer quay = await FleetAsync();
        var asked = new Requests();
        quay.Instead = context => asked.WatchAsync(context, async digest =>
        {
            await Task.Delay(20, Token);
            if (Number(digest) < 8)
            {
                return false;
            }

            context.Response.StatusCode = 403;
            return true;
        });
        using QuayClient client = Client(quay, requests: 4);

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => ImageFleet.ListAsync(client, ["apps"], [], s_mappings, null, Token));

        Assert.Equal(ErrorIds.QuayDenied, e.ErrorId);
        Assert.InRange(asked.Digests.Count, 9, 8 + 4 + 4); // those that were under way, and no more
    }

    [Fact]
    public async Task Stopped_it_asks_for_no_further_image()
    {
        await using QuayServer quay = await FleetAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var asked = new Requests();
        quay.Instead = context => asked.WatchAsync(context, async digest =>
        {
            if (Number(digest) >= 8)
            {
                await stop.CancelAsync();
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default); // never answers
            }

            return false;
        });
        using QuayClient client = Client(quay, requests: 4);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ImageFleet.ListAsync(client, ["apps"], [], s_mappings, null, stop.Token));

        Assert.InRange(asked.Digests.Count, 9, 8 + 4);
    }

    private static async Task<QuayServer> FleetAsync()
    {
        QuayServer quay = await QuayServer.StartAsync();
        quay.Tokens["token"] = ["repo:read"];
        quay.Memberships.Add("apps");
        QuayRepositoryData shop = quay.Repository("apps", "shop");
        for (int i = 0; i < Images; i++)
        {
            shop.Image(Digest(i), $"1.{i}").Dated(Digest(i), s_tagged, Made(i));
        }

        return quay;
    }

    private static QuayClient Client(QuayServer quay, int requests) => new(
        quay.Uri, "token", options: new UpstreamOptions { Attempts = 3, RetryDelay = TimeSpan.FromMilliseconds(20), StallTimeout = TimeSpan.FromSeconds(20), RequestsPerHost = requests });

    private static string Digest(int number) => $"sha256:{number:x64}";

    private static int Number(string digest) => Convert.ToInt32(digest[^8..], 16);

    private static DateTimeOffset Made(int number) => s_mappings.AddMinutes(number - 30);

    private sealed class Told(ConcurrentQueue<FeedProgress> told) : IProgress<FeedProgress>
    {
        public void Report(FeedProgress value) => told.Enqueue(value);
    }

    /// <summary>The requests for manifests, and how many of them were under way at once.</summary>
    private sealed class Requests
    {
        private int _running;

        public ConcurrentQueue<string> Digests { get; } = [];

        public int Most { get; private set; }

        public async Task<bool> WatchAsync(HttpContext context, Func<string, Task<bool>> answer)
        {
            string path = context.Request.Path.Value!;
            int at = path.IndexOf("/manifest/", StringComparison.Ordinal);
            if (at < 0)
            {
                return false;
            }

            string digest = path[(at + "/manifest/".Length)..];
            lock (Digests)
            {
                Most = Math.Max(Most, ++_running);
            }

            Digests.Enqueue(digest);
            try
            {
                return await answer(digest);
            }
            finally
            {
                lock (Digests)
                {
                    _running--;
                }
            }
        }
    }
}
