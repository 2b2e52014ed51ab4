<#
.SYNOPSIS
    The job inside: imports what the courier left in a drop folder, and says whether the feeds are fresh.

.DESCRIPTION
    Import-ClairFeed -DropFolder takes every bundle that is all there, the lowest sequence first. An imported one goes to the folder's "done", one that is refused to
    "refused" with the reason beside it; nothing is deleted. A file that is still being copied, and a delta whose base has not come yet, stay. So the job can run every
    few minutes, by cron, a systemd timer or the Task Scheduler; Register-ClairFeedSchedule sets the like up by itself.

    The last thing is always the age of what is served, whether or not something came: a courier who does not come must not look like a good day.

    Runs in pwsh and in the quayairgap executable alike. One line for each thing that happened goes to standard output, what is wrong to standard error.

    Exit codes: 0 every required source is fresh; 1 one is stale, missing or incomplete, or a bundle waits for another one; 2 a bundle was refused, or something failed.

.EXAMPLE
    quayairgap -NonInteractive -File import-job.ps1 -DropFolder /srv/drop

.EXAMPLE
    pwsh -NoProfile -NonInteractive -File import-job.ps1 -DropFolder D:\drop -SitePath D:\clair-feeds -Settle 60
#>
[CmdletBinding()]
param(
    # Where the courier leaves the bundles.
    [Parameter(Mandatory)] [string] $DropFolder,

    # The importing site. Default: QUAYAIRGAP_SITE, else the platform's usual place.
    [string] $SitePath,

    # For how many seconds nothing about a file may change before it counts as finished.
    [ValidateRange(0, 3600)] [int] $Settle = 10
)

$ErrorActionPreference = 'Stop'
$code = 0

function Say([string] $Text) { "$([DateTime]::UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"))  $Text" }

function Warn([string] $Text) { $Host.UI.WriteErrorLine("$([DateTime]::UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"))  $Text") }

function Get-Id($ErrorRecord) { $ErrorRecord.FullyQualifiedErrorId.Split(',')[0] }

try {
    if (-not (Get-Command Import-ClairFeed -ErrorAction Ignore)) { Import-Module QuayAirGap }
    $site = @{}
    if ($SitePath) { $site.SitePath = $SitePath }
    $drop = [IO.Path]::GetFullPath($DropFolder, $PWD.ProviderPath)

    # One bundle that is refused does not stop the others; a site that cannot be written, or is in use by another run, stops everything.
    $results = Import-ClairFeed -DropFolder $drop -Settle ([TimeSpan]::FromSeconds($Settle)) -PassThru -ErrorAction SilentlyContinue -ErrorVariable failures @site
    foreach ($result in $results) {
        Say "$(if ($result.Changed) { 'imported' } else { 'served already' }): sequence $($result.Sequence), generation $($result.Generation); '$($result.Path)'"
        foreach ($source in $result.IncompleteSources) { Say "incomplete: $source" }
    }

    foreach ($failure in $failures) {
        # A delta ahead of its base is in good order; everything else is somebody's business today.
        $waits = (Get-Id $failure) -eq 'BundleBase'
        $code = [Math]::Max($code, $(if ($waits) { 1 } else { 2 }))
        Warn "$(if ($waits) { 'waits' } else { 'refused' }): $($failure.Exception.Message) [$(Get-Id $failure)]"
    }

    # The sums that came with bundles which are put away now.
    foreach ($sum in [IO.Directory]::GetFiles($drop, '*.tar.sha256')) {
        foreach ($folder in 'done', 'refused') {
            $target = [IO.Path]::Combine($drop, $folder, [IO.Path]::GetFileName($sum))
            if (-not [IO.File]::Exists($sum.Substring(0, $sum.Length - 7)) -and [IO.File]::Exists($target.Substring(0, $target.Length - 7))) {
                [IO.File]::Move($sum, $target, $true)
                break
            }
        }
    }

    foreach ($source in @(Test-ClairFeedFreshness @site).Where({ $_.Required -and $_.Level -ne 'Ok' })) {
        Warn "$($source.Level.ToLowerInvariant()): $($source.Source): $($source.Reason)"
        $code = [Math]::Max($code, 1)
    }

    if (-not (Test-ClairFeedFreshness -Quiet @site)) { $code = [Math]::Max($code, 1) } # also where nothing is required, or nothing served
    if ($code -eq 0) { Say 'every required source is fresh' }
    exit $code
}
catch {
    Warn "$($_.Exception.Message) [$(Get-Id $_)]"
    exit 2
}
