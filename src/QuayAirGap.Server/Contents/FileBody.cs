using Microsoft.Win32.SafeHandles;
using QuayAirGap.Server.Http;

namespace QuayAirGap.Server.Contents;

/// <summary>A file that stays open until the last byte is sent, whatever becomes of its name meanwhile.</summary>
internal sealed class FileBody : Body
{
    /// <summary>
    /// Large enough that the cost per system call vanishes, small enough that the bytes are still in the processor's cache when the
    /// socket takes them.
    /// </summary>
    private const int Chunk = 256 * 1024;

    private const int Turn = 4 * Chunk;

    private readonly SafeFileHandle _file;

    private FileBody(SafeFileHandle file, long length)
    {
        _file = file;
        Length = length;
    }

    public override long Length { get; }

    internal SafeFileHandle Handle => _file;

    /// <exception cref="IOException">It is missing or cannot be read.</exception>
    public static FileBody Open(string path)
    {
        SafeFileHandle file = OpenHandle(path);
        try
        {
            return new FileBody(file, RandomAccess.GetLength(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    internal static SafeFileHandle OpenHandle(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    public override async ValueTask WriteAsync(ResponseSink sink, long offset, long count)
    {
        while (count > 0)
        {
            // Straight into the connection's own memory: the bytes are copied once out of the file and once into the socket.
            Memory<byte> memory = sink.GetMemory((int)Math.Min(count, Chunk));
            int read = Read(memory.Span[..(int)Math.Min(count, memory.Length)], offset);
            await sink.AdvanceAsync(read);
            offset += read;
            count -= read;
            if (offset % Turn < read)
            {
                // A client that takes everything at once must not keep a thread to itself.
                await Task.Yield();
            }
        }
    }

    public override void Dispose() => _file.Dispose();

    // Not the asynchronous form: on Linux that only hands the same blocking call to another thread of the same pool.
    private int Read(Span<byte> buffer, long offset)
    {
        int read = RandomAccess.Read(_file, buffer, offset);
        return read > 0 ? read : throw new EndOfStreamException("The file became shorter while it was sent.");
    }
}
