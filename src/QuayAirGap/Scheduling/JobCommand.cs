using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Security;
using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core;
using QuayAirGap.Core.Scheduling;

namespace QuayAirGap.Scheduling;

/// <summary>What a job runs, as text that means exactly what was given.</summary>
internal sealed class JobCommand
{
    private const string CredentialPrefix = "credential:";

    private static readonly Type[] s_secrets = [typeof(SecureString), typeof(PSCredential), typeof(X509Certificate2), typeof(X509Certificate2[])];

    /// <summary>Parameters that name files: jobs run in a folder of their own.</summary>
    private static readonly string[] s_paths = ["Destination", "Signer", "SignerPasswordPath", "DropFolder"];

    private readonly CmdletInfo _cmdlet;
    private readonly Func<string, string> _resolve;
    private readonly ICollection<string> _credentials;

    /// <param name="cmdlet">What it runs.</param>
    /// <param name="resolve">Makes a path absolute.</param>
    /// <param name="credentials">The names that "credential:" may be followed by.</param>
    public JobCommand(CmdletInfo cmdlet, Func<string, string> resolve, ICollection<string> credentials)
    {
        _cmdlet = cmdlet;
        _resolve = resolve;
        _credentials = credentials;
    }

    public static string CmdletOf(ScheduledJob job) => job switch
    {
        ScheduledJob.Save => "Save-ClairFeed",
        ScheduledJob.Import => "Import-ClairFeed",
        ScheduledJob.Test => "Test-ClairFeedFreshness",
        _ => "Send-ClairFeedWarning",
    };

    /// <param name="job">The job.</param>
    /// <param name="sitePath">Absolute.</param>
    /// <param name="arguments">Names and values of the cmdlet's parameters; null for none.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.ScheduleInvalid"/></exception>
    public string Write(ScheduledJob job, string sitePath, Hashtable? arguments)
    {
        List<string> words = [_cmdlet.Name];
        HashSet<string> given = new(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry entry in (arguments ?? []).Cast<DictionaryEntry>().OrderBy(e => e.Key.ToString(), StringComparer.OrdinalIgnoreCase))
        {
            ParameterMetadata parameter = Find(entry.Key.ToString() ?? "");
            given.Add(parameter.Name);
            words.Add(Word(parameter, entry.Value));
        }

        foreach (string needed in job switch { ScheduledJob.Save => new[] { "Destination", "Signer" }, ScheduledJob.Import => ["DropFolder"], _ => [] })
        {
            if (!given.Contains(needed))
            {
                throw Invalid($"{_cmdlet.Name} needs -{needed}", needed, $"Give it with -Argument @{{ {needed} = '...' }}.");
            }
        }

        words.Add($"-SitePath {Quote(sitePath)}");
        if (job != ScheduledJob.Test)
        {
            words.Add("-Verbose"); // the log is all that anybody will see
        }

        return string.Join(' ', words);
    }

    private ParameterMetadata Find(string name)
    {
        if (!_cmdlet.Parameters.TryGetValue(name.TrimStart('-'), out ParameterMetadata? parameter))
        {
            throw Invalid($"{_cmdlet.Name} has no parameter '{name}'", name, $"Get-Help {_cmdlet.Name} -Full shows them.");
        }

        return parameter.Name is "SitePath" or "WhatIf" or "Confirm" || Cmdlet.CommonParameters.Contains(parameter.Name)
            ? throw Invalid($"'-{parameter.Name}' is no argument of a job", name, "The site is given with -SitePath of this command.")
            : s_secrets.Contains(parameter.ParameterType)
            ? throw Invalid(
                $"'-{parameter.Name}' takes a secret, and secrets never stand in a schedule", name,
                "Put it into a file that the job may read: -Credential hands it on, and sources.yaml and -SignerPasswordPath name such files.")
            : parameter;
    }

    private string Word(ParameterMetadata parameter, object? value)
    {
        object? bare = value is PSObject wrapped ? wrapped.BaseObject : value;
        string name = "-" + parameter.Name;
        return parameter.SwitchParameter ? LanguagePrimitives.IsTrue(bare) ? name : name + ":$false"
            : bare is bool truth ? $"{name} {(truth ? "$true" : "$false")}"
            : bare is null ? throw Invalid($"'{name}' has no value", parameter.Name, "Give one, or leave it out.")
            : $"{name} {string.Join(',', (bare is IEnumerable several and not string ? several.Cast<object?>() : [bare]).Select(v => Text(parameter, v)))}";
    }

    private string Text(ParameterMetadata parameter, object? value)
    {
        string text = (string)LanguagePrimitives.ConvertTo(value, typeof(string), CultureInfo.InvariantCulture);
        if (text.StartsWith(CredentialPrefix, StringComparison.Ordinal))
        {
            string name = text[CredentialPrefix.Length..];
            return _credentials.Contains(name)
                ? Quote(ScheduleRequest.CredentialMark + name)
                : throw Invalid($"There is no credential '{name}'", name, "Name its file with -Credential @{ name = 'path' }.");
        }

        return Quote(s_paths.Contains(parameter.Name) ? _resolve(text) : text);
    }

    private static string Quote(string text) => $"'{CodeGeneration.EscapeSingleQuotedStringContent(text)}'";

    private static FeedException Invalid(string what, string target, string remedy) => new(ErrorIds.ScheduleInvalid, $"{what}.", target, remedy);
}
