namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// One of deflate's prefix codes, built as classic zlib builds it (trees.c, build_tree): a heap by frequency and depth, lengths beyond the
/// longest allowed one pushed back, codes in order. Another correct builder would choose other lengths among equals.
/// </summary>
internal sealed class DeflateTree
{
    private readonly int _maxLength;
    private readonly byte[] _extra;
    private readonly int _extraBase;
    private readonly DeflateTree? _fixed;
    private readonly int _count;
    private readonly int[] _heap;
    private readonly int[] _parent;
    private readonly int[] _weight;
    private readonly byte[] _depth;
    private int _heapLength;

    /// <param name="count">Symbols.</param>
    /// <param name="maxLength">Of a code, in bits.</param>
    /// <param name="extra">Bits that follow a code, from the symbol <paramref name="extraBase"/> on.</param>
    /// <param name="extraBase">See <paramref name="extra"/>.</param>
    /// <param name="fixedTree">The code to compare with, or null.</param>
    public DeflateTree(int count, int maxLength, byte[] extra, int extraBase, DeflateTree? fixedTree)
    {
        _count = count;
        _maxLength = maxLength;
        _extra = extra;
        _extraBase = extraBase;
        _fixed = fixedTree;
        _heap = new int[(2 * count) + 2];
        _parent = new int[(2 * count) + 1];
        _weight = new int[(2 * count) + 1];
        _depth = new byte[(2 * count) + 1];
        Frequency = new int[count];
        Length = new int[(2 * count) + 1];
        Code = new int[count];
    }

    public int[] Frequency { get; }

    /// <summary>Of each symbol's code, in bits; 0 where it has none.</summary>
    public int[] Length { get; }

    /// <summary>As it is written: the first bit is the lowest.</summary>
    public int[] Code { get; }

    /// <summary>The last symbol that has a code.</summary>
    public int MaxCode { get; private set; }

    public static DeflateTree Fixed(int count, Func<int, int> length)
    {
        var tree = new DeflateTree(count, 15, [], count, null);
        Span<int> counts = stackalloc int[16];
        for (int n = 0; n < count; n++)
        {
            tree.Length[n] = length(n);
            counts[tree.Length[n]]++;
        }

        tree.MaxCode = count - 1;
        tree.AssignCodes(counts);
        return tree;
    }

    public void Clear() => Array.Clear(Frequency);

    /// <param name="own">Raised by the bits that the symbols take with this code.</param>
    /// <param name="withFixed">Raised by the bits that they take with the fixed one.</param>
    public void Build(ref long own, ref long withFixed)
    {
        _heapLength = 0;
        MaxCode = -1;
        for (int n = 0; n < _count; n++)
        {
            Length[n] = 0;
            _weight[n] = Frequency[n];
            if (Frequency[n] != 0)
            {
                _heap[++_heapLength] = MaxCode = n;
                _depth[n] = 0;
            }
        }

        // Readers want at least two codes, however few symbols there are.
        while (_heapLength < 2)
        {
            int forced = _heap[++_heapLength] = MaxCode < 2 ? ++MaxCode : 0;
            _weight[forced] = 1;
            _depth[forced] = 0;
            own--;
            withFixed -= _fixed?.Length[forced] ?? 0;
        }

        for (int n = _heapLength / 2; n >= 1; n--)
        {
            Sink(n);
        }

        // The sorted order grows down from the heap's other end.
        int node = _count;
        int sorted = _heap.Length - 1;
        do
        {
            int least = _heap[1];
            _heap[1] = _heap[_heapLength--];
            Sink(1);
            int second = _heap[1];
            _heap[--sorted] = least;
            _heap[--sorted] = second;
            _weight[node] = _weight[least] + _weight[second];
            _depth[node] = (byte)(Math.Max(_depth[least], _depth[second]) + 1);
            _parent[least] = _parent[second] = node;
            _heap[1] = node++;
            Sink(1);
        }
        while (_heapLength >= 2);
        _heap[--sorted] = _heap[1];
        Span<int> counts = stackalloc int[16];
        AssignLengths(sorted, counts, ref own, ref withFixed);
        AssignCodes(counts);
    }

    private bool IsSmaller(int n, int m) => _weight[n] < _weight[m] || (_weight[n] == _weight[m] && _depth[n] <= _depth[m]);

    private void Sink(int at)
    {
        int value = _heap[at];
        for (int child = at << 1; child <= _heapLength; child <<= 1)
        {
            if (child < _heapLength && IsSmaller(_heap[child + 1], _heap[child]))
            {
                child++;
            }

            if (IsSmaller(value, _heap[child]))
            {
                break;
            }

            _heap[at] = _heap[child];
            at = child;
        }

        _heap[at] = value;
    }

    /// <summary>trees.c, gen_bitlen.</summary>
    private void AssignLengths(int sorted, Span<int> counts, ref long own, ref long withFixed)
    {
        int end = _heap.Length - 1;
        int overflow = 0;
        Length[_heap[sorted]] = 0;
        int at = sorted + 1;
        for (; at < end; at++)
        {
            int n = _heap[at];
            int bits = Length[_parent[n]] + 1;
            if (bits > _maxLength)
            {
                bits = _maxLength;
                overflow++;
            }

            Length[n] = bits;
            if (n > MaxCode)
            {
                continue; // not a symbol
            }

            counts[bits]++;
            int extra = n >= _extraBase ? _extra[n - _extraBase] : 0;
            own += (long)_weight[n] * (bits + extra);
            if (_fixed is not null)
            {
                withFixed += (long)_weight[n] * (_fixed.Length[n] + extra);
            }
        }

        if (overflow == 0)
        {
            return;
        }

        do
        {
            int bits = _maxLength - 1;
            while (counts[bits] == 0)
            {
                bits--;
            }

            counts[bits]--;
            counts[bits + 1] += 2;
            counts[_maxLength]--;
            overflow -= 2;
        }
        while (overflow > 0);

        at = end;
        for (int bits = _maxLength; bits != 0; bits--)
        {
            for (int left = counts[bits]; left != 0;)
            {
                int n = _heap[--at];
                if (n > MaxCode)
                {
                    continue;
                }

                if (Length[n] != bits)
                {
                    own += ((long)bits - Length[n]) * _weight[n];
                    Length[n] = bits;
                }

                left--;
            }
        }
    }

    /// <summary>RFC 1951, 3.2.2, with the bits turned around.</summary>
    private void AssignCodes(ReadOnlySpan<int> counts)
    {
        Span<int> next = stackalloc int[16];
        int code = 0;
        for (int bits = 1; bits < next.Length; bits++)
        {
            code = (code + counts[bits - 1]) << 1;
            next[bits] = code;
        }

        for (int n = 0; n <= MaxCode; n++)
        {
            int length = Length[n];
            if (length == 0)
            {
                continue;
            }

            int value = next[length]++;
            int turned = 0;
            for (int i = 0; i < length; i++, value >>= 1)
            {
                turned = (turned << 1) | (value & 1);
            }

            Code[n] = turned;
        }
    }
}
