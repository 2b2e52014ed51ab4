using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;
using System.Security;
using System.Text;
using System.Text.RegularExpressions;

namespace QuayAirGap.Tests;

/// <summary>A screen of a given width, and an engine that shows objects on it as a console does: through the module's views, in a given culture.</summary>
/// <remarks>The engine breaks lines between words in six languages, and at any letter in all others; the invariant culture, which machines without a language have, is one of those.</remarks>
internal sealed partial class Screen : IDisposable
{
    private readonly ScreenHost _host;
    private readonly Runspace _runspace;

    public Screen(int width, string culture)
    {
        _host = new ScreenHost(width, CultureInfo.GetCultureInfo(culture));
        _runspace = RunspaceFactory.CreateRunspace(_host, InitialSessionState.CreateDefault2());
        _runspace.Open();
        Run("param($p) Import-Module $p -ErrorAction Stop; Set-StrictMode -Version Latest", Built.Manifest);
    }

    public IReadOnlyList<PSObject> Run(string script, params object?[] arguments)
    {
        using var shell = PowerShell.Create(_runspace);
        shell.AddScript(script);
        foreach (object? argument in arguments)
        {
            shell.AddArgument(argument);
        }

        IReadOnlyList<PSObject> output = [.. shell.Invoke()];
        Assert.Empty(shell.Streams.Error.Select(e => e.ToString()));
        return output;
    }

    /// <summary>The lines that the object fills, without empty ones.</summary>
    public IReadOnlyList<string> Show(PSObject value)
    {
        _host.Text.Clear();
        Run("param($o) $o | Out-Default", value);
        return [.. Colours().Replace(_host.Text.ToString(), "").Split('\n').Select(l => l.TrimEnd()).Where(l => l.Length > 0)];
    }

    public void Dispose() => _runspace.Dispose();

    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colours();

    private sealed class ScreenHost(int width, CultureInfo culture) : PSHost
    {
        private readonly ScreenText _ui = new(width);

        public StringBuilder Text => _ui.Text;

        public override CultureInfo CurrentCulture => culture;

        public override CultureInfo CurrentUICulture => culture;

        public override Guid InstanceId { get; } = Guid.NewGuid();

        public override string Name => "Screen";

        public override PSHostUserInterface UI => _ui;

        public override Version Version { get; } = new(1, 0);

        public override void EnterNestedPrompt() => throw new NotSupportedException();

        public override void ExitNestedPrompt() => throw new NotSupportedException();

        public override void NotifyBeginApplication()
        {
        }

        public override void NotifyEndApplication()
        {
        }

        public override void SetShouldExit(int exitCode)
        {
        }
    }

    private sealed class ScreenText(int width) : PSHostUserInterface
    {
        public StringBuilder Text { get; } = new();

        public override PSHostRawUserInterface RawUI { get; } = new ScreenSize(width);

        public override void Write(string value) => Text.Append(value);

        public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Text.Append(value);

        public override void WriteLine(string value) => Text.Append(value).Append('\n');

        public override void WriteErrorLine(string value) => WriteLine(value);

        public override void WriteDebugLine(string message) => WriteLine(message);

        public override void WriteVerboseLine(string message) => WriteLine(message);

        public override void WriteWarningLine(string message) => WriteLine(message);

        public override void WriteProgress(long sourceId, ProgressRecord record)
        {
        }

        public override string ReadLine() => throw new NotSupportedException();

        public override SecureString ReadLineAsSecureString() => throw new NotSupportedException();

        public override Dictionary<string, PSObject> Prompt(string caption, string message, System.Collections.ObjectModel.Collection<FieldDescription> descriptions) =>
            throw new NotSupportedException();

        public override int PromptForChoice(string caption, string message, System.Collections.ObjectModel.Collection<ChoiceDescription> choices, int defaultChoice) =>
            throw new NotSupportedException();

        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) => throw new NotSupportedException();

        public override PSCredential PromptForCredential(
            string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options) =>
            throw new NotSupportedException();
    }

    private sealed class ScreenSize(int width) : PSHostRawUserInterface
    {
        public override ConsoleColor BackgroundColor { get; set; }

        public override ConsoleColor ForegroundColor { get; set; }

        public override Size BufferSize { get; set; } = new(width, 50);

        public override Size WindowSize { get; set; } = new(width, 50);

        public override Size MaxWindowSize => WindowSize;

        public override Size MaxPhysicalWindowSize => WindowSize;

        public override Coordinates CursorPosition { get; set; }

        public override Coordinates WindowPosition { get; set; }

        public override int CursorSize { get; set; }

        public override string WindowTitle { get; set; } = "";

        public override bool KeyAvailable => false;

        public override KeyInfo ReadKey(ReadKeyOptions options) => throw new NotSupportedException();

        public override void FlushInputBuffer()
        {
        }

        public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw new NotSupportedException();

        public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) => throw new NotSupportedException();

        public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) => throw new NotSupportedException();

        public override void SetBufferContents(Rectangle rectangle, BufferCell fill) => throw new NotSupportedException();
    }
}
