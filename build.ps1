#!/usr/bin/env pwsh
<#
.SYNOPSIS
    The build for people who have PowerShell: a thin wrapper over "dotnet", which does everything and needs no PowerShell.
.PARAMETER Task
    Build    dotnet build: also lays the finished module out under out/module/QuayAirGap/<version>.
    Test     Build, then dotnet test, then the tests in tests/pester in this PowerShell too: dotnet test runs them in the one that the tool manifest names.
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

        # In a process of its own: an assembly that a session has imported can, on Windows, not be built again until the session ends. As a .NET tool, PowerShell is
        # an assembly that "dotnet" runs.
        $program = (Get-Process -Id $PID).Path
        $hosted = @(if ([IO.Path]::GetFileNameWithoutExtension($program) -eq 'dotnet') { [Environment]::GetCommandLineArgs()[0] })
        $tests = Join-Path $PSScriptRoot 'tests'
        $pester = Invoke-Dotnet msbuild (Join-Path $tests 'QuayAirGap.Tests') '-getProperty:PesterManifest' # quoted, since PowerShell would make two arguments of it
        & $program @hosted -NoProfile -NonInteractive -File (Join-Path $tests 'pester' 'run.ps1') -Pester $pester
        if ($LASTEXITCODE -ne 0) {
            throw 'Tests in tests/pester failed.'
        }
    }
    'Package' {
        $runtimes = $Runtime | ForEach-Object { '--runtime'; $_ }
        Invoke-Dotnet run --project (Join-Path $PSScriptRoot 'build' 'QuayAirGap.Package') '--' @runtimes # quoted, since PowerShell would keep a bare one to itself
        Get-ChildItem -LiteralPath (Join-Path $PSScriptRoot 'out' 'package')
    }
}
