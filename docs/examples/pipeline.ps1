<#
.SYNOPSIS
    The whole way of the feeds as stages of a pipeline: collect and sign, verify on the way, import and check.

.DESCRIPTION
    Each stage runs where it belongs and needs only what it names, so that no machine has more than one side's secrets:

      Collect  outside: collects the feeds into one signed bundle in -Media. Needs the signer.
      Verify   anywhere on the way: a transfer station or a CI job that has no site and no key. Builds its trust from -TrustedSigner alone, and holds the signatures, the
               policy and every size and digest of each bundle in -Media against it. -RequiredSigners asks for more than one signature.
      Import   inside: verifies again with the site's own trust, which no stage before it can touch, publishes, and says how old everything is.
      All      the three in a row, on one machine: for trying it.

    Runs in pwsh and in the quayairgap executable alike.

    Exit codes: 0 good; 1 incomplete outside, or stale inside; 2 a signature or a digest does not hold, or something else failed. A stage that fails ends the run.

.EXAMPLE
    quayairgap -NonInteractive -File pipeline.ps1 -Stage Collect -Media out -Signer collector.pfx -OutsideSite /var/lib/collector

.EXAMPLE
    quayairgap -NonInteractive -File pipeline.ps1 -Stage Verify -Media out -TrustedSigner collector.cer, station.cer -RequiredSigners 2

.EXAMPLE
    pwsh -NoProfile -NonInteractive -File pipeline.ps1 -Stage Import -Media E:\ -InsideSite D:\clair-feeds
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [ValidateSet('Collect', 'Verify', 'Import', 'All')] [string] $Stage,

    # The folder in which the bundles are.
    [Parameter(Mandatory)] [string] $Media,

    # Collect: the signer's PFX or PEM file; its password is in QUAYAIRGAP_SIGNER_PASSWORD, where it has one.
    [string] $Signer,

    # Collect: the collecting site. Default: QUAYAIRGAP_SITE, else the platform's usual place.
    [string] $OutsideSite,

    # Collect: a cache that has https://host/path as <root>/host/path.
    [uri] $UpstreamRoot,

    # Verify: the certificates (.cer) of the signers, or of the root that issued them. They come by another way than the bundle does.
    [string[]] $TrustedSigner,

    # Verify: how many different signers each bundle must have.
    [ValidateRange(1, 16)] [int] $RequiredSigners = 1,

    # Import: the importing site. Default: QUAYAIRGAP_SITE, else the platform's usual place.
    [string] $InsideSite
)

$ErrorActionPreference = 'Stop'
$code = 0

# From the command line of the executable a list comes as one text.
if ($TrustedSigner) { $TrustedSigner = @($TrustedSigner.ForEach({ $_.Split(',') }).ForEach({ $_.Trim() }).Where({ $_ })) }

function Step([string] $Text) { "== $Text" }

function Warn([string] $Text) { $Host.UI.WriteErrorLine($Text) }

function Get-Id($ErrorRecord) { $ErrorRecord.FullyQualifiedErrorId.Split(',')[0] }

# The bundles on the medium, the lowest sequence first.
function Get-Bundles([hashtable] $Site) {
    $bundles = @(Get-ClairFeedBundle -Path ([IO.Path]::Combine($media, '*.tar')) @Site)
    if (-not $bundles.Count) { throw "There is no bundle in '$media'." }
    [Array]::Sort([long[]] $bundles.Sequence, $bundles)
    $bundles
}

try {
    if (-not (Get-Command Save-ClairFeed -ErrorAction Ignore)) { Import-Module QuayAirGap }
    $media = [IO.Path]::GetFullPath($Media, $PWD.ProviderPath)

    if ($Stage -in 'Collect', 'All') {
        Step 'Collect'
        if (-not $Signer) { throw 'Collect needs -Signer.' }
        [void] [IO.Directory]::CreateDirectory($media)
        $save = @{ Destination = $media; Signer = $Signer; PassThru = $true }
        if ($OutsideSite) { $save.SitePath = $OutsideSite }
        if ($UpstreamRoot) { $save.UpstreamRoot = $UpstreamRoot }
        if ($env:QUAYAIRGAP_SIGNER_PASSWORD) {
            $save.SignerPassword = [Security.SecureString]::new()
            foreach ($character in $env:QUAYAIRGAP_SIGNER_PASSWORD.ToCharArray()) { $save.SignerPassword.AppendChar($character) }
        }

        $saved = Save-ClairFeed @save -ErrorAction SilentlyContinue -ErrorVariable failures
        "sequence $($saved.Sequence): $($saved.Path), snapshot $($saved.SnapshotSha256)"
        foreach ($failure in $failures) {
            Warn "$($failure.Exception.Message) [$(Get-Id $failure)]"
            if ((Get-Id $failure) -ne 'SourceFailed') { exit 2 }
        }
        foreach ($source in $saved.IncompleteSources) { Warn "incomplete: $source"; $code = 1 }
    }

    if ($Stage -in 'Verify', 'All') {
        Step 'Verify'
        if (-not $TrustedSigner) { throw 'Verify needs -TrustedSigner: a bundle that says itself whom to trust proves nothing.' }
        $station = [IO.Path]::Combine([IO.Path]::GetTempPath(), "quayairgap-verify-$([Guid]::NewGuid().ToString('N'))")
        try {
            Add-ClairFeedTrust -Path $TrustedSigner -SitePath $station
            if ($RequiredSigners -gt 1) { Set-ClairFeedTrust -RequiredSigners $RequiredSigners -SitePath $station }
            $refused = 0
            foreach ($bundle in Get-Bundles @{ SitePath = $station }) {
                # A delta's content needs what it builds on, which a station does not have: its signatures, policy and inventory are looked at, the rest inside.
                if ($bundle.Kind -eq 'Delta') { $good = $bundle.Verdict -in 'Acceptable', 'BundleBase' }
                else { $good = Test-ClairFeedBundle -LiteralPath $bundle.Path -SitePath $station }
                if ($good) { "good: $($bundle.Path), sequence $($bundle.Sequence), $($bundle.Kind), signed by $($bundle.Signers -join '; ')" }
                else { Warn "refused: $($bundle.Path) [$($bundle.Verdict)]"; $refused++ }
            }
            if ($refused) { exit 2 }
        }
        finally { if ([IO.Directory]::Exists($station)) { [IO.Directory]::Delete($station, $true) } }
    }

    if ($Stage -in 'Import', 'All') {
        Step 'Import'
        $site = @{}
        if ($InsideSite) { $site.SitePath = $InsideSite }
        foreach ($bundle in Get-Bundles $site) {
            # What came before the generation that is served has nothing to say any more; anything else is the import's to judge, and the ledger's to keep.
            $served = @(@(Get-ClairFeed @site).Where({ $_.IsCurrent }))[0]
            if ($served -and $bundle.Stream -eq $served.Stream -and $bundle.Sequence -lt $served.Sequence) { "older than what is served: $($bundle.Path)"; continue }
            $result = Import-ClairFeed -LiteralPath $bundle.Path -PassThru @site
            "generation $($result.Generation): sequence $($result.Sequence), $(if ($result.Changed) { 'published' } else { 'served already' })"
        }

        Step 'Freshness'
        foreach ($source in @(Test-ClairFeedFreshness @site).Where({ $_.Required })) {
            "$($source.Source): $($source.Level)"
            if ($source.Level -ne 'Ok') { Warn "$($source.Source): $($source.Reason)" }
        }
        if (-not (Test-ClairFeedFreshness -Quiet @site)) { $code = 1 }
    }

    exit $code
}
catch {
    Warn "$($_.Exception.Message) [$(Get-Id $_)]"
    exit 2
}
