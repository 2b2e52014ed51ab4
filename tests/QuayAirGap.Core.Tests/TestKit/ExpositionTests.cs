using QuayAirGap.TestKit.Prometheus;
using Xunit;

namespace QuayAirGap.Core.Tests.TestKit;

/// <summary>The reader of metrics finds what is wrong.</summary>
public sealed class ExpositionTests
{
    private const string Good = "# HELP a_total Help \\\\ me.\n# TYPE a_total counter\na_total{x=\"1\\\"\\\\\\n\",y=\"\"} 3\na_total 0.5e3\n# HELP b B.\n# TYPE b gauge\nb -1\n";

    [Fact]
    public async Task Good_metrics_are_read_and_promtool_agrees()
    {
        var read = Exposition.Read(Good);
        Assert.Equal(["a_total{x=\"1\\\"\\\\\\n\",y=\"\"}", "a_total", "b"], read.Samples.Keys);
        Assert.Equal([3, 500, -1], read.Samples.Values);
        Assert.Empty(Exposition.Read("").Samples);
        (int Code, string Text)? tool = await Exposition.PromtoolAsync(Good);
        Assert.True(tool is null or { Code: 0, Text: "" }, tool?.Text);
    }

    [Theory]
    [InlineData("b -1\n", "b -1", "no end")]
    [InlineData("b -1", "b -1 1700000000", "has a time")]
    [InlineData("b -1", "b", "no value")]
    [InlineData("b -1", "b one", "no number")]
    [InlineData("b -1", "b NaN", "no number")]
    [InlineData("b -1", "b -1\nb -1", "twice")]
    [InlineData("b -1", "c -1", "stands where")]
    [InlineData("b -1", "a_total 3\nb -1", "stands where")]
    [InlineData("b gauge", "b counter", "is a counter")]
    [InlineData("b gauge", "b untyped", "no type")]
    [InlineData("# HELP b B.\n", "", "does not follow")]
    [InlineData("# HELP b B.\n", "# HELP a_total B.\n", "in two pieces")]
    [InlineData("a_total 0.5e3", "a_total -1", "negative")]
    [InlineData("x=\"1\\\"", "x=\"1\\q", "escape")]
    [InlineData("y=\"\"", "x=\"\"", "twice")]
    [InlineData("y=\"\"}", "y=\"}", "no end")]
    [InlineData("a_total{x", "a_total{9", "a name is missing")]
    [InlineData(" 3\n", " 3\r\n", "carriage return")]
    public void What_is_wrong_is_found(string was, string becomes, string said)
    {
        string bad = Good.Replace(was, becomes, StringComparison.Ordinal);
        Assert.NotEqual(Good, bad);
        Assert.Contains(said, Assert.Throws<FormatException>(() => Exposition.Read(bad)).Message, StringComparison.Ordinal);
    }
}
