using System.Globalization;
using System.Text.RegularExpressions;
using QuayAirGap.TestKit.Samples;

namespace QuayAirGap.Docs.Tests;

/// <summary>The traps of a mirror for Clair, M1 to M19: tests/README.md names the tests that hold each, and they are there.</summary>
public sealed partial class TrapTests
{
    private const int Traps = 19;

    [Fact]
    public void Every_trap_is_held_by_a_test_that_exists()
    {
        string tests = Path.Combine(RepositoryFolders.Root, "tests");
        ILookup<string, string[]> rows = File.ReadLines(Path.Combine(tests, "README.md")).Select(l => Row().Match(l)).Where(m => m.Success)
            .ToLookup(m => m.Groups["trap"].Value, m => Test().Matches(m.Groups["tests"].Value).Select(t => t.Value).ToArray());

        Assert.Equal(
            Enumerable.Range(1, Traps).Select(n => n.ToString(CultureInfo.InvariantCulture)),
            rows.Where(r => r.Key.Length > 0).SelectMany(r => r.Select(_ => r.Key)));
        Assert.All(rows.SelectMany(r => r), names => Assert.NotEmpty(names));
        string[] missing = [.. rows.SelectMany(r => r).SelectMany(names => names).Distinct().Where(name => !Exists(tests, name))];
        Assert.True(missing.Length == 0, $"tests/README.md names tests that are not there: {string.Join(", ", missing)}");
    }

    private static bool Exists(string tests, string name)
    {
        string[] parts = name.Split('.');
        return Directory.EnumerateFiles(tests, parts[0] + ".cs", SearchOption.AllDirectories)
            .Any(file => Regex.IsMatch(
                File.ReadAllText(file), $@"^    \[(Fact|Theory)[^\n]*\]\r?\n(    \[[^\n]*\r?\n)*    public (async Task|Task|void) {parts[1]}\(", RegexOptions.Multiline));
    }

    [GeneratedRegex(@"^\| (M(?<trap>\d+))? ?\| [^|]+ \| (?<tests>`\w+Tests\..+) \|$")]
    private static partial Regex Row();

    [GeneratedRegex(@"(?<=`)\w+Tests\.\w+(?=`)")]
    private static partial Regex Test();
}
