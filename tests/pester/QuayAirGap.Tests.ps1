#Requires -Version 7.4
#Requires -Modules @{ ModuleName = 'Pester'; ModuleVersion = '5.5.0' }
<#
    The module in PowerShell itself, as people have it: what the tests in the embedded engine cannot see, since that has neither the other modules nor a shell around it.
    Run by ./build.ps1 -Task Test, or: Invoke-Pester tests/pester, after a build.
#>

BeforeDiscovery {
    . (Join-Path $PSScriptRoot 'Support.ps1')
    $cmdlets = $exports | ForEach-Object { @{ Name = $_ } }
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'Support.ps1')
    Import-Module $manifest -Force
}

Describe 'Importing' {
    It 'has a valid manifest of the one version' {
        (Test-ModuleManifest -Path $manifest).Version | Should -Be ([version] $version)
    }

    It 'exports its cmdlets and nothing else' {
        $module = Get-Module QuayAirGap
        @($module.ExportedCmdlets.Keys | Sort-Object) | Should -Be @($exports | Sort-Object)
        $module.ExportedFunctions.Count + $module.ExportedAliases.Count + $module.ExportedVariables.Count | Should -Be 0
    }

    It 'is found by the name of a command alone' {
        (Invoke-Pwsh "`$env:PSModulePath = '$modules'; (Get-Command Import-ClairFeed).Source").Output | Should -Be 'QuayAirGap'
    }

    It 'keeps its commands when it is imported again with -Force' {
        Import-Module $manifest -Force
        Get-Command -Module QuayAirGap | Should -Not -BeNullOrEmpty
        { Get-ClairFeedSource -SitePath (Join-Path $TestDrive 'none') -ErrorAction Stop } | Should -Throw -ErrorId 'SiteNotFound,*'
    }

    It 'comes back after it was removed' {
        (Invoke-Pwsh "Import-Module '$manifest'; Remove-Module QuayAirGap; Import-Module '$manifest'; (Get-Command -Module QuayAirGap).Count -gt 20").Output | Should -Be 'True'
    }

    It 'works beside another YamlDotNet that was loaded first' {
        # Not the module's own copy: an assembly of the same name and another version, with none of its types.
        $other = Join-Path $TestDrive 'other' 'YamlDotNet.dll'
        $null = New-Item -ItemType Directory -Path (Split-Path $other)
        $builder = 'System.Reflection.Emit.PersistedAssemblyBuilder' -as [type]
        if (-not $builder) { Set-ItResult -Skipped -Because 'this .NET cannot write an assembly (PowerShell 7.5 and later can)'; return }
        $assembly = $builder::new([Reflection.AssemblyName] 'YamlDotNet, Version=1.2.3.0', [object].Assembly, $null)
        $null = $assembly.DefineDynamicModule('YamlDotNet').DefineType('YamlDotNet.Other').CreateType()
        $assembly.Save($other)
        $site = Join-Path $TestDrive 'yaml'
        $result = Invoke-Pwsh "
            Add-Type -LiteralPath '$other'
            Import-Module '$manifest'
            Set-ClairFeedSource alpine -WarnAfter 2d -SitePath '$site'
            (Get-ClairFeedSource alpine -SitePath '$site').WarnAfter.TotalDays
            [AppDomain]::CurrentDomain.GetAssemblies().Where({ `$_.GetName().Name -eq 'YamlDotNet' }).Count"
        $result.Output -split '\r?\n' | Should -Be @('2', '2')
    }

    It 'says in one sentence that it cannot be loaded where the language is constrained, and works where it was loaded before' {
        $constrain = "`$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'"
        $refused = Invoke-Pwsh "`$ErrorActionPreference = 'Stop'; $constrain; Import-Module '$manifest'"
        $refused.ExitCode | Should -Be 1
        $refused.Output | Should -Match 'cannot be loaded in a constrained language\s+mode'
        (Invoke-Pwsh "Import-Module '$manifest'; $constrain; Get-ClairFeedSource alpine").Output | Should -Match 'alpine +3d +5d +7d +enabled'
    }

    It 'does not change the preferences of who imports it' {
        (Invoke-Pwsh "`$before = `$ErrorActionPreference; Import-Module '$manifest'; `$before -eq `$ErrorActionPreference").Output | Should -Be 'True'
    }
}

Describe 'Help of <Name>' -ForEach $cmdlets {
    BeforeAll { $help = Get-Help $Name -Full }

    It 'has a synopsis and a description' {
        $help.Synopsis | Should -Not -BeNullOrEmpty
        $help.Synopsis | Should -Not -Match "^\s*$Name\s*\["
        ($help.Description | Out-String).Trim() | Should -Not -BeNullOrEmpty
    }

    It 'says what each parameter is for' {
        $common = [Management.Automation.Cmdlet]::CommonParameters + [Management.Automation.Cmdlet]::OptionalCommonParameters
        $parameters = (Get-Command $Name).Parameters.Keys | Where-Object { $_ -notin $common }
        foreach ($parameter in $parameters) {
            $text = ($help.parameters.parameter | Where-Object name -EQ $parameter).Description | Out-String
            $text.Trim() | Should -Not -BeNullOrEmpty -Because "-$parameter is a parameter of $Name"
        }
    }

    It 'has two examples that can be parsed, and no command in them that is not there' {
        @($help.examples.example).Count | Should -BeGreaterOrEqual 2
        foreach ($example in $help.examples.example) {
            $errors = $null
            $ast = [Management.Automation.Language.Parser]::ParseInput($example.code, [ref] $null, [ref] $errors)
            $errors | Should -BeNullOrEmpty
            $ast.FindAll({ $args[0] -is [Management.Automation.Language.CommandAst] }, $true).GetCommandName() |
                Where-Object { $_ -like '*-Clair*' } | ForEach-Object { Get-Command $_ -Module QuayAirGap } | Should -Not -Contain $null
        }
    }
}

Describe 'WhatIf' {
    It 'changes nothing: <_>' -ForEach @(
        'New-ClairFeedSigner -Path "$folder/key.pfx" -Subject CN=x'
        'Add-ClairFeedTrust -Path "$folder/signer.cer" -SitePath "$folder/site"'
        'Set-ClairFeedSource alpine -Enabled $false -SitePath "$folder/site"'
        'Set-ClairFeedTrust -RequiredSigners 2 -SitePath "$folder/site"'
    ) {
        $folder = Join-Path $TestDrive ([Guid]::NewGuid())
        $null = New-Item -ItemType Directory -Path $folder
        $null = New-ClairFeedSigner -Path "$folder/signer.pfx" -Subject 'CN=signer'
        $before = Get-ChildItem -LiteralPath $folder -Recurse -Force | ForEach-Object FullName
        & ([scriptblock]::Create("param(`$folder) $_ -WhatIf")) $folder
        Get-ChildItem -LiteralPath $folder -Recurse -Force | ForEach-Object FullName | Should -Be $before
    }

    It 'is offered by every cmdlet that changes something' {
        Get-Command -Module QuayAirGap | Where-Object Verb -In 'Add', 'Import', 'New', 'Publish', 'Receive', 'Register', 'Remove', 'Restore', 'Save', 'Send', 'Set', 'Start', 'Stop', 'Unregister' |
            Where-Object { -not $_.Parameters.ContainsKey('WhatIf') } | Should -BeNullOrEmpty
    }
}

Describe 'Examples' {
    It 'save-job.ps1 and import-job.ps1 end in 2 where nothing is' {
        $none = Join-Path $TestDrive 'none'
        (Invoke-PwshFile "$examples/import-job.ps1" '-DropFolder', $TestDrive, '-SitePath', $none).ExitCode | Should -Be 2
        (Invoke-PwshFile "$examples/save-job.ps1" '-Destination', $TestDrive, '-Signer', "$TestDrive/none.pfx", '-SitePath', $none).ExitCode | Should -Be 2
    }
}

Describe 'Output that goes through remoting and JSON' {
    BeforeAll {
        $site = Join-Path $TestDrive 'site'
        $null = New-ClairFeedSigner -Path (Join-Path $TestDrive 'signer.pfx') -Subject 'CN=signer'
        Add-ClairFeedTrust -Path (Join-Path $TestDrive 'signer.cer') -SitePath $site
    }

    It 'keeps every property that scripts branch on: <Command>' -ForEach @(
        @{ Command = 'Get-ClairFeedSource'; Properties = 'Name', 'Enabled' }
        @{ Command = 'Get-ClairFeedTrust'; Properties = 'Thumbprint', 'State' }
        @{ Command = 'Test-ClairFeedFreshness'; Properties = 'Source', 'Level', 'State', 'Required', 'Cause' }
    ) {
        $live = @(& $Command -SitePath $site)
        $live | Should -Not -BeNullOrEmpty

        # As it is over WinRM and SSH: serialised to depth 1.
        $remote = @([Management.Automation.PSSerializer]::Deserialize([Management.Automation.PSSerializer]::Serialize($live, 1)))
        $json = @($live | ConvertTo-Json -Depth 3 -AsArray | ConvertFrom-Json)
        for ($i = 0; $i -lt $live.Count; $i++) {
            foreach ($property in $Properties) {
                "$($remote[$i].$property)" | Should -Be "$($live[$i].$property)"
                "$($json[$i].$property)" | Should -Be "$($live[$i].$property)"
                $live[$i].$property | Should -Not -BeOfType ([Enum]) # Ansible makes a table of one
            }
        }
    }
}
