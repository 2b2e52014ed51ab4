using System.Management.Automation.Runspaces;

namespace QuayAirGap.Host;

/// <summary>
/// The embedded engine has no Utility module. These are the three of its commands that hardly any script does without; the parameters they
/// have here do what the originals do, and the other parameters are not there.
/// </summary>
internal static class HostFunctions
{
    public static IEnumerable<SessionStateFunctionEntry> All { get; } =
    [
        new("Write-Output", """
            [CmdletBinding()]
            param(
                [Parameter(Position = 0, Mandatory, ValueFromPipeline, ValueFromRemainingArguments)] [AllowNull()] [AllowEmptyCollection()] [psobject[]] $InputObject,
                [switch] $NoEnumerate
            )
            process {
                if ($NoEnumerate) { $PSCmdlet.WriteObject($InputObject, $false) } else { foreach ($item in $InputObject) { $item } }
            }
            """),
        new("Write-Host", """
            [CmdletBinding()]
            param(
                [Parameter(Position = 0, ValueFromPipeline, ValueFromRemainingArguments)] [AllowNull()] [AllowEmptyCollection()] [object] $Object,
                [switch] $NoNewline,
                [object] $Separator = ' ',
                [System.ConsoleColor] $ForegroundColor,
                [System.ConsoleColor] $BackgroundColor
            )
            process {
                $text = @(foreach ($item in $Object) { [string] $item }) -join $Separator
                if ($NoNewline) { $Host.UI.Write($text) } else { $Host.UI.WriteLine($text) }
            }
            """),
        new("Read-Host", """
            [CmdletBinding(DefaultParameterSetName = 'AsString')]
            param(
                [Parameter(Position = 0, ValueFromRemainingArguments)] [AllowNull()] [object] $Prompt,
                [Parameter(ParameterSetName = 'AsSecureString')] [switch] $AsSecureString,
                [Parameter(ParameterSetName = 'AsString')] [switch] $MaskInput
            )
            if ($null -ne $Prompt) { [System.Console]::Error.Write((@(foreach ($item in $Prompt) { [string] $item }) -join ' ') + ': ') }
            try {
                if ($AsSecureString) { $Host.UI.ReadLineAsSecureString() }
                elseif ($MaskInput) { [System.Net.NetworkCredential]::new('', $Host.UI.ReadLineAsSecureString()).Password }
                else { $Host.UI.ReadLine() }
            }
            catch [System.Management.Automation.MethodInvocationException] {
                throw $_.Exception.InnerException.Message # ends the script: nobody's answer must not be an empty one
            }
            """),
    ];
}
