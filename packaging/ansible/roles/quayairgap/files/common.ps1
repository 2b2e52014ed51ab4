# Shared by the role's scripts. Only the engine's own cmdlets, so that the quayairgap executable runs them as pwsh does.

# A list came as lines.
function Split-List([string] $Text) { , @($Text.Split("`n", [StringSplitOptions] 'RemoveEmptyEntries, TrimEntries')) }

# One flat answer; ansible.windows.win_powershell takes "changed" from $Ansible.
function Send-Answer([bool] $Changed, [System.Collections.Specialized.OrderedDictionary] $More) {
    $answer = [ordered] @{ Changed = $Changed }
    foreach ($name in $More.Keys) { $answer[$name] = $More[$name] }
    if ($ExecutionContext.SessionState.PSVariable.Get('Ansible')) { $Ansible.Changed = $Changed }
    [pscustomobject] $answer
}
