# Wildcards are taken apart here, so that a file that is no bundle any more is still handed to the import: it refuses it, and the ledger keeps that.
$files = @(foreach ($path in Split-List $p.bundles) {
    $found = if ($path -match '[*?]') { [IO.Directory]::GetFiles([IO.Path]::GetDirectoryName($path), [IO.Path]::GetFileName($path)) } else { $path }
    foreach ($file in $found) {
        try { Get-ClairFeedBundle -LiteralPath $file @site }
        catch {
            if ($_.FullyQualifiedErrorId -like 'BundleNotFound,*' -or $check -or -not $hasSite) { throw }
            Import-ClairFeed -LiteralPath $file @site
            throw
        }
    }
})
if (-not $files.Count) { throw "No bundle was found: $($p.bundles)" }
[Array]::Sort([long[]] $files.Sequence, $files)

$served = $null
if ($hasSite) { $served = @((Get-ClairFeed @site).Where({ $_.IsCurrent }))[0] }
$imported = @()
$skipped = @()
$incomplete = @()
foreach ($file in $files) {
    # What came before the generation that is served has nothing to say any more. It is not looked at, and not believed either.
    if ($served -and $file.Stream -eq $served.Stream -and $file.Sequence -lt $served.Sequence) { $skipped += $file.Path; continue }

    if (-not $check) {
        $result = Import-ClairFeed -LiteralPath $file.Path -PassThru @site
        $incomplete = $result.IncompleteSources
        if ($result.Changed) { $imported += $file.Path } else { $skipped += $file.Path }
        $served = @((Get-ClairFeed @site).Where({ $_.IsCurrent }))[0]
    }
    elseif ($file.Verdict -eq 'AlreadyImported') { $skipped += $file.Path }
    elseif (-not $hasSite) { $imported += $file.Path } # its trust is not there yet in a play that is only looked at
    elseif ($file.Verdict -eq 'BundleBase' -and $imported.Count) { $imported += $file.Path } # its base would be imported before it
    else {
        Import-ClairFeed -LiteralPath $file.Path -WhatIf @site # signature and policy; throws where they do not hold
        $imported += $file.Path
    }
}

Send-Answer ($imported.Count -gt 0) ([ordered] @{
    Generation = $served.Generation; Sequence = $served.Sequence; Imported = $imported; Skipped = $skipped; IncompleteSources = $incomplete })
