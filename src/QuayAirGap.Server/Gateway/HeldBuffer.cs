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

/// <summary>A report as far as it is there: one piece of memory that grows, up to a limit.</summary>
/// <exception cref="HoldException">On making it and on growing it: there is no memory left for it.</exception>
internal sealed class HeldBuffer : IDisposable
{
    private const int FirstSize = 256 * 1024;

    private readonly int _limit;
    private readonly HeldMemory _memory;
    private byte[] _bytes;
    private int _taken;

    public HeldBuffer(int limit, HeldMemory memory)
    {
        _limit = limit;
        _memory = memory;
        _bytes = Rent(Math.Min(FirstSize, limit));
    }

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Held => _bytes.AsMemory(0, Length);

    /// <summary>Room for more, never empty.</summary>
    public Memory<byte> Room()
    {
        if (Length == _bytes.Length)
        {
            if (Length >= _limit)
            {
                throw new HoldException(GatewayFailure.Size, $"it has more than {_limit >> 20} MiB");
            }

            byte[] before = _bytes;
            int taken = _taken;
            _bytes = Rent((int)Math.Min(_limit, 2L * before.Length));
            before.AsSpan(0, Length).CopyTo(_bytes);
            ArrayPool<byte>.Shared.Return(before);
            _memory.Give(taken);
        }

        return _bytes.AsMemory(Length);
    }

    /// <summary>Whether there is no room without growing.</summary>
    public bool IsFull => Length == _bytes.Length;

    public void Add(int count) => Length += count;

    /// <summary>Forgets what is held, and keeps the memory.</summary>
    public void Clear() => Length = 0;

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
