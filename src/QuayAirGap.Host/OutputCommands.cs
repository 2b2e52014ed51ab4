using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace QuayAirGap.Host;

/// <summary>
/// Runs a piece of script and streams what it writes. An "exit" inside it becomes the host's exit code here, in the pipeline, so that the
/// formatting view behind it still ends properly and shows its last objects.
/// </summary>
[Cmdlet(VerbsLifecycle.Invoke, "QuayAirGapScript")]
public sealed class InvokeScriptCommand : PSCmdlet
{
    [Parameter(Mandatory = true)]
    public string? Script { get; set; }

    [Parameter]
    public object[] Arguments { get; set; } = [];

    protected override void EndProcessing()
    {
        try
        {
            InvokeCommand.InvokeScript(Script, false, PipelineResultTypes.Output | PipelineResultTypes.Error, null, Arguments);
        }
        catch (ExitException e)
        {
            // A number that is none counts as failure, as in pwsh.
            Host.SetShouldExit(LanguagePrimitives.TryConvertTo(e.Argument, out int code) ? code : ExitCode.Error);
        }
    }
}

/// <summary>Looks at each result on its way to the formatting views.</summary>
[Cmdlet(VerbsCommunications.Send, "QuayAirGapVerdict")]
public sealed class SendVerdictCommand : PSCmdlet
{
    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Mandatory = true)]
    public object? Verdict { get; set; }

    protected override void ProcessRecord()
    {
        ((Verdict)Verdict!).Saw(InputObject);
        WriteObject(InputObject);
    }
}

/// <summary>Writes each result as it comes into one JSON array.</summary>
[Cmdlet(VerbsCommunications.Write, "QuayAirGapJson")]
public sealed class WriteJsonCommand : PSCmdlet
{
    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Mandatory = true)]
    public object? Writer { get; set; }

    protected override void ProcessRecord() => ((JsonOutput)Writer!).Write(InputObject);
}
