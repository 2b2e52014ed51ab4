using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Internal;
using System.Security;

namespace QuayAirGap.Host;

/// <summary>
/// Results go to standard output; warnings, errors, verbose and debug text and progress to standard error, so that a pipe carries
/// results and nothing else. With <paramref name="resultsOnly"/> even Write-Host goes to standard error.
/// </summary>
internal sealed class EngineUserInterface(Terminal terminal, bool interactive, bool resultsOnly) : PSHostUserInterface
{
    private const string Yellow = "33";
    private const string Red = "31";
    private const string Gray = "90";

    private readonly ProgressDisplay _progress = terminal.Progress = new ProgressDisplay(terminal);

    public override PSHostRawUserInterface RawUI { get; } = new EngineRawUserInterface(terminal);

    public override bool SupportsVirtualTerminal => terminal.OutputHasColor;

    public override void Write(string value)
    {
        if (resultsOnly)
        {
            terminal.WriteError(Plain(value, terminal.ErrorHasColor));
        }
        else
        {
            terminal.WriteOutput(Plain(value, terminal.OutputHasColor));
        }
    }

    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Write(value);

    public override void WriteLine(string value) => Write(value + "\n");

    public override void WriteErrorLine(string value) => terminal.WriteError(value, Red);

    public override void WriteWarningLine(string message) => terminal.WriteError("WARNING: " + message, Yellow);

    public override void WriteVerboseLine(string message) => terminal.WriteError("VERBOSE: " + message, Gray);

    public override void WriteDebugLine(string message) => terminal.WriteError("DEBUG: " + message, Gray);

    public override void WriteProgress(long sourceId, ProgressRecord record) => _progress.Update(record);

    /// <summary>Says what happened, what to do about it, and the id to look it up by.</summary>
    public void WriteErrorRecord(ErrorRecord error)
    {
        string message = error.ErrorDetails?.Message is { Length: > 0 } details ? details : error.Exception.Message;
        terminal.WriteError("ERROR: " + message, Red);
        // The module's own errors end in their id, for PowerShell's sake; here it stands in the next line.
        string id = $"[{error.FullyQualifiedErrorId.Split(',')[0]}]";
        if (error.ErrorDetails?.RecommendedAction.Replace(id, "", StringComparison.Ordinal).Trim() is { Length: > 0 } action)
        {
            terminal.WriteError("  " + action + "\n");
        }

        // "at <ScriptBlock>, /path/script.ps1: line 12"; in a command line there is no file, and nothing to say.
        string? where = error.ScriptStackTrace?.Split('\n').Select(l => l.Trim()).FirstOrDefault(l => !l.Contains("<No file>", StringComparison.Ordinal));
        terminal.WriteError($"  [{error.FullyQualifiedErrorId}]{(where is null ? "" : " " + where)}\n");
    }

    public override string ReadLine()
    {
        ThrowIfNobodyAnswers("a line of input");
        return terminal.ReadLine() ?? throw new HostException("Standard input has ended.");
    }

    public override SecureString ReadLineAsSecureString()
    {
        ThrowIfNobodyAnswers("a secret");
        SecureString secret = terminal.ReadSecret();
        terminal.WriteError("\n");
        return secret;
    }

    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions)
    {
        ThrowIfNobodyAnswers(string.Join(", ", descriptions.Select(d => d.Name)));
        WriteCaption(caption, message);
        var answers = new Dictionary<string, PSObject>(StringComparer.OrdinalIgnoreCase);
        foreach (FieldDescription field in descriptions)
        {
            Type type = LanguagePrimitives.TryConvertTo(field.ParameterAssemblyFullName, out Type? known) && known is not null ? known : typeof(string);
            answers[field.Name] = PSObject.AsPSObject(AskFor(field, type));
        }

        return answers;
    }

    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        ThrowIfNobodyAnswers(message);
        WriteCaption(caption, message);
        string[] keys = [.. choices.Select((c, i) => KeyOf(c) ?? i.ToString(CultureInfo.InvariantCulture))];
        string offered = string.Join("  ", choices.Select((c, i) => $"[{keys[i]}] {c.Label.Replace("&", "", StringComparison.Ordinal)}"));
        string preset = defaultChoice >= 0 ? $" (default is {keys[defaultChoice]})" : "";
        while (true)
        {
            terminal.WriteError($"{offered}{preset}: ");
            string answer = (terminal.ReadLine() ?? throw new HostException("Standard input has ended.")).Trim();
            if (answer.Length == 0 && defaultChoice >= 0)
            {
                return defaultChoice;
            }

            for (int i = 0; i < choices.Count; i++)
            {
                if (string.Equals(answer, keys[i], StringComparison.OrdinalIgnoreCase) ||
                    string.Equals(answer, choices[i].Label.Replace("&", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase))
                {
                    return i;
                }
            }
        }
    }

    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        PromptForCredential(caption, message, userName, targetName, PSCredentialTypes.Default, PSCredentialUIOptions.Default);

    public override PSCredential PromptForCredential(
        string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options)
    {
        ThrowIfNobodyAnswers("a credential");
        WriteCaption(caption, message);
        if (string.IsNullOrEmpty(userName))
        {
            terminal.WriteError("User: ");
            userName = ReadLine();
        }

        terminal.WriteError($"Password for {userName}: ");
        return new PSCredential(userName, ReadLineAsSecureString());
    }

    /// <summary>The formatting views put colours into their text whatever it is written to; a file or a pipe gets none.</summary>
    private static string Plain(string value, bool colors) =>
        colors || !value.Contains('\e', StringComparison.Ordinal) ? value : new StringDecorated(value).ToString(OutputRendering.PlainText);

    private object AskFor(FieldDescription field, Type type)
    {
        string label = string.IsNullOrEmpty(field.Label) ? field.Name : field.Label.Replace("&", "", StringComparison.Ordinal);
        if (type == typeof(PSCredential))
        {
            return PromptForCredential("", label, "", "");
        }

        if (type.IsArray)
        {
            var items = new List<object>();
            while (true)
            {
                terminal.WriteError(string.Create(CultureInfo.InvariantCulture, $"{label}[{items.Count}]: "));
                string item = ReadLine();
                if (item.Length == 0)
                {
                    return items.ToArray();
                }

                items.Add(item);
            }
        }

        terminal.WriteError($"{label}: ");
        return type == typeof(SecureString) ? ReadLineAsSecureString() : ReadLine();
    }

    private void ThrowIfNobodyAnswers(string what)
    {
        if (!interactive)
        {
            throw new HostException($"The command asks for {what.TrimEnd('.', '?', ' ')}, but nobody can answer here. Give it as a parameter.");
        }
    }

    private void WriteCaption(string caption, string message)
    {
        foreach (string text in new[] { caption, message }.Where(t => !string.IsNullOrWhiteSpace(t)))
        {
            terminal.WriteError(text + "\n");
        }
    }

    private static string? KeyOf(ChoiceDescription choice)
    {
        int mark = choice.Label.IndexOf('&', StringComparison.Ordinal);
        return mark >= 0 && mark + 1 < choice.Label.Length ? choice.Label[(mark + 1)..(mark + 2)].ToUpperInvariant() : null;
    }
}
