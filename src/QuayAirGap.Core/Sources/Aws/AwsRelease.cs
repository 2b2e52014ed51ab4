namespace QuayAirGap.Core.Sources.Aws;

/// <summary>One release of Amazon Linux, with the address that is built into Clair (claircore aws/releases.go).</summary>
/// <param name="Name">As Clair calls it: "AL2023".</param>
/// <param name="MirrorList">A text of absolute URLs, one a line; it is the only place that Clair takes addresses from.</param>
internal sealed record AwsRelease(string Name, Uri MirrorList)
{
    public static IReadOnlyList<AwsRelease> All { get; } =
    [
        new("AL1", new Uri("http://repo.us-west-2.amazonaws.com/2018.03/updates/x86_64/mirror.list")),
        new("AL2", new Uri("https://cdn.amazonlinux.com/2/core/latest/x86_64/mirror.list")),
        new("AL2023", new Uri("https://cdn.amazonlinux.com/al2023/core/mirrors/latest/x86_64/mirror.list")),
    ];

    public string Updater => $"aws-{Name}-updater";
}
