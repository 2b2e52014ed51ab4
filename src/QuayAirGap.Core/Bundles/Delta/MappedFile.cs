using System.IO.MemoryMappedFiles;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>A whole file as memory: what patches need, without taking private memory for it.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly FileStream _file;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private bool _held;

    private MappedFile(FileStream file, long length, MemoryMappedFileAccess access)
    {
        _file = file;
        Length = length;
        _map = MemoryMappedFile.CreateFromFile(file, null, length, access, HandleInheritability.None, leaveOpen: true);
        _view = _map.CreateViewAccessor(0, length, access);
        byte* pointer = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        _held = true;
        Pointer = pointer + _view.PointerOffset;
    }

    public byte* Pointer { get; }

    public long Length { get; }

    /// <summary>The whole content; files of up to 2 GiB.</summary>
    public Span<byte> Span => new(Pointer, checked((int)Length));

    /// <param name="path">A file that is not empty, and that nobody changes meanwhile.</param>
    public static MappedFile OpenRead(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1);
        return Hold(file, file.Length, MemoryMappedFileAccess.Read);
    }

    /// <summary>
    /// A new file of that size. The disk gives the room before anything is written: a page that it could not give would end the process.
    /// </summary>
    public static MappedFile Create(string path, long length)
    {
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Read | FileShare.Delete,
            PreallocationSize = length,
            BufferSize = 1,
        });
        return Hold(file, length, MemoryMappedFileAccess.ReadWrite);
    }

    public void Dispose()
    {
        if (_held)
        {
            _held = false;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        if (!OperatingSystem.IsWindows())
        {
            // Before the view, which would wait until the disk has everything (msync). What lasts is flushed by whoever gives it its name, and a flush of
            // the file takes what was written through a mapping too; the rest is deleted before it need ever reach the disk.
            _view.SafeMemoryMappedViewHandle.Dispose();
        }

        _view.Dispose();
        _map.Dispose();
        _file.Dispose();
    }

    private static MappedFile Hold(FileStream file, long length, MemoryMappedFileAccess access)
    {
        try
        {
            if (access == MemoryMappedFileAccess.ReadWrite)
            {
                file.SetLength(length);
            }

            return new MappedFile(file, length, access);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
