using System.Buffers;

namespace QuayAirGap.Server.Gateway;

/// <summary>What all reports together may take.</summary>
internal sealed class HeldMemory(long bytes)
{
    private long _free = bytes;

    public bool TryTake(int count)
    {
        if (Interlocked.Add(ref _free, -count) >= 0)
        {
            return true;
        }

        Interlocked.Add(ref _free, count);
        return false;
    }

    public void Give(int count) => Interlocked.Add(ref _free, count);
}

/// <summary>What of a report has arrived and is still needed: one piece of memory that grows, up to a limit.</summary>
/// <exception cref="HoldException">On making it and on growing it: there is no memory left for it.</exception>
internal sealed class HeldBuffer : IDisposable
{
    private const int FirstSize = 256 * 1024;

    private readonly int _limit;
    private readonly HeldMemory _memory;
    private byte[] _bytes;
    private int _taken;
    private int _start;
    private int _end;

    public HeldBuffer(int limit, HeldMemory memory)
    {
        _limit = limit;
        _memory = memory;
        _bytes = Rent(Math.Min(FirstSize, limit));
    }

    public int Length => _end - _start;

    public ReadOnlyMemory<byte> Held => _bytes.AsMemory(_start, Length);

    /// <summary>Room for more, never empty. What is held may move.</summary>
    public Memory<byte> Room()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }

        if (_end == _bytes.Length)
        {
            if (_start > 0)
            {
                MoveTo(_bytes);
            }
            else
            {
                Grow();
            }
        }

        return _bytes.AsMemory(_end);
    }

    public void Add(int count) => _end += count;

    /// <summary>The first of what is held is needed no more. Nothing moves: somebody may be writing behind it.</summary>
    public void Forget(int count) => _start += count;

    public void Dispose() => Dispose(isWrittenTo: false);

    /// <param name="isWrittenTo">Whether somebody may still write into it: then nobody else gets it.</param>
    public void Dispose(bool isWrittenTo)
    {
        if (_taken == 0)
        {
            return;
        }

        _memory.Give(_taken);
        _taken = 0;
        if (!isWrittenTo)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }
    }

    private void Grow()
    {
        if (_end >= _limit)
        {
            throw new HoldException(GatewayFailure.Size, $"more than {_limit >> 20} MiB of it would have to be held");
        }

        (byte[] before, int taken) = (_bytes, _taken);
        MoveTo(Rent((int)Math.Min(_limit, 2L * before.Length)));
        ArrayPool<byte>.Shared.Return(before);
        _memory.Give(taken);
    }

    private void MoveTo(byte[] bytes)
    {
        Held.Span.CopyTo(bytes);
        (_bytes, _start, _end) = (bytes, 0, Length);
    }

    private byte[] Rent(int size)
    {
        if (!_memory.TryTake(size))
        {
            throw new HoldException(GatewayFailure.Size, "too many others are being judged");
        }

        _taken = size;
        return ArrayPool<byte>.Shared.Rent(size);
    }
}
