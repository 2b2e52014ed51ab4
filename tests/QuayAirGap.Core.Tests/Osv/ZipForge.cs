using System.IO.Compression;
using System.Text;
using QuayAirGap.Core.Sources.Osv.Zip;

namespace QuayAirGap.Core.Tests.Osv;

internal enum Descriptor
{
    None,
    Signed,
    Unsigned,
}

/// <summary>A member of a zip file to be made, with everything that the format leaves to whoever writes it.</summary>
internal sealed record ForgedMember(string Name, byte[] Content)
{
    public ForgedMember(string name, string content)
        : this(name, Encoding.UTF8.GetBytes(content))
    {
    }

    public bool Stored { get; init; }

    public Descriptor Descriptor { get; init; }

    /// <summary>Sizes and offset in Zip64 fields, needed or not.</summary>
    public bool Wide { get; init; }

    public byte[] LocalExtra { get; init; } = [];

    public byte[] CentralExtra { get; init; } = [];

    public string Comment { get; init; } = "";

    /// <summary>Bytes after the record that belong to nothing.</summary>
    public int Padding { get; init; }

    /// <summary>What the directory says instead of the truth.</summary>
    public ushort? Method { get; init; }

    public ushort Flags { get; init; }

    public uint? Size { get; init; }

    public uint? Crc { get; init; }

    /// <summary>The record of another member that its directory entry points to; it has none of its own.</summary>
    public int? SharesRecordOf { get; init; }
}

/// <summary>Writes zip files of every kind, sound and not.</summary>
internal static class ZipForge
{
    public static byte[] Make(IReadOnlyList<ForgedMember> members, string comment = "", bool wideEnd = false, int[]? directoryOrder = null)
    {
        using var zip = new MemoryStream();
        using var writer = new BinaryWriter(zip);
        long[] offsets = new long[members.Count];
        byte[][] packed = [.. members.Select(Pack)];
        for (int i = 0; i < members.Count; i++)
        {
            ForgedMember m = members[i];
            offsets[i] = zip.Position;
            if (m.SharesRecordOf is { } other)
            {
                offsets[i] = offsets[other];
                packed[i] = packed[other];
                continue;
            }

            bool late = m.Descriptor != Descriptor.None;
            byte[] name = Encoding.UTF8.GetBytes(m.Name);
            byte[] wide = m.Wide && !late ? Extra(1, (ulong)m.Content.Length, (ulong)packed[i].Length) : [];
            writer.Write(0x04034b50u);
            uint Known(int length) => late ? 0 : m.Wide ? uint.MaxValue : (uint)length;
            Common(writer, m, late ? 0 : CrcOf(m), Known(packed[i].Length), Known(m.Content.Length));
            writer.Write((ushort)name.Length);
            writer.Write((ushort)(wide.Length + m.LocalExtra.Length));
            writer.Write(name);
            writer.Write(wide);
            writer.Write(m.LocalExtra);
            writer.Write(packed[i]);
            if (late)
            {
                WriteDescriptor(writer, m, packed[i].Length);
            }

            writer.Write(new byte[m.Padding]);
        }

        long directory = zip.Position;
        foreach (int i in directoryOrder ?? [.. Enumerable.Range(0, members.Count)])
        {
            ForgedMember m = members[i];
            byte[] name = Encoding.UTF8.GetBytes(m.Name);
            byte[] wide = m.Wide ? Extra(1, (ulong)m.Content.Length, (ulong)packed[i].Length, (ulong)offsets[i]) : [];
            byte[] note = Encoding.UTF8.GetBytes(m.Comment);
            writer.Write(0x02014b50u);
            writer.Write((ushort)20);
            Common(writer, m, CrcOf(m), m.Wide ? uint.MaxValue : (uint)packed[i].Length, m.Size ?? (m.Wide ? uint.MaxValue : (uint)m.Content.Length));
            writer.Write((ushort)name.Length);
            writer.Write((ushort)(wide.Length + m.CentralExtra.Length));
            writer.Write((ushort)note.Length);
            writer.Write(new byte[8]);
            writer.Write(m.Wide ? uint.MaxValue : (uint)offsets[i]);
            writer.Write(name);
            writer.Write(m.CentralExtra);
            writer.Write(wide);
            writer.Write(note);
        }

        long size = zip.Position - directory;
        if (wideEnd)
        {
            long end = zip.Position;
            writer.Write(0x06064b50u);
            writer.Write(44L);
            writer.Write(0x002D002Du);
            writer.Write(0L);
            writer.Write((long)members.Count);
            writer.Write((long)members.Count);
            writer.Write(size);
            writer.Write(directory);
            writer.Write(0x07064b50u);
            writer.Write(0);
            writer.Write(end);
            writer.Write(1);
        }

        byte[] text = Encoding.UTF8.GetBytes(comment);
        writer.Write(0x06054b50u);
        writer.Write(0);
        writer.Write(wideEnd ? ushort.MaxValue : (ushort)members.Count);
        writer.Write(wideEnd ? ushort.MaxValue : (ushort)members.Count);
        writer.Write(wideEnd ? uint.MaxValue : (uint)size);
        writer.Write(wideEnd ? uint.MaxValue : (uint)directory);
        writer.Write((ushort)text.Length);
        writer.Write(text);
        return zip.ToArray();
    }

    public static byte[] Extra(ushort tag, params ulong[] values) =>
        [.. BitConverter.GetBytes(tag), .. BitConverter.GetBytes((ushort)(values.Length * 8)), .. values.SelectMany(BitConverter.GetBytes)];

    /// <summary>Every way of writing that a reader has to take, each once.</summary>
    public static IReadOnlyList<(string Name, byte[] Zip)> Sound(IReadOnlyList<(string Name, string Content)> documents)
    {
        ForgedMember[] Each(Func<ForgedMember, ForgedMember> how) => [.. documents.Select(d => how(new ForgedMember(d.Name, d.Content)))];
        int[] backwards = [.. Enumerable.Range(0, documents.Count).Reverse()];
        return
        [
            ("deflated", Make(Each(m => m))),
            ("stored", Make(Each(m => m with { Stored = true }))),
            ("signed descriptors", Make(Each(m => m with { Descriptor = Descriptor.Signed }))),
            ("unsigned descriptors", Make(Each(m => m with { Descriptor = Descriptor.Unsigned }))),
            ("Zip64 throughout", Make(Each(m => m with { Wide = true }), wideEnd: true)),
            ("Zip64 end only", Make(Each(m => m), wideEnd: true)),
            ("extra fields, comments and padding", Make(
                Each(m => m with
                {
                    LocalExtra = Extra(0x5455, 7), CentralExtra = Extra(0x5455, 7, 8), Comment = "seen", Padding = 3, Wide = m.Name.Length % 2 == 0,
                }),
                comment: "an export")),
            ("directory in another order", Make(Each(m => m), directoryOrder: backwards)),
            (".NET's own, seekable", Written(documents, seekable: true)),
            (".NET's own, to a pipe", Written(documents, seekable: false)),
        ];
    }

    private static byte[] Written(IReadOnlyList<(string Name, string Content)> documents, bool seekable)
    {
        using var zip = new MemoryStream();
        using (var archive = new ZipArchive(seekable ? zip : new OneWay(zip), ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, string content) in documents)
            {
                using Stream entry = archive.CreateEntry(name).Open();
                entry.Write(Encoding.UTF8.GetBytes(content));
            }
        }

        return zip.ToArray();
    }

    private static byte[] Pack(ForgedMember m)
    {
        if (m.Stored)
        {
            return m.Content;
        }

        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(m.Content);
        }

        return packed.ToArray();
    }

    private static uint CrcOf(ForgedMember m) => m.Crc ?? Crc32.Of(m.Content);

    private static void Common(BinaryWriter writer, ForgedMember m, uint crc, uint packed, uint size)
    {
        writer.Write((ushort)(m.Wide ? 45 : 20));
        writer.Write((ushort)(m.Flags | (m.Descriptor == Descriptor.None ? 0 : 8)));
        writer.Write(m.Method ?? (ushort)(m.Stored ? 0 : 8));
        writer.Write(0x59216000u);
        writer.Write(crc);
        writer.Write(packed);
        writer.Write(size);
    }

    private static void WriteDescriptor(BinaryWriter writer, ForgedMember m, int packed)
    {
        if (m.Descriptor == Descriptor.Signed)
        {
            writer.Write(0x08074b50u);
        }

        writer.Write(CrcOf(m));
        if (m.Wide)
        {
            writer.Write((long)packed);
            writer.Write((long)m.Content.Length);
        }
        else
        {
            writer.Write(packed);
            writer.Write(m.Content.Length);
        }
    }

    /// <summary>A stream that cannot go back: what is written to it gets data descriptors.</summary>
    private sealed class OneWay(Stream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);
    }
}
