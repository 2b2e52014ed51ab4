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

/// <summary>
/// Shows results through the formatting views, a view for each run of one kind. The engine's own Out-Default keeps the first view for
/// everything that follows, and shows objects of another kind as lists of all their properties.
/// </summary>
[Cmdlet("Out", "QuayAirGapText")]
public sealed class OutTextCommand : PSCmdlet, IDisposable
{
    private SteppablePipeline? _view;
    private string? _kind;

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    protected override void ProcessRecord()
    {
        string? kind = KindOf(InputObject);
        if (_view is null || (kind is not null && _kind is not null && kind != _kind))
        {
            EndProcessing();
            _view = ScriptBlock.Create("Out-Default").GetSteppablePipeline();
            _view.Begin(this);
        }

        _kind = kind ?? _kind;
        _view.Process(InputObject);
    }

    protected override void EndProcessing()
    {
        _view?.End();
        Dispose();
        _kind = null;
    }

    public void Dispose()
    {
        _view?.Dispose();
        _view = null;
    }

    private static string? KindOf(PSObject? value) => value?.BaseObject switch
    {
        null => null,
        string or ValueType => "",
        PSCustomObject => value.TypeNames[0] + ":" + string.Join(',', value.Properties.Select(p => p.Name)),
        _ => value.TypeNames[0],
    };
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
