using System.Security.Cryptography.X509Certificates;
using QuayAirGap.TestKit.Registry;

namespace QuayAirGap.Tests;

/// <summary>Trust over years, the ledger and the registry, as people call them.</summary>
public sealed class TrustCmdletTests
{
    [Fact]
    public async Task A_root_issues_a_signer_revokes_the_old_one_and_the_site_hears_of_it_in_a_bundle()
    {
        await using Samples samples = await Samples.StartAsync();
        string folder = samples.Folder.Root;
        EngineResult root = samples.Engine.Run("param($f) New-ClairFeedSigner $f/root.pfx 'CN=Root' -Root", folder).WithoutErrors();
        samples.Engine.Run("param($f) New-ClairFeedSigner $f/next.pfx 'CN=Next' -IssuedBy $f/root.pfx", folder).WithoutErrors();
        samples.Engine.Run("param($f) Add-ClairFeedTrust $f/root.cer -SitePath $f/outside; Add-ClairFeedTrust $f/root.cer -SitePath $f/inside", folder).WithoutErrors();
        EngineResult document = samples.Engine.Run(
            "param($f) New-ClairFeedTrustDocument $f/trust.json $f/root.pfx -Revoke $f/collector.cer", folder).WithoutErrors();
        Assert.Equal(1L, document["Number"]);
        Assert.Equal(["TrustInvalid"], samples.Engine.Run("param($f) Add-ClairFeedTrust $f/trust.json -SitePath $f/inside", folder).ErrorIds);

        // Whose word it is must be said; then the collecting site puts it into its bundles.
        Assert.Equal(["TrustRootUnknown"], samples.Engine.Run("param($f) Import-ClairFeedTrust $f/trust.json 0123456789 -SitePath $f/outside", folder).ErrorIds);
        EngineResult taken = samples.Engine.Run(
            "param($f, $r) Import-ClairFeedTrust $f/trust.json $r -SitePath $f/outside -PassThru", folder, ((string)root["Thumbprint"]!)[..10]).WithoutErrors();
        Assert.Single((string[])taken["NewlyRevoked"]!);
        samples.Engine.Run(
            "param($f, $u) Save-ClairFeed $f/next.tar $f/next.pfx -Name alpine -UpstreamRoot $u -SitePath $f/outside", folder, samples.Upstream.Root).WithoutErrors();
        samples.Engine.Run("param($f) Import-ClairFeed $f/next.tar -SitePath $f/inside", folder).WithoutErrors();

        EngineResult trust = samples.Engine.Run("param($f) Get-ClairFeedTrust -SitePath $f/inside", folder).WithoutErrors();
        Assert.Equal(["Trusted CN=Root", "Revoked CN=Collector"], trust.Output.Select(o => $"{o.Properties["State"].Value} {o.Properties["Subject"].Value}"));
        samples.Save().WithoutErrors();
        Assert.Equal(["BundleSignerRevoked"], samples.Engine.Run("param($f) Import-ClairFeed $f/bundle.tar -SitePath $f/inside", folder).ErrorIds);
    }

    [Fact]
    public async Task A_new_site_imports_by_the_thumbprint_of_its_first_bundles_signer()
    {
        await using Samples samples = await Samples.StartAsync();
        string folder = samples.Folder.Root;
        samples.Save().WithoutErrors();
        string thumbprint = (string)samples.Engine.Run("param($s) Get-ClairFeedTrust -SitePath $s", samples.Inside).WithoutErrors()["Thumbprint"]!;
        string other = (string)samples.Engine.Run("param($f) New-ClairFeedSigner $f/other.pfx CN=Other", folder).WithoutErrors()["Thumbprint"]!;
        EngineResult Import(string named, string more = "") =>
            samples.Engine.Run("param($f, $t) Import-ClairFeed $f/bundle.tar -TrustThumbprint $t -SitePath $f/new -PassThru " + more, folder, named);

        // Nothing is made of a site for a thumbprint that is wrong, short, or only tried.
        Assert.Equal(["TrustThumbprintDiffers"], Import(other).ErrorIds);
        Assert.Equal(["TrustThumbprintInvalid"], Import(thumbprint[..16]).ErrorIds);
        Assert.Empty(Import(thumbprint, "-WhatIf").WithoutErrors().Output);
        Assert.False(Directory.Exists(samples.Folder["new"]));

        Assert.Equal(1, Import(thumbprint).WithoutErrors()["Generation"]);
        EngineResult ledger = samples.Engine.Run("param($f) Get-ClairFeedLedger -Verify -SitePath $f/new", folder).WithoutErrors();
        Assert.Equal(["trust.added", "feed.imported"], ledger.Output.Select(o => (string)o.Properties["Event"].Value));
        Assert.Equal(
            $"{thumbprint} CN=Collector bundle.tar",
            samples.Engine.Run("param($f) (Get-ClairFeedLedger trust.added -SitePath $f/new).Details | ForEach-Object { $_['thumbprint'] + ' ' + $_['subject'] + ' ' + $_['bundle'] }", folder)
                .WithoutErrors().Single.BaseObject);

        // The same again changes nothing; another signer is not let in by its thumbprint any more.
        Assert.Equal(false, Import(thumbprint).WithoutErrors()["Changed"]);
        samples.Engine.Run(
            "param($f, $u) Save-ClairFeed $f/bundle.tar $f/other.pfx -Force -Name alpine -UpstreamRoot $u -SitePath $f/outside", folder, samples.Upstream.Root).WithoutErrors();
        Assert.Equal(["TrustEstablished"], Import(other).ErrorIds);
        Assert.Equal(1, samples.Engine.Run("param($f) @(Get-ClairFeedTrust -SitePath $f/new).Count", folder).WithoutErrors().Single.BaseObject);
    }

    [Fact]
    public async Task Two_must_sign_and_the_second_does_it_at_the_station()
    {
        await using Samples samples = await Samples.StartAsync();
        string folder = samples.Folder.Root;
        samples.Save().WithoutErrors();
        samples.Engine.Run(
            "param($f) New-ClairFeedSigner $f/station.pfx 'CN=Station' | Out-Null; Add-ClairFeedTrust $f/station.cer -SitePath $f/inside; Add-ClairFeedTrust $f/collector.cer -SitePath $f/station",
            folder).WithoutErrors();
        Assert.Equal(2, samples.Engine.Run("param($f) Set-ClairFeedTrust 2 -SitePath $f/inside -PassThru", folder).WithoutErrors()["RequiredSigners"]);
        Assert.Equal(["BundleTooFewSigners"], samples.Engine.Run("param($f) Import-ClairFeed $f/bundle.tar -SitePath $f/inside", folder).ErrorIds);
        byte[] before = await File.ReadAllBytesAsync(samples.Bundle, TestContext.Current.CancellationToken);
        const string Sign = "param($f) Add-ClairFeedSignature $f/bundle.tar $f/station.pfx -SitePath $f/station -PassThru";
        Assert.Empty(samples.Engine.Run(Sign + " -WhatIf", folder).WithoutErrors().Output);
        Assert.Equal(before, await File.ReadAllBytesAsync(samples.Bundle, TestContext.Current.CancellationToken));
        Assert.Equal(["CN=Collector", "CN=Station"], (string[])samples.Engine.Run(Sign, folder).WithoutErrors()["Signers"]!);
        samples.Engine.Run("param($f) Import-ClairFeed $f/bundle.tar -SitePath $f/inside", folder).WithoutErrors();
        Assert.Equal(["SignatureExists"], samples.Engine.Run(Sign, folder).ErrorIds);
        Assert.Equal(["SignerNotFound"], samples.Engine.Run("param($f) Add-ClairFeedSignature $f/bundle.tar -SitePath $f/station", folder).ErrorIds);
    }

    [Fact]
    public async Task A_certificate_object_signs_in_the_place_of_a_file()
    {
        await using Samples samples = await Samples.StartAsync();
        using X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12FromFile(samples.Signer, null);
        samples.Engine.Run(
            "param($d, $c, $u, $s) Save-ClairFeed $d -SignerCertificate $c -Name alpine -UpstreamRoot $u -SitePath $s", samples.Bundle, certificate, samples.Upstream.Root, samples.Outside)
            .WithoutErrors();
        samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
        Assert.True(certificate.HasPrivateKey);
        Assert.Equal(["SignerNotFound"], samples.Engine.Run("param($d, $s) Save-ClairFeed $d -SitePath $s", samples.Folder["x.tar"], samples.Outside).ErrorIds);
    }

    [Fact]
    public async Task The_ledger_tells_filters_exports_and_notices_a_change()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save().WithoutErrors();
        samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
        samples.Engine.Run("param($p, $s) New-ClairFeedSigner $p x | Out-Null; Add-ClairFeedTrust ($p -replace 'pfx$', 'cer') -SitePath $s", samples.Folder["other.pfx"], samples.Inside).WithoutErrors();
        string ledger = Path.Combine(samples.Inside, "ledger.jsonl");
        byte[] bundle = await File.ReadAllBytesAsync(samples.Bundle, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(samples.Bundle, bundle[..^600], TestContext.Current.CancellationToken);
        string before = await File.ReadAllTextAsync(ledger, TestContext.Current.CancellationToken);
        Assert.Equal(["BundleTruncated"], samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s -WhatIf", samples.Bundle, samples.Inside).ErrorIds);
        Assert.Equal(before, await File.ReadAllTextAsync(ledger, TestContext.Current.CancellationToken));
        Assert.Equal(["BundleTruncated"], samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).ErrorIds);

        EngineResult all = samples.Engine.Run("param($s) Get-ClairFeedLedger -Verify -SitePath $s", samples.Inside).WithoutErrors();
        Assert.Equal(["trust.added", "feed.imported", "trust.added", "bundle.refused"], all.Output.Select(o => (string)o.Properties["Event"].Value));
        Assert.Equal(all.Output[2].Properties["Sha256"].Value, all.Output[3].Properties["Previous"].Value);
        Assert.Equal("BundleTruncated", samples.Engine.Run("param($s) (Get-ClairFeedLedger bundle.* -SitePath $s).Details['error']", samples.Inside).WithoutErrors().Single.BaseObject);
        Assert.Equal(2, samples.Engine.Run("param($s) Get-ClairFeedLedger -Last 2 -SitePath $s", samples.Inside).WithoutErrors().Output.Count);
        Assert.Empty(samples.Engine.Run("param($s, $t) Get-ClairFeedLedger -After $t -SitePath $s", samples.Inside, all.Output[3].Properties["Time"].Value).WithoutErrors().Output);
        Assert.Equal(
            await File.ReadAllLinesAsync(ledger, TestContext.Current.CancellationToken),
            samples.Engine.Run("param($s) Get-ClairFeedLedger -AsJsonLines -SitePath $s", samples.Inside).WithoutErrors().Output.Select(o => (string)o.BaseObject));

        string text = await File.ReadAllTextAsync(ledger, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(ledger, text.Replace("\"feed.imported\"", "\"feed.importeD\"", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        EngineResult broken = samples.Engine.Run("param($s) Get-ClairFeedLedger -Verify -SitePath $s", samples.Inside);
        Assert.Equal(["LedgerDamaged"], broken.ErrorIds);
        Assert.Contains("line 3", broken.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.Empty(broken.Output);
    }

    [Fact]
    public async Task A_bundle_goes_through_a_registry_and_both_ledgers_know()
    {
        Assert.SkipUnless(RegistryProcess.IsInstalled, "docker-registry is not installed");
        await using Samples samples = await Samples.StartAsync();
        await using RegistryProcess registry = await RegistryProcess.StartAsync();
        samples.Save().WithoutErrors();
        string target = registry.Host + "/infra/clair-feeds";
        Assert.True((long)samples.Engine.Run(
            "param($b, $t, $s) Publish-ClairFeedBundle $b $t -SitePath $s -PassThru", samples.Bundle, target, samples.Outside).WithoutErrors()["BytesSent"]! > 0);
        EngineResult published = samples.Engine.Run(
            "param($b, $t, $s) Publish-ClairFeedBundle $b $t -SitePath $s -PassThru", samples.Bundle, target, samples.Outside).WithoutErrors();
        Assert.Equal(0L, published["BytesSent"]);
        Assert.Contains("latest", (string[])published["Tags"]!);

        EngineResult imported = samples.Engine.Run(
            "param($r, $d, $s) Receive-ClairFeedBundle $r $d -SitePath $s -PassThru | Import-ClairFeed -SitePath $s -PassThru", target, samples.Folder["out.tar"], samples.Inside)
            .WithoutErrors();
        Assert.Equal(true, imported["Changed"]);
        Assert.Equal(["DestinationInvalid"], samples.Engine.Run("param($r, $d, $s) Receive-ClairFeedBundle $r $d -SitePath $s", target, samples.Folder["out.tar"], samples.Inside).ErrorIds);
        Assert.Empty(samples.Engine.Run("param($r, $d, $s) Receive-ClairFeedBundle $r $d -SitePath $s -WhatIf", target, samples.Folder["y.tar"], samples.Inside).WithoutErrors().Output);
        Assert.Equal(["RegistryNotFound"], samples.Engine.Run("param($r, $d, $s) Receive-ClairFeedBundle ($r + ':none') $d -SitePath $s", target, samples.Folder["y.tar"], samples.Inside).ErrorIds);
        Assert.Equal(
            ["trust.added", "bundle.received", "feed.imported"],
            samples.Engine.Run("param($s) (Get-ClairFeedLedger -SitePath $s).Event", samples.Inside).WithoutErrors().Output.Select(o => (string)o.BaseObject));
        Assert.Equal(target + ":" + ((string[])published["Tags"]!)[0], samples.Engine.Run(
            "param($s) (Get-ClairFeedLedger bundle.published -Last 1 -SitePath $s).Details['to']", samples.Outside).WithoutErrors().Single.BaseObject);
    }
}
