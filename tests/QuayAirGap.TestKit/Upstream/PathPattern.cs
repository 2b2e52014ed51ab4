using System.Text.RegularExpressions;

namespace QuayAirGap.TestKit.Upstream;

/// <summary>A pattern over <c>host/path</c>; <c>*</c> stands for any run of characters, slashes included.</summary>
internal sealed class PathPattern(string pattern)
{
    private readonly Regex _regex = new(
        "^" + Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal) + "$",
        RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.NonBacktracking);

    public bool Matches(string hostPath) => _regex.IsMatch(hostPath);
}
