using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.BZip2;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>A bzip2 file: its block size in hundreds of kilobytes, and its content. The format leaves an encoder almost no choice.</summary>
internal sealed class Bzip2Form : IContentForm
{
    public void UnpackBase(string packed, Stream output, CancellationToken cancellationToken)
    {
        using FileStream file = File.OpenRead(packed);
        Inflate(file, output, cancellationToken);
    }

    public bool TryUnpack(string packed, string form, CancellationToken cancellationToken)
    {
        try
        {
            using FileStream file = File.OpenRead(packed);
            using FileStream output = File.Create(form);
            file.Position = 3;
            output.WriteByte((byte)(file.ReadByte() - '0'));
            file.Position = 0;
            Inflate(file, output, cancellationToken);
            if (output.Length > ZstdPatch.MaxSize)
            {
                return false;
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            return false;
        }

        using MappedFile expected = MappedFile.OpenRead(packed);
        using MappedFile content = MappedFile.OpenRead(form);
        var compare = new ComparingStream(expected, 0, expected.Length);
        try
        {
            Pack(content, null, compare, cancellationToken);
            return compare.IsSame;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    public unsafe void Pack(MappedFile form, PackedBase? older, Stream output, CancellationToken cancellationToken)
    {
        if (form.Pointer[0] is < 1 or > 9)
        {
            throw new InvalidDataException("its block size is none that bzip2 has");
        }

        // The stream closes itself on Dispose; where it fails before, what it would still write must not hide why.
        var pack = new BZip2OutputStream(output, form.Pointer[0]) { IsStreamOwner = false };
        const int Step = 1 << 20;
        byte[] buffer = new byte[Step];
        for (long at = 1; at < form.Length; at += Step)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = (int)Math.Min(Step, form.Length - at);
            new ReadOnlySpan<byte>(form.Pointer + at, count).CopyTo(buffer);
            pack.Write(buffer, 0, count);
        }

        pack.Close();
    }

    private static void Inflate(FileStream file, Stream output, CancellationToken cancellationToken)
    {
        try
        {
            using var inflate = new BZip2InputStream(file) { IsStreamOwner = false };
            byte[] buffer = new byte[1 << 17];
            int read;
            while ((read = inflate.Read(buffer, 0, buffer.Length)) > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                output.Write(buffer, 0, read);
            }
        }
        catch (Exception e) when (e is SharpZipBaseException or IndexOutOfRangeException or ArgumentException or NullReferenceException or OverflowException)
        {
            // The library's reader is not made for damaged files, and shows it in all these ways.
            throw new InvalidDataException("it is no whole bzip2 file", e);
        }
    }
}
