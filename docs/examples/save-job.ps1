<#
.SYNOPSIS
    The job outside: collects the feeds and leaves one signed bundle in a folder, for the courier.

.DESCRIPTION
    Writes a full bundle once in a while, and on the days between a delta on that full one: a day's delta is a small part of it, and any one of them serves a site
    that has the full bundle, whatever became of the other deltas. Beside each bundle lies its SHA-256 ("<name>.sha256"), to compare after the way.

    Runs in pwsh and in the quayairgap executable alike. One line for each thing that happened goes to standard output, what is wrong to standard error.

    Exit codes: 0 all sources were collected; 1 a bundle was written, and some source could not be collected; 2 no bundle was written, or something else failed.

.EXAMPLE
    quayairgap -NonInteractive -File save-job.ps1 -Destination /srv/handover -Signer /etc/quayairgap/collector.pfx -PasswordFile /etc/quayairgap/collector.password

.EXAMPLE
    pwsh -NoProfile -NonInteractive -File save-job.ps1 -SitePath D:\clair-feeds -Destination E:\handover -Signer D:\keys\collector.pfx -FullEvery 1
    The password comes from the environment variable QUAYAIRGAP_SIGNER_PASSWORD, where the scheduler puts it.
#>
[CmdletBinding()]
param(
    # Where the bundles go. The folder is made where it is not there.
    [Parameter(Mandatory)] [string] $Destination,

    # The signer's PFX or PEM file.
    [Parameter(Mandatory)] [string] $Signer,

    # A file whose first line is the signer's password. Default: the environment variable QUAYAIRGAP_SIGNER_PASSWORD; a signer without a password needs neither.
    [string] $PasswordFile,

    # The collecting site. Default: QUAYAIRGAP_SITE, else the platform's usual place.
    [string] $SitePath,

    # A full bundle at least this often, in days. 1: every time.
    [ValidateRange(1, 90)] [int] $FullEvery = 7,

    # A cache that has https://host/path as <root>/host/path, where the upstreams themselves are out of reach.
    [uri] $UpstreamRoot
)

$ErrorActionPreference = 'Stop'

function Say([string] $Text) { "$([DateTime]::UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"))  $Text" }

function Warn([string] $Text) { $Host.UI.WriteErrorLine("$([DateTime]::UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"))  $Text") }

try {
    if (-not (Get-Command Save-ClairFeed -ErrorAction Ignore)) { Import-Module QuayAirGap }
    $site = @{}
    if ($SitePath) { $site.SitePath = $SitePath }

    $save = @{ Destination = $Destination; Signer = $Signer; PassThru = $true }
    if ($UpstreamRoot) { $save.UpstreamRoot = $UpstreamRoot }
    $text = if ($PasswordFile) { @([IO.File]::ReadAllLines([IO.Path]::GetFullPath($PasswordFile, $PWD.ProviderPath)))[0] } else { $env:QUAYAIRGAP_SIGNER_PASSWORD }
    if ($text) {
        $save.SignerPassword = [Security.SecureString]::new()
        foreach ($character in $text.ToCharArray()) { $save.SignerPassword.AppendChar($character) }
    }

    # The last full bundle, as the ledger tells; none of a new site.
    $full = $null
    try { $full = @(Get-ClairFeedLedger -Event feed.saved @site).Where({ $_.Details['kind'] -eq 'full' })[-1] }
    catch { if ($_.FullyQualifiedErrorId -notlike 'SiteNotFound,*') { throw } }
    if ($full -and [DateTimeOffset]::UtcNow - $full.Time -lt [TimeSpan]::FromDays($FullEvery - 0.5)) { $save.Since = $full.Details['sequence'] }

    [void] [IO.Directory]::CreateDirectory([IO.Path]::GetFullPath($Destination, $PWD.ProviderPath))
    try { $bundle = Save-ClairFeed @save @site -ErrorAction SilentlyContinue -ErrorVariable failures }
    catch {
        # The full bundle may be beyond what the site keeps: a new full one is always right.
        if (-not $save.Since -or $_.FullyQualifiedErrorId -notmatch '^(Base|Blob)') { throw }
        Warn "no delta: $($_.Exception.Message)"
        $save.Remove('Since')
        $bundle = Save-ClairFeed @save @site -ErrorAction SilentlyContinue -ErrorVariable failures
    }

    $stream = [IO.File]::OpenRead($bundle.Path)
    try { $hash = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($stream)).ToLowerInvariant() } finally { $stream.Dispose() }
    [IO.File]::WriteAllText("$($bundle.Path).sha256", "$hash  $([IO.Path]::GetFileName($bundle.Path))`n")
    Say "$($bundle.Kind.ToLowerInvariant()) bundle $($bundle.Sequence): $($bundle.Path), $($bundle.Size) bytes, expires $($bundle.Expires.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"))"

    # Incomplete is no error: the bundle is good, and carries the last good state of what failed, with its true age.
    $other = @($failures).Where({ $_.FullyQualifiedErrorId -notlike 'SourceFailed,*' })
    foreach ($failure in $failures) { Warn "$($failure.Exception.Message) [$($failure.FullyQualifiedErrorId.Split(',')[0])]" }
    foreach ($source in $bundle.IncompleteSources) { Say "incomplete: $source" }
    if ($other.Count) { exit 2 }
    exit ([int] [bool] $bundle.IncompleteSources.Count)
}
catch {
    Warn "$($_.Exception.Message) [$($_.FullyQualifiedErrorId.Split(',')[0])]"
    exit 2
}
