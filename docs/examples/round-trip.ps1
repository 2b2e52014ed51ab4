<#
.SYNOPSIS
    The whole way of the data in one run: collect, sign, tamper and be refused, import, serve, read back as Clair would, and say how old it is.

.DESCRIPTION
    Two sites stand for the two sides of the gap: "outside" collects, "inside" imports and serves. Without -Online the feeds come from the sample
    upstream beside this script, a few hand-written advisories in the true formats. With -Online they come from the real upstreams: that takes
    some minutes and some hundred megabytes.

    Uses the engine's own cmdlets only, so that it runs in pwsh and in the quayairgap executable alike.

.EXAMPLE
    dotnet run --project src/QuayAirGap.Host -- -File docs/examples/round-trip.ps1

.EXAMPLE
    pwsh -NoProfile -File docs/examples/round-trip.ps1 -Online -Path D:\round-trip
#>
param(
    # Collect from the real upstreams instead of the sample.
    [switch] $Online,

    # Where the two sites and the bundle go. What an earlier run of this script left there is removed.
    [string] $Path = [IO.Path]::Combine([IO.Path]::GetTempPath(), 'quayairgap-round-trip')
)

$ErrorActionPreference = 'Stop'
Import-Module QuayAirGap -ErrorAction Ignore
$examples = $PSScriptRoot

function Step([string] $Text) { "`n== $Text" }

function Get-Sha256([byte[]] $Bytes) { [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($Bytes)).ToLowerInvariant() }

# The NVD has a pair of files for every year up to the current one, whenever this runs. The sample has three; the others are copies of its empty one.
function Copy-Sample([string] $To) {
    $from = [IO.Path]::Combine($examples, 'sample-upstream', 'day1')
    $copies = @{}
    foreach ($file in [IO.Directory]::GetFiles($from, '*', 'AllDirectories')) { $copies[[IO.Path]::GetRelativePath($from, $file)] = $file }
    foreach ($extension in 'meta', 'json.gz') {
        for ($year = 2002; $year -le [DateTime]::UtcNow.Year; $year++) {
            $name = [IO.Path]::Combine('nvd.nist.gov', 'feeds', 'json', 'cve', '2.0', "nvdcve-2.0-$year.$extension")
            if (-not $copies.ContainsKey($name)) { $copies[$name] = [IO.Path]::Combine($from, $name.Replace("-$year.", '-2026.')) }
        }
    }

    foreach ($name in $copies.Keys) {
        $copy = [IO.Path]::Combine($To, $name)
        [void] [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($copy))
        [IO.File]::Copy($copies[$name], $copy)
    }

    [IO.File]::Copy("$from.times.csv", "$To.times.csv")
}

$marker = [IO.Path]::Combine($Path, '.round-trip')
if ([IO.Directory]::Exists($Path)) {
    if (-not [IO.File]::Exists($marker)) { throw "'$Path' exists and was not made by this script. Name another folder with -Path." }
    [IO.Directory]::Delete($Path, $true)
}
[void] [IO.Directory]::CreateDirectory($Path)
[IO.File]::WriteAllText($marker, '')

$outside = [IO.Path]::Combine($Path, 'outside')
$inside = [IO.Path]::Combine($Path, 'inside')
$media = [IO.Path]::Combine($Path, 'media')
[void] [IO.Directory]::CreateDirectory($media)
$upstream = $mirror = $null
$http = [Net.Http.HttpClient]::new()
$checks = 0

function Confirm-That([string] $What, [bool] $Holds) {
    if (-not $Holds) { throw "This did not hold: $What" }
    $script:checks++
    "   ok  $What"
}

try {
    Step 'Outside: collect, and sign one bundle'
    if ($Online) {
        '   from the real upstreams'
    }
    else {
        $sample = [IO.Path]::Combine($Path, 'sample-upstream', 'day1')
        Copy-Sample $sample
        $upstream = Start-ClairFeedMirror -Folder $sample -Urls 'http://127.0.0.1:0' -PassThru
        Set-ClairFeedSource -SitePath $outside -Name * -UpstreamRoot $upstream.Url
        "   from the sample upstream at $($upstream.Url)"
    }

    # A script has nobody to ask: the password is made here and lives as long as the run.
    $password = [Security.SecureString]::new()
    foreach ($c in [Guid]::NewGuid().ToString('N').ToCharArray()) { $password.AppendChar($c) }
    $signer = New-ClairFeedSigner -Path ([IO.Path]::Combine($Path, 'collector.pfx')) -Subject 'CN=Sample collector' -Password $password
    $bundle = Save-ClairFeed -SitePath $outside -Destination $media -Signer $signer.Path -SignerPassword $password -PassThru
    $bundle | Out-Host # a view of its own: in one pipeline PowerShell would show what is of another kind as lists

    Step 'The gap: a bundle that changed on the way is refused'
    Add-ClairFeedTrust -SitePath $inside -Path $signer.CertificatePath
    $tampered = [IO.Path]::Combine($media, 'tampered.tar')
    $bytes = [IO.File]::ReadAllBytes($bundle.Path)
    $middle = [int] ($bytes.Length / 2)
    $bytes[$middle] = $bytes[$middle] -bxor 1
    [IO.File]::WriteAllBytes($tampered, $bytes)
    $refusal = $null
    try { Import-ClairFeed -SitePath $inside -Path $tampered } catch { $refusal = $_ }
    Confirm-That "one flipped bit is refused: $($refusal.FullyQualifiedErrorId)" ($null -ne $refusal)
    Confirm-That 'nothing was published' ($null -eq (Get-ClairFeed -SitePath $inside))
    [IO.File]::Delete($tampered)

    Step 'Inside: verify, import, publish'
    $imported = Import-ClairFeed -SitePath $inside -Path $bundle.Path -PassThru
    $imported | Out-Host

    Step 'Inside: serve, and read back as Clair would'
    $mirror = Start-ClairFeedMirror -SitePath $inside -Urls 'http://127.0.0.1:0' -PassThru
    "   the mirror is at $($mirror.Url)"
    $base = $mirror.Url.ToString().TrimEnd('/')

    $request = [Net.Http.HttpRequestMessage]::new([Net.Http.HttpMethod]::Head, "$base/secdb.alpinelinux.org/v3.3/")
    Confirm-That 'alpine: the first release directory answers HEAD with 200' ($http.Send($request).StatusCode -eq 200)
    $request = [Net.Http.HttpRequestMessage]::new([Net.Http.HttpMethod]::Head, "$base/secdb.alpinelinux.org/v3.99/")
    Confirm-That 'alpine: a release that does not exist is exactly 404' ($http.Send($request).StatusCode -eq 404)

    $listing = $http.GetStringAsync("$base/ftp.debian.org/debian/dists/").GetAwaiter().GetResult()
    Confirm-That 'debian: the listing names bookworm as Clair reads it' ($listing.Contains('href="bookworm/"'))

    $answer = $http.GetAsync("$base/ecosystems.txt").GetAwaiter().GetResult()
    Confirm-That 'osv: the list of ecosystems is at the root of the host, without an ETag' ($answer.StatusCode -eq 200 -and $null -eq $answer.Headers.ETag)

    $vex = "$base/security.access.redhat.com/data/csaf/v2/vex"
    $archive = $http.GetStringAsync("$vex/archive_latest.txt").GetAwaiter().GetResult()
    Confirm-That "rhel-vex: the archive $archive is there, and its name has no newline" ($http.GetAsync("$vex/$archive").GetAwaiter().GetResult().StatusCode -eq 200)
    $rows = $http.GetStringAsync("$vex/changes.csv").GetAwaiter().GetResult().Split("`n", [StringSplitOptions]::RemoveEmptyEntries)
    $document = $rows[0].Split('"')[1]
    Confirm-That "rhel-vex: the document of the first change, $document, is served" ($http.GetAsync("$vex/$document").GetAwaiter().GetResult().StatusCode -eq 200)

    $list = 'cdn.amazonlinux.com/al2023/core/mirrors/latest/x86_64/mirror.list'
    $repository = $http.GetStringAsync("$base/$list").GetAwaiter().GetResult().Trim().TrimEnd('/')
    $advisories = "$base/$($repository.Replace('https://', ''))/repodata/updateinfo.xml.gz"
    Confirm-That 'aws: the mirror list leads to advisories that are served' ($http.GetAsync($advisories).GetAwaiter().GetResult().StatusCode -eq 200)

    $nvd = "$base/nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-"
    $missing = @(2002..([DateTime]::UtcNow.Year + 1)).Where({ $http.GetAsync("$nvd$_.json.gz").GetAwaiter().GetResult().StatusCode -ne 200 })
    Confirm-That 'clair.cvss: every year is there, and the next one is prepared' ($missing.Count -eq 0)

    $listing = $http.GetStringAsync("$base/ftp.suse.com/pub/projects/security/oval/").GetAwaiter().GetResult()
    Confirm-That 'suse: the listing has one link for each document' (@([regex]::Matches($listing, 'href="suse\.linux\.enterprise\.server\.15\.xml\.gz"')).Count -eq 1)
    $series = $http.GetStringAsync("$base/api.launchpad.net/1.0/ubuntu/series").GetAwaiter().GetResult()
    Confirm-That 'ubuntu: no series is active, so that Clair asks nobody on the internet' ($series.Contains('"jammy"') -and -not $series.Contains('"active":true'))
    $year = [DateTime]::UtcNow.Year - 1
    $answer = $http.GetAsync("$base/linux.oracle.com/security/oval/com.oracle.elsa-$year.xml.bz2").GetAwaiter().GetResult()
    Confirm-That "oracle: the document of $year is there, without a content coding" ($answer.StatusCode -eq 200 -and $answer.Content.Headers.ContentEncoding.Count -eq 0)
    $answer = $http.GetAsync("$base/packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon99.xml").GetAwaiter().GetResult()
    Confirm-That 'photon: a release that does not exist is exactly 404' ($answer.StatusCode -eq 404)

    foreach ($file in 'secdb.alpinelinux.org/v3.3/main.json', 'security-tracker.debian.org/tracker/data/json', 'security.access.redhat.com/data/metrics/repository-to-cpe.json') {
        $answer = $http.GetAsync("$base/$file").GetAwaiter().GetResult()
        $served = Get-Sha256 $answer.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult()
        Confirm-That "$file has its content hash as ETag" ($answer.Headers.ETag.Tag -eq "`"$served`"")
        if (-not $Online) {
            $original = Get-Sha256 ([IO.File]::ReadAllBytes([IO.Path]::Combine($examples, 'sample-upstream', 'day1', $file)))
            Confirm-That "$file is byte for byte the upstream's" ($served -eq $original)
        }
    }

    Step 'Inside: how old is it?'
    Test-ClairFeedFreshness -SitePath $inside | Out-Host
    Confirm-That 'every required source is fresh' (Test-ClairFeedFreshness -SitePath $inside -Quiet)

    "`n$checks checks held. The sites and the bundle are in $Path."
}
finally {
    $http.Dispose()
    if ($mirror) { $mirror | Stop-ClairFeedMirror }
    if ($upstream) { $upstream | Stop-ClairFeedMirror }
}
