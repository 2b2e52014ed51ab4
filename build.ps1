#!/usr/bin/env pwsh
<#
.SYNOPSIS
    The build for people who have PowerShell: a thin wrapper over "dotnet", which does everything and needs no PowerShell.
.PARAMETER Task
    Build    dotnet build: also lays the finished module out under out/module/QuayAirGap/<version>.
    Test     Build, then dotnet test, then the tests in tests/pester, where Pester 5.5 or later is there.
    Package  The module as zip and nupkg, executables with their own runtimes, bills of materials and checksums, under out/package.
             The same as: dotnet run --project build/QuayAirGap.Package
.PARAMETER Runtime
    Package: the runtimes to make executables for. Default: linux-x64, linux-arm64 and win-x64.
.EXAMPLE
    ./build.ps1 -Task Test
.EXAMPLE
    ./build.ps1 -Task Package -Runtime linux-x64
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Package')]
    [string] $Task = 'Build',

    [string[]] $Runtime = @()
)
$ErrorActionPreference = 'Stop'
$solution = Join-Path $PSScriptRoot 'QuayAirGap.sln'

function Invoke-Dotnet {
    & dotnet @args
    if ($LASTEXITCODE -ne 0) {
        throw "dotnet $($args[0]) ended with exit code $LASTEXITCODE."
    }
}

switch ($Task) {
    'Build' {
        Invoke-Dotnet build $solution
    }
    'Test' {
        Invoke-Dotnet build $solution
        Invoke-Dotnet test $solution --no-build
        if (-not (Get-Module Pester -ListAvailable | Where-Object Version -GE ([version] '5.5.0'))) {
            Write-Warning 'The tests in tests/pester were not run: they need Pester 5.5 or later.'
            return
        }

        Import-Module Pester -MinimumVersion 5.5.0
        $result = Invoke-Pester -Path (Join-Path $PSScriptRoot 'tests' 'pester') -Output Detailed -PassThru
        if ($result.FailedCount -gt 0 -or $result.FailedBlocksCount -gt 0 -or $result.PassedCount -eq 0) {
            throw "Pester: $($result.PassedCount) passed, $($result.FailedCount) failed."
        }
    }
    'Package' {
        $runtimes = $Runtime | ForEach-Object { '--runtime'; $_ }
        Invoke-Dotnet run --project (Join-Path $PSScriptRoot 'build' 'QuayAirGap.Package') -- @runtimes
        Get-ChildItem -LiteralPath (Join-Path $PSScriptRoot 'out' 'package')
    }
}
