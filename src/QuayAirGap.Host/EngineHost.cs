using System.Globalization;
using System.Management.Automation.Host;

namespace QuayAirGap.Host;

/// <summary>What the engine knows of the program around it.</summary>
internal sealed class EngineHost(EngineUserInterface userInterface) : PSHost
{
    /// <summary>What a script's "exit N" said, or null.</summary>
    public int? RequestedExitCode { get; private set; }

    public override string Name => "quayairgap";

    public override Version Version { get; } = typeof(EngineHost).Assembly.GetName().Version!;

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override PSHostUserInterface UI => userInterface;

    public override CultureInfo CurrentCulture { get; } = CultureInfo.CurrentCulture;

    public override CultureInfo CurrentUICulture { get; } = CultureInfo.CurrentUICulture;

    public override void SetShouldExit(int exitCode) => RequestedExitCode = exitCode;

    public override void EnterNestedPrompt() => throw new NotSupportedException("There is no interactive prompt here.");

    public override void ExitNestedPrompt() => throw new NotSupportedException("There is no interactive prompt here.");

    public override void NotifyBeginApplication()
    {
    }

    public override void NotifyEndApplication()
    {
    }
}
