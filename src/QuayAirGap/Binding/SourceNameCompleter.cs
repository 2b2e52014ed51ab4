using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Commands;

/// <summary>Completes the names of the catalogue's sources, with what each covers as the tool tip.</summary>
public sealed class SourceNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var pattern = WildcardPattern.Get(wordToComplete.Trim('\'', '"') + "*", WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);
        return SourceCatalog.All.Where(s => pattern.IsMatch(s.Name))
            .Select(s => new CompletionResult(s.Name, s.Name, CompletionResultType.ParameterValue, s.Covers));
    }
}
