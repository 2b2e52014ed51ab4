<#
.SYNOPSIS
Installs "quayairgap serve" as a service of Windows, under an account that can do nothing else.

.DESCRIPTION
Makes the service with a virtual account of its own (NT SERVICE\<name>: no password, no rights but these), lets that account read the
executable's folder and the site, opens the firewall for the ports of -Urls, has Windows restart the service when it fails, registers the
source of its events, and starts it. Run it as an administrator; -WhatIf shows what it would do and needs no rights.

The site itself is written by whoever imports, not by the service.

.EXAMPLE
.\Install-QuayAirGapService.ps1 -Executable 'C:\Program Files\QuayAirGap\quayairgap.exe' -Site D:\clair-feeds -WhatIf

.EXAMPLE
.\Install-QuayAirGapService.ps1 -Executable 'C:\Program Files\QuayAirGap\quayairgap.exe' -Site D:\clair-feeds -Urls http://*:8080 -RemoteAddress 10.20.0.0/16
#>
#Requires -Version 5.1
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
param(
    # quayairgap.exe. Everybody who may change its folder decides what the service runs: Program Files is right.
    [Parameter(Mandatory)] [string] $Executable,

    # The site that it serves.
    [Parameter(Mandatory)] [string] $Site,

    # Where it serves by path.
    [string[]] $Urls = @('http://*:8080'),

    # More options of "quayairgap serve", word by word: '--as-upstream', '--proxy', 'http://*:3128'.
    [string[]] $Argument = @(),

    # The service's name, and its account's.
    [ValidatePattern('^[A-Za-z0-9_-]{1,80}$')] [string] $Name = 'QuayAirGap',

    # TCP ports to open. Default: those of -Urls. Name them all when -Argument listens at more.
    [ValidateRange(1, 65535)] [int[]] $Port,

    # Who may connect: addresses, networks, or a keyword of New-NetFirewallRule.
    [string[]] $RemoteAddress = @('LocalSubnet'),

    # No rule for the firewall: another program manages it.
    [switch] $NoFirewall
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Invoke-Tool([string] $File, [string[]] $Arguments) {
    & $File $Arguments | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "$File $Arguments ended with exit code $LASTEXITCODE." }
}

# A word of a command line as Windows' programs read it: quoted, backslashes before a quote doubled.
function ConvertTo-Word([string] $Text) {
    if ($Text -match '^[^\s"]+$') { return $Text }
    '"' + (($Text -replace '(\\*)"', '$1$1\"') -replace '(\\+)$', '$1$1') + '"'
}

$program = [System.IO.Path]::GetFullPath($Executable)
$folder = [System.IO.Path]::GetFullPath($Site)
if (-not [System.IO.File]::Exists($program)) { throw "There is no '$program'." }
if (-not [System.IO.File]::Exists([System.IO.Path]::Combine($folder, 'sources.yaml'))) {
    throw "'$folder' is no site. Make it first, as the account that imports: Import-ClairFeedTrust, or Add-ClairFeedTrust, with -Path '$folder'."
}

if (-not $Port) {
    $Port = foreach ($url in $Urls) {
        if ($url -notmatch '^https?://[^/]+:(\d+)$') { throw "'$url' names no port to open. Write it as http://*:8080." }
        [int] $Matches[1]
    }
}

$account = "NT SERVICE\$Name"
$words = foreach ($word in @('serve', '--site', $folder, '--urls', ($Urls -join ';')) + $Argument) { ConvertTo-Word $word }
$commandLine = "`"$program`" $words"
$eventSource = 'HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\QuayAirGap'

if (-not $WhatIfPreference) {
    $user = New-Object System.Security.Principal.WindowsPrincipal ([System.Security.Principal.WindowsIdentity]::GetCurrent())
    if (-not $user.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw 'Run this as an administrator, or with -WhatIf to see what it would do.'
    }
    if (Get-Service -Name $Name -ErrorAction SilentlyContinue) {
        throw "There is a service '$Name' already. Uninstall-QuayAirGapService.ps1 -Name $Name removes it."
    }
}

if ($PSCmdlet.ShouldProcess($Name, "Make the service: $commandLine")) {
    New-Service -Name $Name -BinaryPathName $commandLine -StartupType Automatic -DisplayName 'QuayAirGap mirror' `
        -Description "Serves Clair's vulnerability feeds from $folder." | Out-Null
}
if ($PSCmdlet.ShouldProcess($Name, "Run it as $account, without privileges")) {
    Invoke-Tool sc.exe @('config', $Name, 'obj=', $account)
    Invoke-Tool sc.exe @('privs', $Name, 'SeChangeNotifyPrivilege')
}
if ($PSCmdlet.ShouldProcess($Name, 'Restart it 5, 30 and 60 seconds after it failed')) {
    Invoke-Tool sc.exe @('failure', $Name, 'reset=', '86400', 'actions=', 'restart/5000/restart/30000/restart/60000')
    Invoke-Tool sc.exe @('failureflag', $Name, '1')
}
foreach ($readable in [System.IO.Path]::GetDirectoryName($program), $folder) {
    if ($PSCmdlet.ShouldProcess($readable, "Let $account read it")) {
        Invoke-Tool icacls.exe @($readable, '/grant', "${account}:(OI)(CI)RX")
    }
}
if ($PSCmdlet.ShouldProcess($eventSource, 'Register the source of its events')) {
    New-Item -Path $eventSource -Force | Out-Null
    New-ItemProperty -Path $eventSource -Name EventMessageFile -PropertyType ExpandString -Value '%SystemRoot%\System32\EventCreate.exe' -Force | Out-Null
    New-ItemProperty -Path $eventSource -Name TypesSupported -PropertyType DWord -Value 7 -Force | Out-Null
}
if (-not $NoFirewall -and $PSCmdlet.ShouldProcess("TCP $($Port -join ', ')", "Let $($RemoteAddress -join ', ') connect")) {
    New-NetFirewallRule -Name "$Name-In" -DisplayName "QuayAirGap mirror ($Name)" -Direction Inbound -Action Allow -Protocol TCP -LocalPort $Port `
        -Program $program -RemoteAddress $RemoteAddress | Out-Null
}
if ($PSCmdlet.ShouldProcess($Name, 'Start it, and wait until it answers')) {
    Start-Service -Name $Name
    Get-Service -Name $Name
}
