$known = @()
$required = 1
if ($hasSite) {
    $known = @((Get-ClairFeedTrust @site).Where({ $_.State -ne 'Revoked' }).Thumbprint)
    # A file that is written in another form than the program's own counts as a change; setting what is set already writes nothing.
    $policy = [IO.Path]::Combine($p.site, 'trust', 'policy.yaml')
    if ([IO.File]::Exists($policy)) { $required = [int] [regex]::Match([IO.File]::ReadAllText($policy), '(?m)^requiredSigners:[ ]*(\d+)').Groups[1].Value }
}

$added = @()
foreach ($path in Split-List $p.certificates) {
    # In check mode the play may not have brought the file yet.
    if ($check -and -not [IO.File]::Exists($path)) { $added += $path; continue }
    $certificate = [Security.Cryptography.X509Certificates.X509Certificate2]::new($path)
    $thumbprint = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($certificate.RawData)).ToLowerInvariant()
    if ($thumbprint -in $known) { continue }
    Add-ClairFeedTrust -LiteralPath $path -WhatIf:$check @site
    $added += $thumbprint
}

$more = $required -ne [int] $p.required
if ($more -and -not $check) { Set-ClairFeedTrust -RequiredSigners ([int] $p.required) @site }
Send-Answer ($added.Count -gt 0 -or $more) ([ordered] @{ Added = $added; RequiredSigners = [int] $p.required })
