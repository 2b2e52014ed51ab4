$last = $null
if ($hasSite) { $last = @(Get-ClairFeedLedger -Event feed.saved -Last 1 @site)[0] }
$due = -not $last -or [DateTimeOffset]::UtcNow - $last.Time -ge [TimeSpan]::FromHours([int] $p.interval)
if (-not $due) {
    Send-Answer $false ([ordered] @{
        Path = [IO.Path]::Combine($p.destination, $last.Details['bundle']); Sequence = [long] $last.Details['sequence']; Kind = $null
        SnapshotSha256 = $last.Details['snapshot']; IncompleteSources = @($last.Details['failed'].Split(', ', [StringSplitOptions] 'RemoveEmptyEntries')) })
    return
}

$save = @{ Destination = $p.destination; Signer = $p.signer }
$names = Split-List $p.sources
if ($names.Count) { $save.Name = $names }
if ($p.upstream_root) { $save.UpstreamRoot = [uri] $p.upstream_root }
if ($p.since_last -eq 'True' -and $last) { $save.SinceLast = $true }
if ($p.password) {
    $save.SignerPassword = [Security.SecureString]::new()
    foreach ($character in $p.password.ToCharArray()) { $save.SignerPassword.AppendChar($character) }
}

if ($check) {
    Save-ClairFeed @save @site -WhatIf
    Send-Answer $true ([ordered] @{ Path = $null; Sequence = $null; Kind = $null; SnapshotSha256 = $null; IncompleteSources = @() })
    return
}

# A source that fails is in the bundle's own words; anything else stops here.
$bundle = Save-ClairFeed @save @site -PassThru -ErrorAction SilentlyContinue -ErrorVariable failures
foreach ($failure in $failures) { if ($failure.FullyQualifiedErrorId -notlike 'SourceFailed,*') { throw $failure } }
Send-Answer $true ([ordered] @{
    Path = $bundle.Path; Sequence = $bundle.Sequence; Kind = $bundle.Kind; SnapshotSha256 = $bundle.SnapshotSha256; IncompleteSources = $bundle.IncompleteSources })
