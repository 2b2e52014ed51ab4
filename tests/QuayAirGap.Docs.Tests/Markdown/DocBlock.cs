namespace QuayAirGap.Docs.Tests.Markdown;

/// <summary>A fenced block of a document.</summary>
/// <param name="Line">Of the fence, from 1.</param>
/// <param name="Language">What stands behind the fence: "powershell"; empty where nothing does.</param>
/// <param name="Code">The lines between the fences, without the fence's own indent.</param>
/// <param name="Markers">The comments right before it, by name: "not run" with its reason, "file", "output", "silent", "fails" with an error id, "exit" with a code, "whole powershell".</param>
internal sealed record DocBlock(int Line, string Language, string Code, IReadOnlyDictionary<string, string> Markers)
{
    /// <summary>Why it is not run; null where it is.</summary>
    public string? NotRun => Markers.GetValueOrDefault("not run");

    /// <summary>The file that a reader writes it to; null for none.</summary>
    public string? File => Markers.GetValueOrDefault("file");

    /// <summary>Whether it has commands of PowerShell's own modules, which the executable's engine lacks.</summary>
    public bool NeedsPowerShell => Markers.ContainsKey("whole powershell");

    public bool IsPowerShell => Language is "powershell";

    public bool IsBash => Language is "bash" or "sh";
}
