using System.Globalization;
using System.Runtime.CompilerServices;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Quay.Api;

namespace QuayAirGap.Core.Coverage;

/// <summary>One image to ask Clair for.</summary>
/// <param name="Name">"registry/namespace/repository:tag", or the digest where no name is known.</param>
/// <param name="ManifestDigest">"sha256:…".</param>
/// <param name="Tags">All its tags in that repository; empty where that is not known.</param>
public sealed record ImageReference(string Name, string ManifestDigest, IReadOnlyList<string> Tags)
{
    /// <summary>When the image was made at the latest, UTC; null where that is not known.</summary>
    public DateTimeOffset? CreatedAt { get; init; }
}

/// <summary>An image of a fleet that was asked for.</summary>
/// <param name="Reference">Which.</param>
/// <param name="Coverage">What the feeds can say of it; null where <paramref name="Error"/> says why that is not known.</param>
/// <param name="Error">Clair did not answer, or not with a report.</param>
public sealed record AskedImage(ImageReference Reference, ImageCoverage? Coverage, FeedException? Error);

/// <summary>Judges many images: asks Clair for each report once, whatever number of names lead to it, a few at a time.</summary>
/// <param name="clair">Where the reports are.</param>
/// <param name="evaluator">What judges them.</param>
public sealed class ImageFleet(ClairClient clair, CoverageEvaluator evaluator)
{
    /// <summary>Requests under way at Clair, or at Quay. Clair limits itself as well, and so does our client of Quay: more would only wait there.</summary>
    private const int AtOnce = 4;

    /// <summary>Before this there were none: what is dated earlier has no date.</summary>
    private static readonly DateTimeOffset s_firstImages = new(2013, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Errors of one image; any other, a wrong key above all, is that of every image.</summary>
    private static readonly string[] s_ofOne = [ErrorIds.IndexReportInvalid, ErrorIds.ManifestDigestInvalid, ErrorIds.UpstreamTooLarge];

    /// <summary>The images of a Quay, by namespace and repository.</summary>
    /// <param name="quay">Lists them.</param>
    /// <param name="organizations">Whose; ignored where <paramref name="repositories"/> names any.</param>
    /// <param name="repositories">"namespace/repository"; empty for all.</param>
    /// <param name="mappingsCapturedAt">
    /// UTC. Of images that were tagged later, Quay is asked when they were made: a tag may be newer than its image. Null where nothing depends on it.
    /// </param>
    /// <param name="progress">Told of each repository, and of each image that Quay was asked for; from several threads.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    public static async Task<IReadOnlyList<ImageReference>> ListAsync(
        QuayClient quay, IReadOnlyList<string> organizations, IReadOnlyList<string> repositories, DateTimeOffset? mappingsCapturedAt,
        IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        List<QuayImage> images = [];
        foreach (string repository in repositories)
        {
            int slash = repository.IndexOf('/', StringComparison.Ordinal);
            if (slash <= 0 || slash == repository.Length - 1)
            {
                throw new FeedException(
                    ErrorIds.QuayNotFound, $"'{repository}' does not name a repository.", repository, "Name it with its namespace: 'apps/shop'.");
            }

            progress?.Report(new FeedProgress(repository[..slash], "Listing images", repository));
            var named = new QuayRepository(repository[..slash], repository[(slash + 1)..], null);
            images.AddRange(await quay.GetImagesAsync(named, cancellationToken).ConfigureAwait(false));
        }

        if (repositories.Count == 0)
        {
            await foreach (QuayImage image in quay.GetImagesAsync(organizations, progress, cancellationToken).ConfigureAwait(false))
            {
                images.Add(image);
            }
        }

        DateTimeOffset?[] made = await MadeAsync(quay, images, mappingsCapturedAt, progress, cancellationToken).ConfigureAwait(false);
        return [.. images.Zip(made, (image, at) => Reference(quay, image, at))];
    }

    /// <summary>Each image once, in the order given. An image without a report is unindexed, and never left out.</summary>
    /// <param name="images">What to ask for.</param>
    /// <param name="progress">Told how many are done.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    /// <exception cref="FeedException">What concerns every image: <see cref="ErrorIds.ClairUnauthorized"/>, <see cref="ErrorIds.UpstreamUnreachable"/>.</exception>
    public async IAsyncEnumerable<AskedImage> AskAsync(
        IReadOnlyList<ImageReference> images, IProgress<FeedProgress>? progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var gate = new SemaphoreSlim(AtOnce);
        var asked = new Dictionary<string, Task<(ImageCoverage?, FeedException?)>>(StringComparer.Ordinal);
        var made = images.Where(i => i.CreatedAt is not null).GroupBy(i => i.ManifestDigest).ToDictionary(g => g.Key, g => g.Min(i => i.CreatedAt));
        var waiting = new Queue<ImageReference>();
        int done = 0;
        try
        {
            foreach (ImageReference image in images)
            {
                if (!asked.ContainsKey(image.ManifestDigest))
                {
                    asked.Add(image.ManifestDigest, AskAsync(image with { CreatedAt = made.GetValueOrDefault(image.ManifestDigest) }, gate, cancellationToken));
                }

                waiting.Enqueue(image);
                if (waiting.Count > AtOnce * 4)
                {
                    yield return await NextAsync().ConfigureAwait(false);
                }
            }

            while (waiting.Count > 0)
            {
                yield return await NextAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            // Nobody looks at the others any more where one has ended it all; the gate must outlive them.
            await Task.WhenAll(asked.Values.Select(t => t.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default)))
                .ConfigureAwait(false);
        }

        async Task<AskedImage> NextAsync()
        {
            ImageReference image = waiting.Dequeue();
#pragma warning disable VSTHRD003 // started above
            (ImageCoverage? coverage, FeedException? error) = await asked[image.ManifestDigest].ConfigureAwait(false);
#pragma warning restore VSTHRD003
            done++;
            progress?.Report(new FeedProgress(
                null, string.Create(CultureInfo.InvariantCulture, $"Asking Clair: {done} of {images.Count} images"), image.Name, done, null));
            return new AskedImage(image, coverage, error);
        }
    }

    private async Task<(ImageCoverage? Coverage, FeedException? Error)> AskAsync(ImageReference image, SemaphoreSlim gate, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Stream? report = await clair.GetIndexReportAsync(image.ManifestDigest, cancellationToken).ConfigureAwait(false);
            if (report is null)
            {
                return (evaluator.NotIndexed(image.ManifestDigest), null);
            }

            await using (report.ConfigureAwait(false))
            {
                return (evaluator.Evaluate(await IndexReport.ReadAsync(report, cancellationToken).ConfigureAwait(false), image.CreatedAt), null);
            }
        }
        catch (FeedException e) when (s_ofOne.Contains(e.ErrorId))
        {
            return (null, e);
        }
        finally
        {
            gate.Release();
        }
    }

    private static ImageReference Reference(QuayClient quay, QuayImage image, DateTimeOffset? createdAt) => new(
        $"{quay.Host}/{image.Namespace}/{image.Repository}:{(image.Tags is [string tag, ..] ? tag : image.ManifestDigest)}{(image.Platform is { } p ? $" ({p})" : "")}",
        image.ManifestDigest, image.Tags)
    {
        CreatedAt = createdAt,
    };

    /// <summary>When each image was made, in their order; one request for each that is in question, a few at a time.</summary>
    private static async Task<DateTimeOffset?[]> MadeAsync(
        QuayClient quay, List<QuayImage> images, DateTimeOffset? mappingsCapturedAt, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        DateTimeOffset?[] made = [.. images.Select(i => i.TaggedAt)];
        int[] open = [.. Enumerable.Range(0, made.Length).Where(i => made[i] > mappingsCapturedAt)];
        int done = 0;
        await Parallel.ForEachAsync(open, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (i, stop) =>
        {
            made[i] = await CreatedAsync(quay, images[i], made[i]!.Value, stop).ConfigureAwait(false);
            progress?.Report(new FeedProgress(
                null, string.Create(CultureInfo.InvariantCulture, $"Asking Quay when images were made: {Interlocked.Increment(ref done)} of {open.Length}"), images[i].Repository));
        }).ConfigureAwait(false);
        return made;
    }

    /// <summary>An image was made before it was tagged; how long before, its own history tells, where it tells a time that can be one.</summary>
    private static async Task<DateTimeOffset> CreatedAsync(QuayClient quay, QuayImage image, DateTimeOffset tagged, CancellationToken cancellationToken)
    {
        try
        {
            QuayManifest manifest = await quay.GetManifestAsync(image.Namespace, image.Repository, image.ManifestDigest, cancellationToken).ConfigureAwait(false);
            return manifest.CreatedAt is { } created && created >= s_firstImages && created < tagged ? created : tagged;
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.QuayNotFound)
        {
            return tagged;
        }
    }
}
