if ($check -and -not $hasSite) {
    # A play that is only looked at has not made the site: nothing can be said, and nothing is said to be good.
    Send-Answer $false ([ordered] @{ Known = $false; Good = $false; Sources = @(); Bad = @() })
    return
}

$sources = @(Test-ClairFeedFreshness @site)
$bad = @($sources.Where({ $_.Required -and $_.Level -ne 'Ok' }))
Send-Answer $false ([ordered] @{
    Known = $true
    Good = [bool] (Test-ClairFeedFreshness -Quiet @site)
    Sources = @($sources.ForEach({ "$($_.Source): $($_.Level)" }))
    Bad = @($bad.ForEach({ "$($_.Source): $($_.Level): $($_.Reason)" })) })
