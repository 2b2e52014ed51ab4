using System.Management.Automation.Language;
using System.Text;
using System.Text.RegularExpressions;

namespace QuayAirGap.Host;

/// <summary>The arguments after -File as PowerShell reads them: "-Name" and "-Name:value" are parameters, everything else is text.</summary>
internal static partial class ScriptArguments
{
    /// <summary>Source text that passes the arguments on; values are quoted, so nothing in them is ever run.</summary>
    public static string ToSource(IEnumerable<string> arguments)
    {
        var source = new StringBuilder();
        foreach (string argument in arguments)
        {
            Match parameter = Parameter().Match(argument);
            source.Append(' ');
            if (!parameter.Success)
            {
                source.Append(Quote(argument));
                continue;
            }

            source.Append('-').Append(parameter.Groups["name"].ValueSpan);
            if (parameter.Groups["value"] is { Success: true, Value: var value })
            {
                source.Append(':').Append(value.ToLowerInvariant() switch
                {
                    "$true" or "true" => "$true",
                    "$false" or "false" => "$false",
                    _ => Quote(value),
                });
            }
        }

        return source.ToString();
    }

    private static string Quote(string text) => "'" + CodeGeneration.EscapeSingleQuotedStringContent(text) + "'";

    [GeneratedRegex(@"\A-(?<name>[\p{L}_][\p{L}\p{Nd}_]*)(:(?<value>.*))?\z", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Parameter();
}
