# One object or more of each kind that has a table: every state it can be in, the longest names there are, and text as long as real text is.
# A property that the kind has not is an error.
function New-Sample([string] $Kind, [hashtable] $Properties) {
    $type = (Get-Command Test-ClairFeedFreshness).ImplementingType.Assembly.GetType("QuayAirGap.$Kind")
    $sample = if ($type.GetConstructors()) { $type::new() } else { [pscustomobject] @{ PSTypeName = $type.FullName } }
    foreach ($name in $Properties.Keys) {
        if (-not $type.GetProperty($name)) { throw "$Kind has no $name" }
        if ($sample -is $type) { $sample.$name = $Properties[$name] } else { $sample.psobject.Properties.Add([psnoteproperty]::new($name, $Properties[$name])) }
    }
    $sample
}

$time = [DateTimeOffset] '2026-11-26T01:12:00Z'
$sha = 'e8800dec85507064660f2514c9e6553fdcbb1a85136600c6b2d6c2dc3f7c23e9'
$long = 'container-name-repos-map'
$url = 'https://security.access.redhat.com/data/csaf/v2/vex/changes.csv'
$quarantined = "It was quarantined: the new file has 83 % fewer advisories than the one before, so that those of 2026-11-20T02:30:00Z are kept ($url)."

foreach ($state in 'Enabled', 'Deselected', 'Unsupported') {
    New-Sample ClairFeedSource @{
        Name = $long; State = $state; Enabled = $state -eq 'Enabled'; Include = 'Maven', 'PyPI', 'packagist', 'crates.io'; Exclude = 'experimental-things', 'unmaintained'
        UpstreamRoot = [uri] 'https://proxy.example.org/mirror-of-security-feeds/'; WarnAfter = '3.00:00:00'; CriticalAfter = '1.12:00:00'; ExpireAfter = '00:45:00'
    }
}
foreach ($trouble in $null, $quarantined) {
    New-Sample ClairFeedPlan @{ Source = $long; FilesToFetch = 312345; BytesToFetch = 12345678901; UnchangedFiles = 312345; IsComplete = -not $trouble; Trouble = $trouble }
}
foreach ($verdict in 'Trusted', 'NotChecked', 'BundleSignatureInvalid', 'BundleVolumeTruncated') {
    New-Sample ClairFeedBundle @{
        Sequence = 1234; Kind = 'Delta'; BaseSequence = 1233; Created = $time; Size = 1100000000; Verdict = $verdict; Path = '/media/usb/clairfeed-0123abcd-001234.tar'
        IncompleteSources = "${long}: the capture failed: $quarantined", 'debian: never captured; there are no files of it.'
    }
}
New-Sample ClairFeedVolume @{ Number = 12; Count = 199; Sequence = 1234; Size = 25025314816; SetId = $sha; Path = '/media/archive-of-all-media/clairfeed-0123abcd-001234.vol012of199.qagvol' }
foreach ($fault in 'Missing', 'Damaged') {
    New-Sample ClairFeedStoreFault @{ Fault = $fault; Sources = $long, 'repository-to-cpe', 'rhel-vex'; Served = $true; Removed = $false; Sha256 = $sha; Item = $(if ($fault -eq 'Missing') { $url }) }
}
New-Sample ClairFeedBundlePart @{ Source = $long; Size = 1072693248; ContentSize = 1099511627775; FileCount = 312345; Whole = 312345; Patched = 312345; FromBase = 312345 }
New-Sample ClairFeedGeneration @{
    Generation = 1234; IsCurrent = $true; PublishedAt = $time; Sequence = 1234; Size = 1072693248; HeldBack = 'osv: Go/GO-2026-0001: it is too large'; Sources = $long, 'rhel-vex'
}
New-Sample ClairFeedImportResult @{
    Changed = $true; Generation = 1234; Sequence = 1234; PublishedAt = $time; IncompleteSources = 'debian: never captured'; HeldBack = 'osv: it is too large', 'osv: it is none'; Sources = $long, 'rhel-vex'
}
foreach ($result in 'Sent', 'Unchanged', 'NotDue', 'Failed') {
    New-Sample ClairFeedWarning @{
        Channel = 'EventLog'; Result = $result; Level = 'Critical'; Destination = 'vulnerability-response@security.example.org'
        Error = $(if ($result -eq 'Failed') { $quarantined }); Summary = 'Clair''s feeds are critically old: rhel-vex is unchecked since 2026-11-20T02:30:00Z.'
    }
}
foreach ($state in 'Fresh', 'Stale', 'Missing', 'Failed', 'Deselected', 'Unsupported') {
    foreach ($level in 'Ok', 'Warning', 'Critical', 'Expired', 'None') {
        New-Sample ClairFeedFreshness @{
            Source = $long; Level = $level; State = $state; Age = [timespan]::FromHours(2447); CapturedAt = $time; Cause = 'CollectionFailed'; Reason = $quarantined
        }
    }
}
New-Sample ClairFeedFreshness @{ Source = 'alpine'; Level = 'Ok'; State = 'Fresh'; Age = [timespan]::FromHours(7); CapturedAt = $time; Cause = 'None'; Reason = '' }
New-Sample ClairFeedFreshness @{ Source = 'aws'; Level = 'Critical'; State = 'Missing'; Cause = 'NotCollected'; Reason = 'Nothing of it was ever brought in: what it covers is unchecked.' }
New-Sample ClairFeedMirror @{
    ProcessId = 1234567; IsRunning = $true; Urls = 'http://0.0.0.0:8080', 'https://mirror-of-feeds.clair.example.org:8443'; SitePath = '/var/lib/quayairgap/sites/production-inside'; Folder = $null
}
foreach ($severity in 'Information', 'Warning', 'Error') {
    New-Sample ClairAirGapFinding @{
        Severity = $severity; Id = 'ForcedReleaseUnknown'; Where = 'updaters.config.rhel-vex.url'; What = "Clair reads $url."; Why = 'Behind the air gap nothing answers there, so that images come out clean-looking.'
        Remedy = 'Set-ClairAirGap Mirror -ConfigPath /etc/clair/config.yaml -MirrorUri http://mirror:8080'
    }
}
foreach ($state in 'Current', 'Older', 'Unproven', 'Missing', 'NotServed', 'NotCompared') {
    New-Sample ClairUpdateOperation @{
        Updater = 'suse-updater-suse.linux.enterprise.server.15'; Source = 'suse'; State = $state; Date = $time
        Reason = 'The current generation has nothing for it: what Clair has of it, if anything, can only get older.'
    }
}
foreach ($action in 'None', 'Add', 'Replace', 'Remove') {
    New-Sample ClairImageLabel @{
        Image = 'quay.example.org/organisation/repository-of-many-images:2026.11.26-release'; Action = $action; Applied = $true; Value = 'Incomplete: rhel-vex is deselected; 212 of 430 packages are unchecked'
    }
}
foreach ($verdict in 'Covered', 'Stale', 'EndOfLife', 'Unsupported', 'Incomplete', 'Unindexed') {
    New-Sample ClairImageCoverage @{
        Image = 'quay.example.org/organisation/repository-of-many-images:2026.11.26-release'; Verdict = $verdict; PackageCount = 12345; PackagesSpokenFor = 12345
        Summary = "${verdict}: rhel-vex is deselected: 212 of 430 packages are unchecked"
    }
}
foreach ($code in 'MAPPING-OLDER-THAN-IMAGE', 'SCORES-INCOMPLETE') {
    New-Sample ClairCoverageGap @{
        Code = $code; Source = $long; Part = 'crates.io'; PackageCount = 12345
        Message = 'The mapping of repositories was captured before the image was made: packages out of newer repositories are unchecked.'
    }
}
foreach ($state in 'Fresh', 'Unsupported') {
    New-Sample ClairCoverageNeed @{ Source = $long; Part = 'crates.io'; State = $state; PackageCount = 12345; CapturedAt = $time; Subject = 'Red Hat Enterprise Linux 9 (Plow)' }
    New-Sample ClairFeedNeed @{ Source = $long; Part = 'SUSE Linux Enterprise Server 15 SP7, as published'; State = $state; ImageCount = 123456; Enabled = $true }
}
New-Sample ClairFeedLedgerEntry @{
    Number = 123456; Time = $time; Event = 'bundle.published'; Actor = 'feeds@importer'
    Details = [System.Collections.ObjectModel.ReadOnlyDictionary[string, string]]::new([System.Collections.Generic.Dictionary[string, string]]::new())
}
