#Requires -Version 7.4
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '5.5.0' }
<#
    Both sites of the round trip, as people look at them in PowerShell: views, jobs, errors, completion.
#>

BeforeDiscovery {
    . (Join-Path $PSScriptRoot 'Support.ps1')
    $views = ([xml] (Get-Content -LiteralPath (Join-Path (Split-Path $manifest) 'QuayAirGap.Format.ps1xml') -Raw)).Configuration.ViewDefinitions.View |
        Where-Object TableControl | ForEach-Object { @{ Name = $_.Name; View = $_ } }
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'Support.ps1')
    Import-Module $manifest -Force
    $trip = Join-Path $TestDrive 'trip'
    $roundTrip = Invoke-PwshFile "$examples/round-trip.ps1" '-Path', $trip
    $inside = Join-Path $trip 'inside'
    $bundle = (Get-ChildItem (Join-Path $trip 'media' '*.tar')).FullName
    $narrow = @{ Width = 80 }
}

Describe 'The round trip' {
    It 'holds all its checks, and shows what it has as tables' {
        $roundTrip.ExitCode | Should -Be 0 -Because $roundTrip.Output
        $roundTrip.Output | Should -Match 'checks held'
        $roundTrip.Output | Should -Match '(?m)^Source +Level +Age +Captured \(UTC\) +State\s*$'
    }
}

Describe 'The pipeline' {
    It 'verifies and imports' {
        $media = Split-Path $bundle
        $result = Invoke-PwshFile "$examples/pipeline.ps1" '-Stage', 'Verify', '-Media', $media, '-TrustedSigner', (Join-Path $trip 'collector.cer')
        $result.ExitCode | Should -Be 0 -Because $result.Output
        $result = Invoke-PwshFile "$examples/pipeline.ps1" '-Stage', 'Import', '-Media', $media, '-InsideSite', $inside
        $result.ExitCode | Should -Be 0 -Because $result.Output
    }

    It 'stops at a signer that it was not told to trust' {
        $null = New-ClairFeedSigner -Path "$TestDrive/other.pfx" -Subject CN=other
        $result = Invoke-PwshFile "$examples/pipeline.ps1" '-Stage', 'Verify', '-Media', (Split-Path $bundle), '-TrustedSigner', "$TestDrive/other.cer"
        $result.ExitCode | Should -Be 2
        $result.Output | Should -Match 'BundleSignerUnknown'
    }
}

Describe 'View of <Name>' -ForEach $views {
    # A window of 80 columns is what a console without a screen has. The engine breaks words wherever a column ends, so that a narrow one cannot be read.
    It 'fits 80 columns, with room for its last column and for every header' {
        $columns = @($View.TableControl.TableHeaders.TableColumnHeader)
        $fixed = @($columns | Where-Object Width)
        $room = 80 - ($columns.Count - 1) - ($fixed | Measure-Object { [int] $_.Width } -Sum).Sum
        $room | Should -BeGreaterOrEqual $(if ($fixed.Count -lt $columns.Count) { 12 } else { 0 })
        foreach ($column in $fixed) { $column.Label.Length | Should -BeLessOrEqual ([int] $column.Width) }
    }
}

Describe 'What is shown' {
    It 'is a table with its header in one line, and times with their zone: <_>' -ForEach @(
        'Get-ClairFeedSource -SitePath $inside'
        'Get-ClairFeedBundle $bundle -SitePath $inside'
        'Import-ClairFeed $bundle -SitePath $inside -PassThru -WarningAction Ignore'
        'Get-ClairFeed -SitePath $inside'
        'Get-ClairFeedLedger -SitePath $inside'
        'Test-ClairFeedFreshness -SitePath $inside'
    ) {
        $lines = & ([scriptblock]::Create($_)) | Out-String @narrow -Stream | Where-Object { $_.Trim() }
        $lines[1] | Should -Match '^[- ]+$'
        $lines[0] | Should -Not -Match '…'
        $lines | ForEach-Object Length | Should -Not -BeGreaterThan 80
        if ($lines[0] -match 'UTC') { $lines -join "`n" | Should -Match '\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?Z' }
    }

    It 'is a thumbprint in one piece, as it is compared' {
        $shown = Get-ClairFeedTrust -SitePath $inside | Out-String @narrow
        $shown | Should -Match "Thumbprint +: $((Get-ClairFeedTrust -SitePath $inside).Thumbprint)"
    }

    It 'says of a source that is left out that nothing of it is checked' {
        Set-ClairFeedSource alpine -Enabled $false -SitePath $inside
        try {
            (Test-ClairFeedFreshness alpine -SitePath $inside | Out-String -Width 120) -replace '\s+', ' ' | Should -Match 'Deselected: what it covers is unchecked'

            # In most languages, and in none, the engine breaks a line at any letter: the views break it themselves.
            foreach ($culture in '', 'en-US', 'pl-PL') {
                $shown = Invoke-Pwsh "Import-Module '$manifest'; [cultureinfo]::CurrentCulture = '$culture'; Test-ClairFeedFreshness alpine -SitePath '$inside' | Out-String"
                $shown.Output -split '\s+' | Should -Contain 'unchecked' -Because $shown.Output
            }
        }
        finally {
            Set-ClairFeedSource alpine -Enabled $true -SitePath $inside
        }
    }
}

Describe 'Jobs' {
    BeforeAll { $live = Test-ClairFeedFreshness alpine -SitePath $inside }

    It 'bring results back that can be read and reckoned with: <Kind>' -ForEach @(
        @{ Kind = 'Start-Job' }
        @{ Kind = 'Start-ThreadJob' }
        @{ Kind = 'Export-Clixml' }
    ) {
        $back = switch ($Kind) {
            'Export-Clixml' {
                $live | Export-Clixml -LiteralPath "$TestDrive/live.xml"
                Import-Clixml -LiteralPath "$TestDrive/live.xml"
            }
            default {
                & $Kind { Import-Module $using:manifest; Test-ClairFeedFreshness alpine -SitePath $using:inside } | Receive-Job -Wait -AutoRemoveJob
            }
        }
        $back.Source, $back.Level, $back.State | Should -Be 'alpine', 'Ok', 'Fresh'
        $back.WarnAfter | Should -Be ([timespan]::FromDays(3))
        $shown = $back | Out-String @narrow
        $shown | Should -Match ([regex]::Escape($live.CapturedAt.UtcDateTime.ToString('yyyy-MM-dd HH:mm') + 'Z'))
        if ($Kind -eq 'Start-Job') { ([DateTimeOffset] $back.CapturedAt - $live.CapturedAt).Duration() | Should -BeLessThan ([timespan]::FromSeconds(1)) }
    }
}

Describe 'Errors' {
    It 'show what happened, what to do and the id, and carry the rest for scripts' {
        $problem = Import-ClairFeed (Join-Path $TestDrive 'none.tar') -SitePath $inside -ErrorAction Continue 2>&1
        $shown = $problem | Out-String -Width 200
        $shown | Should -Match 'There is no bundle at'
        $shown | Should -Match 'Recommendation: Correct the path\. \[BundleNotFound\]'
        $problem.FullyQualifiedErrorId | Should -BeLike 'BundleNotFound,*'
        $problem.CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $problem.TargetObject | Should -Be (Join-Path $TestDrive 'none.tar')
    }

    It 'go on to the next bundle, unless they are told to stop' {
        $none = Join-Path $TestDrive 'none.tar'
        @(Import-ClairFeed $none, $bundle -SitePath $inside -PassThru -ErrorAction SilentlyContinue -WarningAction Ignore).Count | Should -Be 1
        { $ErrorActionPreference = 'Stop'; Import-ClairFeed $none -SitePath $inside } | Should -Throw -ErrorId 'BundleNotFound,*'
    }

    It 'end a script in 1 under -File with Stop, and name the line' {
        $script = Join-Path $TestDrive 'stops.ps1'
        Set-Content -LiteralPath $script "`$ErrorActionPreference = 'Stop'`nImport-Module '$manifest'`nGet-ClairFeed -SitePath '$TestDrive/nowhere'`n'after'"
        $result = Invoke-PwshFile $script
        $result.ExitCode | Should -Be 1
        $result.Output | Should -Match 'stops\.ps1:3'
        $result.Output | Should -Not -Match 'after'
    }
}

Describe 'At the keyboard' {
    It 'completes <Text>' -ForEach @(
        @{ Text = 'Get-ClairFeedSource rh'; Expected = 'rhel-vex' }
        @{ Text = 'Set-ClairFeedSource -Name de'; Expected = 'debian' }
        @{ Text = 'Set-ClairAirGap -Mode M'; Expected = 'Mirror' }
        @{ Text = 'Import-ClairFeed -Rem'; Expected = '-RemoveImported' }
    ) {
        (TabExpansion2 $Text $Text.Length).CompletionMatches.CompletionText | Should -Contain $Expected
    }

    It 'has its topics in Get-Help' {
        (Get-Help about_QuayAirGap | Out-String) | Should -Match 'Save-ClairFeed'
        (Get-Help about_QuayAirGap_Errors | Out-String) | Should -Match 'BundleSequence'
    }

    It 'shows what stands in a file line by line' {
        (Get-Help Test-ClairFeedFreshness | Out-String) | Should -Match '(?m)^ +clair:\r?\n +url: '
    }

    It 'parts the examples of a page by an empty line' {
        (Get-Help Save-ClairFeed -Examples | Out-String) | Should -Match '(\r?\n) *\r?\n *Example 6'
    }

    It 'pipes by property name: a file, a bundle, a generation' {
        (Get-Item -LiteralPath $bundle | Get-ClairFeedBundle -SitePath $inside).Sequence | Should -Be 1
        Get-ClairFeedBundle $bundle -SitePath $inside | Test-ClairFeedBundle -SitePath $inside | Should -BeTrue
        (Get-ClairFeed -SitePath $inside | Where-Object IsCurrent | Restore-ClairFeed -SitePath $inside -WhatIf *>&1) | Should -Not -BeOfType ([Management.Automation.ErrorRecord])
        (Get-ClairFeedSource debian -SitePath $inside | Set-ClairFeedSource -WarnAfter 2d -SitePath $inside -WhatIf *>&1) | Should -Not -BeOfType ([Management.Automation.ErrorRecord])
    }

    It 'works in strict mode' {
        $result = Invoke-Pwsh "Set-StrictMode -Version Latest; `$ErrorActionPreference = 'Stop'; Import-Module '$manifest'; Test-ClairFeedFreshness -SitePath '$inside'; Get-ClairFeedSource; Get-ClairFeedLedger -SitePath '$inside'"
        $result.ExitCode | Should -Be 0 -Because $result.Output
    }
}
