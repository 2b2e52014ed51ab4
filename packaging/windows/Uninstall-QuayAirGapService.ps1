<#
.SYNOPSIS
Removes the service that Install-QuayAirGapService.ps1 made: its account's rights, its firewall rule and itself. The site stays.

.DESCRIPTION
Run it as an administrator; -WhatIf shows what it would do and needs no rights. The source of the events stays too: the jobs of
Register-ClairFeedSchedule write under the same name, and events that are there already are read with it.

.EXAMPLE
.\Uninstall-QuayAirGapService.ps1 -Executable 'C:\Program Files\QuayAirGap\quayairgap.exe' -Site D:\clair-feeds
#>
#Requires -Version 5.1
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
param(
    # As it was installed with: whose folder the account may read no more.
    [Parameter(Mandatory)] [string] $Executable,

    # As it was installed with: what the account may read no more.
    [Parameter(Mandatory)] [string] $Site,

    # The service's name.
    [ValidatePattern('^[A-Za-z0-9_-]{1,80}$')] [string] $Name = 'QuayAirGap'
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Invoke-Tool([string] $File, [string[]] $Arguments) {
    & $File $Arguments | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "$File $Arguments ended with exit code $LASTEXITCODE." }
}

$account = "NT SERVICE\$Name"
if ($PSCmdlet.ShouldProcess($Name, 'Stop it, and wait for its downloads')) {
    if (Get-Service -Name $Name -ErrorAction SilentlyContinue) { Stop-Service -Name $Name }
}

# While there is a service of that name, Windows knows its account by name.
foreach ($readable in [System.IO.Path]::GetDirectoryName([System.IO.Path]::GetFullPath($Executable)), [System.IO.Path]::GetFullPath($Site)) {
    if ($PSCmdlet.ShouldProcess($readable, "Let $account read it no more")) {
        Invoke-Tool icacls.exe @($readable, '/remove', $account)
    }
}
if ($PSCmdlet.ShouldProcess("$Name-In", 'Remove the rule of the firewall')) {
    Get-NetFirewallRule -Name "$Name-In" -ErrorAction SilentlyContinue | Remove-NetFirewallRule
}
if ($PSCmdlet.ShouldProcess($Name, 'Remove the service')) {
    Invoke-Tool sc.exe @('delete', $Name)
}
