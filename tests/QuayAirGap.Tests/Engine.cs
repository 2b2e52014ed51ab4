using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace QuayAirGap.Tests;

/// <summary>What a piece of script wrote to each stream.</summary>
internal sealed record EngineResult(
    IReadOnlyList<PSObject> Output, IReadOnlyList<ErrorRecord> Errors, IReadOnlyList<string> Warnings, IReadOnlyList<string> Verbose,
    IReadOnlyList<ProgressRecord> Progress)
{
    public PSObject Single => Assert.Single(Output);

    public object? this[string property] => Single.Properties[property].Value is PSObject o ? o.BaseObject : Single.Properties[property].Value;

    /// <summary>The error's own id, without the cmdlet's name behind it.</summary>
    public IEnumerable<string> ErrorIds => Errors.Select(e => e.FullyQualifiedErrorId.Split(',')[0]);

    public EngineResult WithoutErrors()
    {
        Assert.Empty(Errors.Select(e => $"{e.FullyQualifiedErrorId}: {e}"));
        return this;
    }
}

/// <summary>The real engine with the module imported from where the build laid it out.</summary>
internal sealed class Engine : IDisposable
{
    private readonly Runspace _runspace;

    static Engine()
    {
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
        OtherModules.LoadTheirYaml();
    }

    public Engine(bool import = true)
    {
        var state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            state.ExecutionPolicy = Microsoft.PowerShell.ExecutionPolicy.RemoteSigned;
        }

        _runspace = RunspaceFactory.CreateRunspace(state);
        _runspace.Open();
        if (import)
        {
            Run("param($p) Import-Module $p -ErrorAction Stop", Built.Manifest).WithoutErrors();
        }
    }

    public PowerShell Create(string script, params object?[] arguments)
    {
        var shell = PowerShell.Create(_runspace);
        shell.AddScript(script);
        foreach (object? argument in arguments)
        {
            shell.AddArgument(argument);
        }

        return shell;
    }

    /// <summary>Runs a script; a terminating error is in Errors too.</summary>
    public EngineResult Run(string script, params object?[] arguments)
    {
        using PowerShell shell = Create(script, arguments);
        Collection<PSObject> output = [];
        var terminating = new List<ErrorRecord>();
        try
        {
            shell.Invoke(null, output);
        }
        catch (RuntimeException e)
        {
            terminating.Add(e.ErrorRecord);
        }

        return new EngineResult(
            output, [.. shell.Streams.Error, .. terminating], [.. shell.Streams.Warning.Select(w => w.Message)],
            [.. shell.Streams.Verbose.Select(v => v.Message)], [.. shell.Streams.Progress]);
    }

    public void Dispose() => _runspace.Dispose();
}
