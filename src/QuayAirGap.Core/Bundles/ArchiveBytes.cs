using Microsoft.Win32.SafeHandles;

namespace QuayAirGap.Core.Bundles;

/// <summary>A run of bytes of one file.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Offset">Where it begins in the file.</param>
/// <param name="Length">Bytes.</param>
internal readonly record struct FileSlice(string Path, long Offset, long Length);

/// <summary>
/// The bytes of a bundle's archive wherever they lie: one file, or the payloads of volumes one behind the other. Nothing is joined on disk.
/// </summary>
internal sealed class ArchiveBytes
{
    private readonly FileSlice[] _slices;

    /// <param name="name">What people call it: the file, or the folder of the volumes.</param>
    /// <param name="slices">In their order.</param>
    public ArchiveBytes(string name, IEnumerable<FileSlice> slices)
    {
        Name = name;
        _slices = [.. slices];
        Length = _slices.Sum(s => s.Length);
    }

    public string Name { get; }

    public long Length { get; }

    /// <summary>A whole file as it is now.</summary>
    public static ArchiveBytes OfFile(string path) => OfFile(path, new FileInfo(path).Length);

    public static ArchiveBytes OfFile(string path, long length) => new(path, [new FileSlice(path, 0, length)]);

    public Reader Open() => new(_slices);

    /// <summary>Reads at any place. One file is open at a time, so that a bundle of many volumes takes no more handles than one of one.</summary>
    internal sealed class Reader : IDisposable
    {
        private readonly FileSlice[] _slices;
        private SafeFileHandle? _handle;
        private int _slice = -1;
        private long _begin;

        public Reader(FileSlice[] slices)
        {
            _slices = slices;

            // Now, so that a file that is not there is missed where it is opened, as with any file.
            if (slices.Length > 0)
            {
                Use(0, 0);
            }
        }

        /// <summary>Reads some bytes, at least one; 0 only at the end, or where a file is shorter than it was.</summary>
        public int Read(Span<byte> buffer, long at) =>
            Seek(at, buffer.Length, out long inFile, out int count) ? RandomAccess.Read(_handle!, buffer[..count], inFile) : 0;

        /// <inheritdoc cref="Read"/>
        public ValueTask<int> ReadAsync(Memory<byte> buffer, long at, CancellationToken cancellationToken) =>
            Seek(at, buffer.Length, out long inFile, out int count)
                ? RandomAccess.ReadAsync(_handle!, buffer[..count], inFile, cancellationToken)
                : ValueTask.FromResult(0);

        public void Dispose() => _handle?.Dispose();

        private bool Seek(long at, int wanted, out long inFile, out int count)
        {
            inFile = 0;
            count = 0;
            if (_slice < 0 || at < 0)
            {
                return false;
            }

            if (at < _begin)
            {
                Use(0, 0);
            }

            while (at >= _begin + _slices[_slice].Length)
            {
                if (_slice + 1 == _slices.Length)
                {
                    return false;
                }

                Use(_slice + 1, _begin + _slices[_slice].Length);
            }

            FileSlice slice = _slices[_slice];
            inFile = slice.Offset + at - _begin;
            count = (int)Math.Min(wanted, slice.Length - (at - _begin));
            return true;
        }

        private void Use(int slice, long begin)
        {
            _begin = begin;
            if (slice != _slice)
            {
                _handle?.Dispose();
                _handle = null;
                _slice = slice;
                _handle = File.OpenHandle(
                    _slices[slice].Path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.SequentialScan | FileOptions.Asynchronous);
            }
        }
    }
}
