using QuayAirGap.Core.Coverage;

namespace QuayAirGap.Server.Gateway;

/// <summary>How far one report has come until it is decided what becomes of it.</summary>
/// <param name="body">The answer as it comes.</param>
internal sealed class Reading(HeldBody body) : IDisposable
{
    public HeldBody Body => body;

    /// <summary>The answer without its content coding; null where it has none.</summary>
    public DecodedBody? Decoded { get; set; }

    public IHeldBytes Report => Decoded ?? (IHeldBytes)body;

    public ReportScanner Scanner { get; } = new();

    /// <summary>Null until it is judged.</summary>
    public ImageCoverage? Coverage { get; set; }

    /// <summary>Another gateway has been there before: it is not judged.</summary>
    public bool IsWarned { get; set; }

    /// <summary>Whether it is known what becomes of it.</summary>
    public bool IsDecided => IsWarned || Coverage is not null;

    public void Dispose()
    {
        Decoded?.Dispose();
        body.Dispose();
    }
}
