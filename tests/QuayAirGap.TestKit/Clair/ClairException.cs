namespace QuayAirGap.TestKit.Clair;

/// <summary>What ends an updater's run in Clair: an error it returns, a loop without end, or a panic.</summary>
internal sealed class ClairException(ClairOutcome outcome, string message, Exception? inner = null) : Exception(message, inner)
{
    public ClairOutcome Outcome { get; } = outcome;

    public static ClairException Failed(string message, Exception? inner = null) => new(ClairOutcome.Failed, message, inner);

    public static ClairException Hung(string message) => new(ClairOutcome.Hung, message);

    public static ClairException Crashed(string message) => new(ClairOutcome.Crashed, message);
}
