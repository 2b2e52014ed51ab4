#Requires -Version 7.4
<#
.SYNOPSIS
    Runs the tests of this folder against the module that the last build laid out, and ends in 1 where one fails or none passes.
.PARAMETER Pester
    The manifest of the Pester to run them with. Default: the newest that is installed.
.PARAMETER Output
    How much is told: Normal names what fails, Detailed every test.
#>
param([string] $Pester = 'Pester', [string] $Output = 'Normal')
$ErrorActionPreference = 'Stop'
Import-Module $Pester -MinimumVersion 5.5.0
$result = Invoke-Pester -Path $PSScriptRoot -Output $Output -PassThru
if ($result.Result -ne 'Passed' -or $result.PassedCount -eq 0) {
    $result.Failed | ForEach-Object { "Failed: $($_.ExpandedPath)" }
    exit 1
}
