using System.Management.Automation.Runspaces;

namespace QuayAirGap.Host;

/// <summary>
/// The embedded engine has no Utility module. These are the two of its commands that hardly any script does without; the parameters they
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
    ];
}
