#!/usr/bin/env pwsh
<#
.SYNOPSIS
    The build for people who have PowerShell: a thin wrapper over "dotnet", which does everything and needs no PowerShell.
.PARAMETER Task
    Build    dotnet build: also lays the finished module out under out/module/QuayAirGap/<version>.
    Test     Build, then dotnet test.
    Package  Build in Release, then one zip of the module under out/package, with its SHA-256 beside it.
.EXAMPLE
    ./build.ps1 -Task Test
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Package')]
    [string] $Task = 'Build'
)
$ErrorActionPreference = 'Stop'
$solution = Join-Path $PSScriptRoot 'QuayAirGap.sln'
$configuration = if ($Task -eq 'Package') { 'Release' } else { 'Debug' }

function Invoke-Dotnet {
    & dotnet @args
    if ($LASTEXITCODE -ne 0) {
        throw "dotnet $($args[0]) ended with exit code $LASTEXITCODE."
    }
}

Invoke-Dotnet build $solution --configuration $configuration

switch ($Task) {
    'Test' {
        Invoke-Dotnet test $solution --no-build --configuration $configuration
    }
    'Package' {
        $version = ([xml] (Get-Content -LiteralPath (Join-Path $PSScriptRoot 'Directory.Build.props') -Raw)).Project.PropertyGroup.Version |
            Where-Object { $_ }
        $module = Join-Path $PSScriptRoot 'out' 'module' 'QuayAirGap'
        Get-ChildItem -LiteralPath $module | Where-Object Name -ne $version | Remove-Item -Recurse # builds of earlier versions
        $package = Join-Path $PSScriptRoot 'out' 'package'
        $null = New-Item -ItemType Directory -Path $package -Force
        $zip = Join-Path $package "QuayAirGap.$version.zip"
        Compress-Archive -LiteralPath $module -DestinationPath $zip -Force
        $hash = (Get-FileHash -LiteralPath $zip -Algorithm SHA256).Hash.ToLowerInvariant()
        Set-Content -LiteralPath "$zip.sha256" -Value "$hash  QuayAirGap.$version.zip"
        Get-Item -LiteralPath $zip
    }
}
