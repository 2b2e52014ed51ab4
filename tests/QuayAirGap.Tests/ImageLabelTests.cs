using System.Collections;
using QuayAirGap.TestKit.Quay;

namespace QuayAirGap.Tests;

/// <summary>Labels on images in a Quay that is as strict as the original.</summary>
public sealed class ImageLabelTests : IDisposable
{
    private const string Set = "param($i, $q, $t) $i | Set-ClairImageLabel -QuayUri $q -QuayTokenPath $t";

    private readonly Folder _folder = new();
    private readonly Engine _engine = new();

    public void Dispose()
    {
        _engine.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_label_is_set_kept_updated_and_removed_and_there_is_never_more_than_one()
    {
        await using QuayServer quay = await QuayAsync();
        QuayManifestData manifest = quay.Repository("apps", "team/shop").Image(Digest(1), "1.0", "latest").Manifests[Digest(1)];
        manifest.Labels.AddRange([new QuayLabelData("m", "airgap.scan-warning", "Covered", "manifest", "text/plain"), new QuayLabelData("o", "airgap.scan-warning-2", "theirs", "api", "text/plain")]);
        string[] Ours() => [.. manifest.Labels.Where(l => l.Key == "airgap.scan-warning" && l.Source == "api").Select(l => l.Value)];

        EngineResult whatIf = Run(quay, Set + " -WhatIf", Stale(quay, "apps/team/shop:1.0", 1, 9)).WithoutErrors();
        Assert.Equal(("Set", false), (whatIf["Action"], whatIf["Applied"]));
        Assert.Empty(quay.Audit);

        // Two names of one manifest: one label, and one line in Quay's log.
        EngineResult first = Run(quay, Set, Stale(quay, "apps/team/shop:1.0", 1, 9), Stale(quay, "apps/team/shop:latest (linux/amd64)", 1, 9)).WithoutErrors();
        Assert.Equal(("Set", true, "apps/team/shop"), (first["Action"], first["Applied"], first["Repository"]));
        Assert.Equal(["Stale: FEED-STALE rhel-vex since 2026-11-09"], Ours());
        Assert.Single(quay.Audit);

        EngineResult again = Run(quay, Set, Stale(quay, "apps/team/shop:1.0", 1, 9)).WithoutErrors();
        Assert.Equal(("None", false), (again["Action"], again["Applied"]));
        Assert.Single(quay.Audit);

        manifest.Labels.Add(new QuayLabelData(quay.NextId(), "airgap.scan-warning", "left over", "api", "text/plain"));
        EngineResult updated = Run(quay, Set, Stale(quay, "apps/team/shop:1.0", 1, 10)).WithoutErrors();
        Assert.Equal(("Update", true), (updated["Action"], updated["Applied"]));
        Assert.Equal(["Stale: FEED-STALE rhel-vex since 2026-11-10"], Ours());

        Assert.Equal("Remove", Run(quay, Set, Image(quay, "apps/team/shop:1.0", 1, "Covered")).WithoutErrors()["Action"]);
        Assert.Empty(Ours());
        Assert.Equal("None", Run(quay, Set, Image(quay, "apps/team/shop:1.0", 1, "Covered")).WithoutErrors()["Action"]);
        Run(quay, Set, Stale(quay, "apps/team/shop:1.0", 1, 9)).WithoutErrors();
        Assert.Equal("Remove", Run(quay, Set + " -Remove", Stale(quay, "apps/team/shop:1.0", 1, 9)).WithoutErrors()["Action"]);
        Assert.Equal(["m", "o"], manifest.Labels.Select(l => l.Id));
        Assert.Empty(quay.Mistakes);
    }

    [Fact]
    public async Task What_takes_no_label_is_reported_and_the_others_go_on()
    {
        await using QuayServer quay = await QuayAsync();
        quay.Repository("apps", "mirrored").Image(Digest(1), "a").State = "MIRROR";
        quay.Repository("apps", "frozen").Image(Digest(2), "a").State = "READ_ONLY";
        quay.Repository("others", "secret").Image(Digest(3), "a");
        QuayManifestData good = quay.Repository("apps", "shop").Image(Digest(5), "a").Manifests[Digest(5)];
        Hashtable elsewhere = Stale(quay, "x/y:z", 6, 9, host: "quay.other.example");
        EngineResult result = Run(
            quay, Set, Stale(quay, "apps/mirrored:a", 1, 9), Stale(quay, "apps/frozen:a", 2, 9), Stale(quay, "others/secret:a", 3, 9), Stale(quay, "apps/shop:gone", 4, 9), elsewhere,
            Stale(quay, "apps/shop:a", 5, 9));

        Assert.Equal(["QuayReadOnly", "QuayReadOnly", "QuayDenied", "QuayNotFound", "QuayNotFound"], result.ErrorIds);
        Assert.Equal("apps/shop", result["Repository"]);
        Assert.Single(good.Labels);
        Assert.All(quay.Requests, r => Assert.DoesNotContain("other.example", r, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_token_or_with_a_key_that_is_not_ours_nothing_is_asked()
    {
        await using QuayServer quay = await QuayAsync();
        Hashtable image = Stale(quay, "apps/shop:a", 1, 9);
        Assert.Equal(["QuayDenied"], _engine.Run("param($i, $q) $i | Set-ClairImageLabel -QuayUri $q", image, quay.Uri).ErrorIds);
        Assert.Equal(["ClairConfigNotFound"], _engine.Run("param($i, $q) $i | Set-ClairImageLabel -QuayUri $q -QuayTokenPath /nowhere/token", image, quay.Uri).ErrorIds);
        Assert.NotEmpty(Run(quay, Set + " -Key quay.warning", image).Errors);
        Assert.Empty(quay.Requests);
    }

    private EngineResult Run(QuayServer quay, string script, params Hashtable[] images) => _engine.Run(script, images, quay.Uri, _folder["token"]);

    private async Task<QuayServer> QuayAsync()
    {
        QuayServer quay = await QuayServer.StartAsync();
        quay.Tokens["secret"] = ["repo:read", "repo:write"];
        quay.Memberships.Add("apps");
        await File.WriteAllTextAsync(_folder["token"], "secret\n", TestContext.Current.CancellationToken);
        return quay;
    }

    private static string Digest(int n) => $"sha256:{n:x64}";

    private static Hashtable Stale(QuayServer quay, string name, int digest, int day, string? host = null) => Image(quay, name, digest, "Stale", host, new Hashtable
    {
        ["Code"] = "FEED-STALE",
        ["Verdict"] = "Stale",
        ["Source"] = "rhel-vex",
        ["Subject"] = "Red Hat Enterprise Linux 9",
        ["Message"] = "It is old.",
        ["Remedy"] = "Import a newer bundle.",
        ["Since"] = new DateTimeOffset(2026, 11, day, 23, 0, 0, TimeSpan.Zero),
        ["Age"] = TimeSpan.FromDays(16),
        ["PackageCount"] = 3,
    });

    /// <summary>The engine makes the module's own type of it.</summary>
    private static Hashtable Image(QuayServer quay, string name, int digest, string verdict, string? host = null, params Hashtable[] gaps) => new()
    {
        ["Image"] = $"{host ?? quay.Uri.Authority}/{name}",
        ["ManifestDigest"] = Digest(digest),
        ["Tags"] = Array.Empty<string>(),
        ["Verdict"] = verdict,
        ["Summary"] = verdict,
        ["Gaps"] = gaps,
    };
}
