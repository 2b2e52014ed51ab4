@{
    RootModule           = 'QuayAirGap.psm1'
    ModuleVersion        = '@Version@'
    GUID                 = '5f0d4b0e-6a3d-4a53-9c1f-2d8a7d3c1b94'
    Author               = 'the QuayAirGap authors'
    CompanyName          = 'QuayAirGap'
    Copyright            = 'Copyright (c) the QuayAirGap authors. Apache-2.0.'
    Description          = 'Carries Clair''s vulnerability feeds over an air gap in signed bundles, publishes them so that an unmodified Clair ingests them correctly, and says when they are old or missing.'
    PowerShellVersion    = '7.4'
    CompatiblePSEditions = @('Core')
    FormatsToProcess     = @('QuayAirGap.Format.ps1xml')
    CmdletsToExport      = @(
        'Add-ClairFeedSignature'
        'Add-ClairFeedTrust'
        'Export-ClairFeedStatus'
        'Export-ClairScanReport'
        'Get-ClairFeed'
        'Get-ClairFeedBundle'
        'Get-ClairFeedLedger'
        'Get-ClairFeedNeed'
        'Get-ClairFeedSource'
        'Get-ClairFeedTrust'
        'Get-ClairImageCoverage'
        'Get-ClairUpdateOperation'
        'Import-ClairFeed'
        'Import-ClairFeedTrust'
        'New-ClairFeedMirrorCertificate'
        'New-ClairFeedSigner'
        'New-ClairFeedTrustDocument'
        'Publish-ClairFeedBundle'
        'Receive-ClairFeedBundle'
        'Register-ClairFeedSchedule'
        'Remove-ClairFeedTrust'
        'Repair-ClairFeedStore'
        'Restore-ClairFeed'
        'Save-ClairFeed'
        'Send-ClairFeedWarning'
        'Set-ClairAirGap'
        'Set-ClairFeedSource'
        'Set-ClairFeedTrust'
        'Set-ClairImageLabel'
        'Split-ClairFeedBundle'
        'Start-ClairFeedMirror'
        'Stop-ClairFeedMirror'
        'Test-ClairAirGap'
        'Test-ClairFeedBundle'
        'Test-ClairFeedFreshness'
        'Test-ClairFeedStore'
        'Unregister-ClairFeedSchedule'
    )
    FunctionsToExport    = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{
        PSData = @{
            Tags       = @('Clair', 'Quay', 'AirGap', 'Vulnerability', 'Security', 'PSEdition_Core', 'Linux', 'Windows')
            LicenseUri = 'https://www.apache.org/licenses/LICENSE-2.0'
        }
    }
}
