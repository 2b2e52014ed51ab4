using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;
using System.Runtime.InteropServices;

namespace QuayAirGap.Host;

/// <summary>Runs one script or command in an embedded engine, from its start to the exit code.</summary>
internal sealed class EngineRun
{
    private readonly CommandLine _commandLine;
    private readonly Terminal _terminal;
    private readonly EngineUserInterface _userInterface;
    private readonly EngineHost _host;
    private readonly Verdict _verdict = new();
    private PowerShell? _running;
    private int? _stoppedWith;

    public EngineRun(CommandLine commandLine, Terminal terminal)
    {
        _commandLine = commandLine;
        _terminal = terminal;
        bool interactive = Terminal.CanAsk && !commandLine.NonInteractive && commandLine.Text != "-";
        _userInterface = new EngineUserInterface(terminal, interactive, commandLine.Format == OutputFormat.Json);
        _host = new EngineHost(_userInterface);
    }

    public int Execute()
    {
        ConsoleCancelEventHandler interrupt = (_, e) => e.Cancel = Stop(ExitCode.Interrupted);
        Terminal.OnInterrupt(interrupt);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => context.Cancel = Stop(ExitCode.Terminated));
        try
        {
            using Runspace runspace = CreateRunspace();
            runspace.Open();
            if (ImportModule(runspace))
            {
                Run(runspace);
            }
        }
        finally
        {
            Terminal.OffInterrupt(interrupt);
            _terminal.Progress?.Hide();
        }

        return _stoppedWith ?? _host.RequestedExitCode ?? _verdict.Code;
    }

    private Runspace CreateRunspace()
    {
        var state = InitialSessionState.CreateDefault2();
        state.Commands.Add(new SessionStateCmdletEntry("Invoke-QuayAirGapScript", typeof(InvokeScriptCommand), null));
        state.Commands.Add(new SessionStateCmdletEntry("Send-QuayAirGapVerdict", typeof(SendVerdictCommand), null));
        state.Commands.Add(new SessionStateCmdletEntry("Out-QuayAirGapText", typeof(OutTextCommand), null));
        state.Commands.Add(new SessionStateCmdletEntry("Write-QuayAirGapJson", typeof(WriteJsonCommand), null));
        foreach (SessionStateFunctionEntry function in HostFunctions.All)
        {
            state.Commands.Add(function);
        }

        if (OperatingSystem.IsWindows())
        {
            // The default there refuses every script, our own module included; a group policy still overrides this.
            state.ExecutionPolicy = Microsoft.PowerShell.ExecutionPolicy.RemoteSigned;
        }

        string modules = Path.Combine(AppContext.BaseDirectory, "module");
        string? others = Environment.GetEnvironmentVariable("PSModulePath");
        Environment.SetEnvironmentVariable("PSModulePath", string.IsNullOrEmpty(others) ? modules : modules + Path.PathSeparator + others);
        Runspace runspace = RunspaceFactory.CreateRunspace(_host, state);
        runspace.ThreadOptions = PSThreadOptions.UseCurrentThread;
        return runspace;
    }

    private bool ImportModule(Runspace runspace)
    {
        string manifest = Path.Combine(AppContext.BaseDirectory, "module", "QuayAirGap", Program.ProductVersion, "QuayAirGap.psd1");
        return Invoke(runspace, engine => engine.AddCommand("Import-Module").AddParameter("Name", manifest).AddParameter("ErrorAction", ActionPreference.Stop));
    }

    private void Run(Runspace runspace)
    {
        JsonOutput? json = _commandLine.Format == OutputFormat.Json ? new JsonOutput(_terminal) : null;
        ScriptBlock? script = null;
        string command = "";
        if (_commandLine.Verb == Verb.File ? !TryReadScript(out script) : !TryReadCommand(out command))
        {
            json?.End();
            return;
        }

        Invoke(runspace, engine =>
        {
            engine.AddCommand("Invoke-QuayAirGapScript");
            if (script is not null)
            {
                // A script block rather than the file itself: only then does "exit" come out of it with its number.
                engine.AddParameter("Script", "param($__script) . $__script" + ScriptArguments.ToSource(_commandLine.Arguments));
                engine.AddParameter("Arguments", new object[] { script });
            }
            else
            {
                engine.AddParameter("Script", command);
            }

            engine.AddCommand("Send-QuayAirGapVerdict").AddParameter("Verdict", _verdict);
            if (json is null)
            {
                engine.AddCommand("Out-QuayAirGapText");
            }
            else
            {
                engine.AddCommand("Write-QuayAirGapJson").AddParameter("Writer", json);
            }
        });
        json?.End();
    }

    private bool TryReadScript(out ScriptBlock? script)
    {
        script = null;
        string path = Path.GetFullPath(_commandLine.Text);
        if (!File.Exists(path))
        {
            _terminal.WriteError($"ERROR: There is no script '{path}'.\n  [ScriptNotFound]\n");
            _verdict.SawError();
            return false;
        }

        return TryBuild(Parser.ParseFile(path, out _, out ParseError[] errors), errors, out script);
    }

    private bool TryReadCommand(out string command)
    {
        command = _commandLine.Text == "-" ? Terminal.ReadAll() : _commandLine.Text;
        return TryBuild(Parser.ParseInput(command, out _, out ParseError[] errors), errors, out _);
    }

    private bool TryBuild(ScriptBlockAst ast, ParseError[] errors, out ScriptBlock? script)
    {
        foreach (ParseError error in errors)
        {
            _terminal.WriteError(string.Create(
                CultureInfo.InvariantCulture,
                $"ERROR: {error.Extent.File ?? "command"}:{error.Extent.StartLineNumber}:{error.Extent.StartColumnNumber}: {error.Message}\n  [{error.ErrorId}]\n"));
            _verdict.SawError();
        }

        script = errors.Length == 0 ? ast.GetScriptBlock() : null;
        return script is not null;
    }

    private bool Invoke(Runspace runspace, Action<PowerShell> build)
    {
        using var engine = PowerShell.Create(runspace);
        build(engine);
        engine.Streams.Error.DataAdded += (_, e) =>
        {
            ErrorRecord error = engine.Streams.Error[e.Index];
            if (IsOfAnotherProgram(error))
            {
                _terminal.WriteError(error.Exception.Message + "\n");
                return;
            }

            _verdict.Saw(error);
            _userInterface.WriteErrorRecord(error);
        };
        _running = engine;
        try
        {
            if (_stoppedWith is not null)
            {
                return false;
            }

            engine.Invoke();
            return _host.RequestedExitCode is null && _stoppedWith is null;
        }
        catch (PipelineStoppedException)
        {
            return false;
        }
        catch (RuntimeException e)
        {
            _verdict.Saw(e.ErrorRecord);
            _userInterface.WriteErrorRecord(e.ErrorRecord);
            return false;
        }
        finally
        {
            _running = null;
        }
    }

    /// <summary>
    /// A line that a program wrote to its standard error, which the engine hands on as an error. Programs write there what they like: whether they
    /// failed is in $LASTEXITCODE, and theirs are the lines, not the verdict.
    /// </summary>
    private static bool IsOfAnotherProgram(ErrorRecord error) => error.FullyQualifiedErrorId is "NativeCommandError" or "NativeCommandErrorMessage";

    /// <summary>Stops the running pipeline. False lets the signal end the process at once: at a prompt, and the second time.</summary>
    private bool Stop(int code)
    {
        if (_stoppedWith is not null || _terminal.IsAsking)
        {
            return false;
        }

        _stoppedWith = code;
        if (_running is { } engine)
        {
            _ = engine.BeginStop(null, null);
        }

        return true;
    }
}
