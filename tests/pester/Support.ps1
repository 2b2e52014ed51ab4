# What every file of the suite begins with: where the built module and its executable are, and how to start another PowerShell.
$root = [IO.Path]::GetFullPath([IO.Path]::Combine($PSScriptRoot, '..', '..'))
$version = ([xml] (Get-Content -LiteralPath (Join-Path $root 'Directory.Build.props') -Raw)).Project.PropertyGroup.Version | Where-Object { $_ }
$modules = Join-Path $root 'out' 'module'
$manifest = Join-Path $modules 'QuayAirGap' $version 'QuayAirGap.psd1'
$examples = Join-Path $root 'docs' 'examples'
$exports = @((Import-PowerShellDataFile -LiteralPath $manifest).CmdletsToExport)

# By its name it is found by what is started from here, and before another that this account may have.
if (($env:PSModulePath -split [IO.Path]::PathSeparator)[0] -ne $modules) { $env:PSModulePath = $modules + [IO.Path]::PathSeparator + $env:PSModulePath }

# Start-ClairFeedMirror needs it: the newest that was built, unless somebody names one.
if (-not $env:QUAYAIRGAP_EXECUTABLE) {
    $env:QUAYAIRGAP_EXECUTABLE = Get-ChildItem (Join-Path $root 'src' 'QuayAirGap.Host' 'bin' '*' 'net10.0' 'quayairgap*') -ErrorAction Ignore |
        Where-Object Name -In 'quayairgap', 'quayairgap.exe' | Sort-Object LastWriteTime | Select-Object -Last 1 -ExpandProperty FullName
}

# As a .NET tool, PowerShell is an assembly that "dotnet" runs.
$program = (Get-Process -Id $PID).Path
$hosted = @(if ([IO.Path]::GetFileNameWithoutExtension($program) -eq 'dotnet') { [Environment]::GetCommandLineArgs()[0] })

# A process of its own: what an import does can be seen once in a process.
function Invoke-Pwsh([string] $Script) {
    $output = & $program @hosted -NoProfile -NonInteractive -Command $Script 2>&1 | Out-String
    [pscustomobject] @{ ExitCode = $LASTEXITCODE; Output = $output.Trim() }
}

function Invoke-PwshFile([string] $File, [string[]] $Arguments) {
    $output = & $program @hosted -NoProfile -NonInteractive -File $File @Arguments 2>&1 | Out-String
    [pscustomobject] @{ ExitCode = $LASTEXITCODE; Output = $output.Trim() }
}
