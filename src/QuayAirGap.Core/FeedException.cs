namespace QuayAirGap.Core;

/// <summary>
/// An error with an id of its own: what happened, to what, and what to do about it. The cmdlets turn it into an ErrorRecord.
/// </summary>
public sealed class FeedException : Exception
{
    /// <param name="errorId">One of <see cref="ErrorIds"/>.</param>
    /// <param name="message">What happened, in one sentence that stands alone.</param>
    /// <param name="target">The source name, path or URL that it happened to.</param>
    /// <param name="remedy">What the person reading it does next.</param>
    /// <param name="innerException">The cause, if another library reported one.</param>
    public FeedException(string errorId, string message, string? target = null, string? remedy = null, Exception? innerException = null)
        : base(message, innerException)
    {
        ErrorId = errorId;
        Target = target;
        Remedy = remedy;
    }

    public string ErrorId { get; }

    public string? Target { get; }

    public string? Remedy { get; }
}
