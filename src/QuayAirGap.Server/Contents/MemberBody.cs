using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using QuayAirGap.Server.Http;
using ZstdSharp;

namespace QuayAirGap.Server.Contents;

/// <summary>
/// One document inside a seekable archive: a part of one unpacked zstd frame. It is unpacked twice, first to compare its digest, then to
/// send it, so that memory does not grow with the document and nothing wrong is ever sent.
/// </summary>
internal sealed class MemberBody : Body
{
    private const int Chunk = 64 * 1024;

    private readonly byte[] _frame;
    private readonly Member _member;

    private MemberBody(byte[] frame, Member member)
    {
        _frame = frame;
        _member = member;
    }

    public override long Length => _member.Size;

    /// <exception cref="InvalidDataException">The archive does not hold the document that the table promises.</exception>
    /// <exception cref="IOException">The archive is missing or cannot be read.</exception>
    public static MemberBody Open(string archive, Member member)
    {
        byte[] frame = ArrayPool<byte>.Shared.Rent(member.FrameLength);
        var body = new MemberBody(frame, member);
        try
        {
            using (SafeFileHandle file = FileBody.OpenHandle(archive))
            {
                ReadFrame(file, member.FrameOffset, frame.AsSpan(0, member.FrameLength));
            }

            body.Verify();
            return body;
        }
        catch (Exception e)
        {
            body.Dispose();
            if (e is ZstdException or EndOfStreamException)
            {
                throw new InvalidDataException($"The archive does not hold the document at offset {member.FrameOffset}: {e.Message}", e);
            }

            throw;
        }
    }

    public override async ValueTask WriteAsync(ResponseSink sink, long offset, long count)
    {
        using Stream document = Unpack(offset);
        while (count > 0)
        {
            Memory<byte> memory = sink.GetMemory((int)Math.Min(count, Chunk));
            int read = ReadSome(document, memory.Span[..(int)Math.Min(count, memory.Length)]);
            await sink.AdvanceAsync(read);
            count -= read;
        }
    }

    public override void Dispose() => ArrayPool<byte>.Shared.Return(_frame);

    private static void ReadFrame(SafeFileHandle file, long offset, Span<byte> frame)
    {
        while (!frame.IsEmpty)
        {
            int read = RandomAccess.Read(file, frame, offset);
            if (read == 0)
            {
                throw new EndOfStreamException("The archive is shorter than its table says.");
            }

            offset += read;
            frame = frame[read..];
        }
    }

    private void Verify()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using Stream document = Unpack(0);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        try
        {
            for (long left = _member.Size; left > 0;)
            {
                int read = ReadSome(document, buffer.AsSpan(0, (int)Math.Min(left, Chunk)));
                hash.AppendData(buffer, 0, read);
                left -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        if (!digest.SequenceEqual(_member.Sha256.Span))
        {
            throw new InvalidDataException($"The document at offset {_member.FrameOffset} of the archive is not the one that the table promises.");
        }
    }

    /// <summary>The document from an offset on.</summary>
    private DecompressionStream Unpack(long offset)
    {
        var stream = new DecompressionStream(new MemoryStream(_frame, 0, _member.FrameLength, writable: false), leaveOpen: false);
        try
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(Chunk);
            try
            {
                for (long left = _member.Skip + offset; left > 0;)
                {
                    left -= ReadSome(stream, buffer.AsSpan(0, (int)Math.Min(left, Chunk)));
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    private static int ReadSome(Stream stream, Span<byte> buffer)
    {
        int read = stream.Read(buffer);
        return read > 0 ? read : throw new EndOfStreamException("The frame ends before the document does.");
    }
}
