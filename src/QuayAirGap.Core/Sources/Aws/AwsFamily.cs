using System.Security.Cryptography;
using System.Xml;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Gzip;

namespace QuayAirGap.Core.Sources.Aws;

/// <summary>
/// Amazon Linux: for each release a list of mirrors, a repomd.xml at one of them, and the advisories that it vouches for (claircore
/// aws/client.go). Clair cannot be told another address, so what is published must lead from the three lists, which are built into Clair,
/// to files that this mirror has.
/// </summary>
public sealed partial class AwsFamily : IFeedFamily
{
    /// <summary>The regions in the list of Amazon Linux 1, which is frozen. Only the first that answers is asked.</summary>
    private static readonly string[] s_regions =
    [
        "us-west-2", "us-west-1", "us-east-1", "ap-southeast-1", "ap-northeast-1", "ap-northeast-2", "ap-east-1", "eu-west-1", "eu-central-1",
        "sa-east-1", "ap-southeast-2",
    ];

    private static readonly SourceDefinition s_definition = new()
    {
        Name = "aws",
        Kind = SourceKind.UpdaterSet,
        Covers = "Amazon Linux 1, 2 and 2023 (core repository)",
        Uri = new Uri("https://cdn.amazonlinux.com/"),
        OtherHosts = ["repo.us-west-2.amazonaws.com", .. s_regions.Select(r => $"packages.{r}.amazonaws.com")],
        UpdaterNames = [new UpdaterNaming("all", "aws-<release>-updater")],
        Distributions = ["amzn"],
        Cadence = TimeSpan.FromDays(3),
    };

    /// <summary>The largest unpacks to 12 MB.</summary>
    private static readonly GzipLimits s_limits = GzipLimits.Default with { Size = 512 << 20 };

    private static readonly string[] s_hosts = [.. s_definition.Hosts];

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_definition];

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        var census = new AdvisoryCensus();
        Captured[] captured = await Task.WhenAll(AwsRelease.All.Select(r => TakeAsync(session, r, census, cancellationToken))).ConfigureAwait(false);
        return new CollectedContent
        {
            Files = [.. captured.SelectMany(c => new[] { c.List, c.RepoMd, c.UpdateInfo })],
            Updaters = [.. AwsRelease.All.Select(r => r.Updater)],
            AdvisoryCount = census.Count,
            Census = census,
            Releases = [.. AwsRelease.All.Select(r => r.Name)],
            UpstreamModified = captured.Max(c => c.UpdateInfo.LastModified),
        };
    }

    private static async Task<Captured> TakeAsync(
        ICollectSession session, AwsRelease release, AdvisoryCensus census, CancellationToken cancellationToken)
    {
        SnapshotFile list = await session.GetAsync(release.MirrorList, cancellationToken).ConfigureAwait(false);
        AwsMirrorList mirrors = ReadList(session.OpenRead(list), list, ErrorIds.UpstreamContent);
        (AwsMirror mirror, SnapshotFile repoMdFile) = await TakeRepoMdAsync(session, list, mirrors, cancellationToken).ConfigureAwait(false);
        RepoMd repoMd = ReadRepoMd(session.OpenRead(repoMdFile), repoMdFile, ErrorIds.UpstreamContent);
        SnapshotFile updateInfo = await session.TryGetAsync(mirror.UpdateInfo, cancellationToken).ConfigureAwait(false)
            ?? throw new FeedException(
                ErrorIds.UpstreamIncomplete,
                $"'{mirror.UpdateInfo}' is not there, and Clair asks for no other name (repomd.xml locates it at '{repoMd.Location}').",
                mirror.UpdateInfo.AbsoluteUri, "Nothing of this source was taken. Run Save-ClairFeed again later.");
        session.Report("Checking", updateInfo.Url);
        await Task.Run(() => Inspect(session, repoMd, updateInfo, census, cancellationToken), cancellationToken).ConfigureAwait(false);
        return new Captured(list, repoMdFile, updateInfo);
    }

    /// <summary>As Clair does: the first mirror that has it.</summary>
    private static async Task<(AwsMirror Mirror, SnapshotFile RepoMd)> TakeRepoMdAsync(
        ICollectSession session, SnapshotFile list, AwsMirrorList mirrors, CancellationToken cancellationToken)
    {
        FeedException? last = null;
        foreach (AwsMirror mirror in mirrors.Mirrors)
        {
            try
            {
                if (await session.TryGetAsync(mirror.RepoMd, cancellationToken).ConfigureAwait(false) is { } file)
                {
                    return (mirror, file);
                }
            }
            catch (FeedException e) when (e.ErrorId is not ErrorIds.DiskFull)
            {
                last = e;
            }
        }

        throw new FeedException(
            ErrorIds.UpstreamIncomplete,
            $"None of the {mirrors.Mirrors.Count} mirrors in '{list.Url}' has a repomd.xml{(last is null ? "." : ": " + last.Message)}", list.Url,
            "The previous capture stays. See whether the hosts in this list can be reached from here (Get-ClairFeedSource lists them).", last);
    }

    private static void Inspect(
        ICollectSession session, RepoMd repoMd, SnapshotFile file, AdvisoryCensus census, CancellationToken cancellationToken)
    {
        try
        {
            GunzipStream.ThrowUnlessGzip(session.OpenRead(file));
            if (repoMd.Size is { } size && size != file.Size)
            {
                throw Changed(file, $"has {file.Size} bytes where repomd.xml states {size}", repoMd);
            }

            using (Stream packed = session.OpenRead(file))
            {
                ThrowUnlessVouchedFor(packed, file, repoMd);
            }

            using var xml = new GunzipStream(session.OpenRead(file), s_limits, repoMd.OpenChecksum?.Algorithm ?? HashAlgorithmName.SHA256);
            if (UpdateInfo.Read(xml, census, cancellationToken) == 0)
            {
                throw new InvalidDataException("it has no advisory in it");
            }

            // Behind the document's end nothing is left but what the packed file's checksum speaks for already.
            byte[] hash = xml.Hash();
            if (repoMd.OpenChecksum is { } open && !open.Is(hash))
            {
                throw Changed(file, "unpacks to other content than repomd.xml states", repoMd);
            }

            if (repoMd.OpenSize is { } openSize && openSize != xml.Length)
            {
                throw Changed(file, $"unpacks to {xml.Length} bytes where repomd.xml states {openSize}", repoMd);
            }
        }
        catch (Exception e) when (e is InvalidDataException or XmlException)
        {
            throw Unreadable(ErrorIds.UpstreamContent, file, e);
        }
    }

    private static void ThrowUnlessVouchedFor(Stream packed, SnapshotFile file, RepoMd repoMd)
    {
        using var hash = IncrementalHash.CreateHash(repoMd.Checksum.Algorithm);
        byte[] buffer = new byte[64 << 10];
        int n;
        while ((n = packed.Read(buffer)) > 0)
        {
            hash.AppendData(buffer, 0, n);
        }

        if (!repoMd.Checksum.Is(hash.GetHashAndReset()))
        {
            throw Changed(file, "is not the file that repomd.xml vouches for", repoMd);
        }
    }

    private static AwsMirrorList ReadList(Stream content, SnapshotFile list, string errorId)
    {
        using (content)
        {
            try
            {
                AwsMirrorList mirrors = list.Size > AwsMirrorList.LargestSize
                    ? throw new InvalidDataException($"it has {list.Size} bytes")
                    : AwsMirrorList.Parse(content, s_hosts);
                return mirrors.Mirrors.Count > 0 ? mirrors : throw new InvalidDataException(
                    mirrors.Elsewhere.Count == 0 ? "it is empty" : $"it leads to hosts that Amazon Linux does not have: {string.Join(", ", mirrors.Elsewhere.Take(3))}");
            }
            catch (InvalidDataException e)
            {
                throw Unreadable(errorId, list, e);
            }
        }
    }

    private static RepoMd ReadRepoMd(Stream content, SnapshotFile file, string errorId)
    {
        using (content)
        {
            try
            {
                return file.Size > RepoMd.LargestSize ? throw new InvalidDataException($"it has {file.Size} bytes") : RepoMd.Read(content);
            }
            catch (Exception e) when (e is InvalidDataException or XmlException)
            {
                throw Unreadable(errorId, file, e);
            }
        }
    }

    private static FeedException Changed(SnapshotFile file, string what, RepoMd repoMd) => new(
        ErrorIds.UpstreamChanged,
        $"'{file.Url}' {what}{(repoMd.Location is null or "repodata/updateinfo.xml.gz" ? "" : $" (repomd.xml locates it at '{repoMd.Location}')")}.", file.Url,
        "The upstream changed while it was read, or a cache in between holds one file longer than the other. Run Save-ClairFeed again in some minutes.");

    private static FeedException Unreadable(string errorId, SnapshotFile file, Exception e) => new(
        errorId, $"'{file.Url}' is not what Clair reads there: {e.Message.TrimEnd('.')}.", file.Url,
        "The previous capture stays. Look what answers at this address in the upstream's place.", e);

    private sealed record Captured(SnapshotFile List, SnapshotFile RepoMd, SnapshotFile UpdateInfo);
}
