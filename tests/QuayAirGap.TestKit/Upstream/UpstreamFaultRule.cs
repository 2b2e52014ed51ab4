namespace QuayAirGap.TestKit.Upstream;

/// <summary>A fault in force for some paths. Disposing it ends it.</summary>
public sealed class UpstreamFaultRule : IDisposable
{
    private readonly Lock _gate = new();
    private readonly PathPattern _pattern;
    private readonly string? _method;
    private int _letThrough;
    private int? _left;
    private int _applied;

    internal UpstreamFaultRule(PathPattern pattern, UpstreamFault fault, int? times, int after, string? method)
    {
        _pattern = pattern;
        _left = times;
        _letThrough = after;
        _method = method;
        Fault = fault;
    }

    /// <summary>How often it has struck.</summary>
    public int Applied
    {
        get
        {
            lock (_gate)
            {
                return _applied;
            }
        }
    }

    internal UpstreamFault Fault { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _left = 0;
        }
    }

    internal bool Strikes(string method, string hostPath)
    {
        if ((_method is not null && _method != method) || !_pattern.Matches(hostPath))
        {
            return false;
        }

        lock (_gate)
        {
            if (_left == 0)
            {
                return false;
            }

            if (_letThrough > 0)
            {
                _letThrough--;
                return false;
            }

            _left--;
            _applied++;
            return true;
        }
    }
}
