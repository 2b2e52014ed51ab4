# Only the engine's own cmdlets here: QuayAirGap also runs in hosts that have no Utility and no Management module.
if ($PSVersionTable.PSVersion.Major -lt 7) {
    throw 'QuayAirGap needs PowerShell 7.4 or later; Windows PowerShell 5.1, cmd and schedulers can call the executable "quayairgap" instead.'
}

# A policy that trusts the module gives it its full language, whatever the session has; without one its libraries cannot be kept apart from other modules'.
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
    throw 'QuayAirGap cannot be loaded in a constrained language mode. Let the policy of this machine (App Control, AppLocker) allow the module, or call the executable "quayairgap" instead.'
}

$bin = [System.IO.Path]::Combine($PSScriptRoot, 'bin')
if (-not ('QuayAirGap.Loader.LoadContext' -as [type])) {
    Import-Module -Name ([System.IO.Path]::Combine($bin, 'QuayAirGap.Loader.dll')) -ErrorAction Stop
}

$cmdlets = Import-Module -Assembly ([QuayAirGap.Loader.LoadContext]::Initialize($bin)) -PassThru -ErrorAction Stop

# The engine remembers an assembly that it has imported before, and then does not hand its cmdlets to the module that imports it again
# (PowerShell/PowerShell#20710): Import-Module -Force would leave a module without commands.
$export = [System.Management.Automation.PSModuleInfo].GetMethod('AddExportedCmdlet', [System.Reflection.BindingFlags] 'Instance, NonPublic')
foreach ($cmdlet in $cmdlets.ExportedCmdlets.Values) {
    $null = $export.Invoke($ExecutionContext.SessionState.Module, @(, $cmdlet))
}
