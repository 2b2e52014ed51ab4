using System.Collections.Concurrent;
using QuayAirGap.Core.Coverage;

namespace QuayAirGap.Server.Gateway;

/// <summary>Why a report went through unjudged.</summary>
internal enum GatewayFailure
{
    /// <summary>It is no JSON document, or an incomplete one.</summary>
    Json,

    /// <summary>It has not the members that a report has.</summary>
    Shape,

    /// <summary>It came with a content coding that is not known, or not undone without an error.</summary>
    Encoding,

    /// <summary>It, or all of them together, are too large.</summary>
    Size,

    /// <summary>It arrived, or was judged, too slowly.</summary>
    Time,

    /// <summary>Clair broke off, or said in the trailer that it failed.</summary>
    Cut,

    /// <summary>It could not be judged: above all because the site cannot be read.</summary>
    Judging,
}

/// <summary>What the gateway did since it started.</summary>
internal sealed class GatewayCounter
{
    private readonly ConcurrentDictionary<int, long> _answers = new();
    private readonly long[] _decorated = new long[Enum.GetValues<CoverageVerdict>().Length];
    private readonly long[] _failures = new long[Enum.GetValues<GatewayFailure>().Length];
    private long _covered;
    private long _already;
    private long _judgingTicks;
    private long _judged;

    public void Answered(int status) => _answers.AddOrUpdate(status, 1, static (_, n) => n + 1);

    public void Unchanged() => Interlocked.Increment(ref _covered);

    /// <summary>Another gateway has been there before.</summary>
    public void Already() => Interlocked.Increment(ref _already);

    public void Decorated(CoverageVerdict verdict) => Interlocked.Increment(ref _decorated[(int)verdict]);

    public void Failed(GatewayFailure failure) => Interlocked.Increment(ref _failures[(int)failure]);

    public void Judged(TimeSpan took)
    {
        Interlocked.Add(ref _judgingTicks, took.Ticks);
        Interlocked.Increment(ref _judged);
    }

    public IEnumerable<(int Status, long Count)> Answers() => _answers.OrderBy(a => a.Key).Select(a => (a.Key, a.Value));

    public long UnchangedCount => Interlocked.Read(ref _covered);

    public long AlreadyCount => Interlocked.Read(ref _already);

    public long CountOf(CoverageVerdict verdict) => Interlocked.Read(ref _decorated[(int)verdict]);

    public long CountOf(GatewayFailure failure) => Interlocked.Read(ref _failures[(int)failure]);

    public (long Count, TimeSpan Sum) Judging => (Interlocked.Read(ref _judged), TimeSpan.FromTicks(Interlocked.Read(ref _judgingTicks)));
}
