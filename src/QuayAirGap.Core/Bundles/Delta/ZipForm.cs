using System.Buffers.Binary;
using QuayAirGap.Core.Sources.Osv.Zip;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// A zip file field by field: first all versions, then all flags, all times and so on, the names, and the members' compressed bytes as
/// they are, one after the other. Offsets, and what a local header repeats of the directory, follow from the rest. So a new member, or
/// an export that dates all of them anew, changes little; and nothing is packed again, whoever packed it.
/// </summary>
internal sealed unsafe class ZipForm : IContentForm
{
    private const int HeaderSize = 46;
    private const int DescriptorSize = 16;

    /// <summary>The end record with a comment, and the two of Zip64 before it.</summary>
    private const int MaxEnd = 22 + ushort.MaxValue + 20 + 56;

    /// <summary>A mark, the number of members, the length of what follows the directory.</summary>
    private const int HeadSize = 4 + 4 + 4;

    private const int FlagsAt = 8;
    private const int CrcAt = 16;
    private const int PackedSizeAt = 20;
    private const int NameLengthAt = 28;
    private const int ExtraLengthAt = 30;
    private const int CommentLengthAt = 32;
    private const int OffsetAt = 42;

    /// <summary>Bytes of each field of a directory entry between its mark and its offset (APPNOTE.TXT 4.3.12).</summary>
    private static readonly int[] s_fields = [2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4];

    /// <summary>How a local header goes with its directory entry.</summary>
    private enum Local : byte
    {
        /// <summary>It repeats checksum and sizes.</summary>
        Repeats,

        /// <summary>Checksum and sizes are zero in it, and follow the content.</summary>
        Follows,

        /// <summary>They are in it, and follow the content too.</summary>
        Both,
    }

    private static ReadOnlySpan<byte> Mark => "zip1"u8;

    public void UnpackBase(string packed, Stream output, CancellationToken cancellationToken)
    {
        try
        {
            Unpack(packed, output, cancellationToken);
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException("it is cut short", e);
        }
    }

    public bool TryUnpack(string packed, string form, CancellationToken cancellationToken)
    {
        try
        {
            using FileStream output = File.Create(form);
            Unpack(packed, output, cancellationToken);
            return output.Length <= ZstdPatch.MaxSize;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            return false;
        }
    }

    public void Pack(MappedFile form, PackedBase? older, Stream output, CancellationToken cancellationToken)
    {
        var columns = new Columns(form);
        Span<byte> header = stackalloc byte[HeaderSize];
        Span<byte> local = stackalloc byte[ZipIndex.LocalHeaderSize];
        Span<byte> descriptor = stackalloc byte[DescriptorSize];
        long offset = 0;
        for (int i = 0; i < columns.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            columns.ReadHeader(i, header);
            Local kind = columns.LocalOf(i);
            int extraLength = columns.LocalExtraLength(i);
            FormatLocal(local, header, kind, extraLength);
            output.Write(local);
            output.Write(columns.Names.Take(Short(header, NameLengthAt)));
            output.Write(columns.LocalExtras.Take(extraLength));
            output.Write(columns.Content.Take(Int(header, PackedSizeAt)));
            if (kind != Local.Repeats)
            {
                FormatDescriptor(descriptor, header);
                output.Write(descriptor);
            }
        }

        columns.Names.Rewind();
        columns.LocalExtras.Rewind();
        for (int i = 0; i < columns.Count; i++)
        {
            columns.ReadHeader(i, header);
            BinaryPrimitives.WriteUInt32LittleEndian(header[OffsetAt..], checked((uint)offset));
            output.Write(header);
            output.Write(columns.Names.Take(Short(header, NameLengthAt)));
            output.Write(columns.Extras.Take(Short(header, ExtraLengthAt)));
            output.Write(columns.Comments.Take(Short(header, CommentLengthAt)));
            offset += RecordLength(header, columns.LocalOf(i), columns.LocalExtraLength(i));
        }

        output.Write(columns.End);
    }

    private static long RecordLength(ReadOnlySpan<byte> header, Local kind, int localExtraLength) =>
        ZipIndex.LocalHeaderSize + Short(header, NameLengthAt) + localExtraLength + Int(header, PackedSizeAt) + (kind == Local.Repeats ? 0 : DescriptorSize);

    private static void FormatLocal(Span<byte> local, ReadOnlySpan<byte> header, Local kind, int extraLength)
    {
        "PK\x03\x04"u8.CopyTo(local);

        // Version needed to name length stand in the same order in both.
        header.Slice(6, 24).CopyTo(local[4..]);
        if (kind == Local.Follows)
        {
            local.Slice(14, 12).Clear();
        }

        BinaryPrimitives.WriteUInt16LittleEndian(local[28..], (ushort)extraLength);
    }

    private static void FormatDescriptor(Span<byte> descriptor, ReadOnlySpan<byte> header)
    {
        "PK\x07\x08"u8.CopyTo(descriptor);
        header.Slice(CrcAt, 12).CopyTo(descriptor[4..]);
    }

    /// <exception cref="InvalidDataException">It is no zip file, or not one that this form can make again.</exception>
    private static void Unpack(string packed, Stream output, CancellationToken cancellationToken)
    {
        using FileStream file = File.OpenRead(packed);
        ZipIndex index = ZipIndex.Read(file, ZipLimits.Default);
        IReadOnlyList<ZipMember> members = index.Members;
        using MappedFile zip = MappedFile.OpenRead(packed);
        byte[] kinds = new byte[members.Count];
        int[] extraLengths = new int[members.Count];
        Span<byte> local = stackalloc byte[ZipIndex.LocalHeaderSize];
        Span<byte> descriptor = stackalloc byte[DescriptorSize];
        long offset = 0;
        for (int i = 0; i < members.Count; i++)
        {
            ZipMember member = members[i];
            ReadOnlySpan<byte> header = index.Directory.AsSpan(member.HeaderStart, HeaderSize);
            var record = new ReadOnlySpan<byte>(zip.Pointer + member.Offset, checked((int)member.RecordLength));
            Local kind = KindOf(record, header);
            int extraLength = Short(record, 28);
            FormatLocal(local, header, kind, extraLength);
            FormatDescriptor(descriptor, header);
            if (member.Offset != offset || member.OffsetIsLong || member.CompressedSize != Int(header, PackedSizeAt)
                || member.RecordLength != RecordLength(header, kind, extraLength)
                || !record.StartsWith(local)
                || !record[ZipIndex.LocalHeaderSize..].StartsWith(index.RawName(member))
                || (kind != Local.Repeats && !record.EndsWith(descriptor)))
            {
                throw new InvalidDataException("it is written in a way that is not known");
            }

            kinds[i] = (byte)kind;
            extraLengths[i] = extraLength;
            offset += member.RecordLength;
        }

        long endStart = offset + index.Directory.Length;
        Span<byte> head = stackalloc byte[HeadSize];
        Mark.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head[4..], members.Count);
        BinaryPrimitives.WriteInt32LittleEndian(head[8..], checked((int)(zip.Length - endStart)));
        output.Write(head);
        output.Write(new ReadOnlySpan<byte>(zip.Pointer + endStart, (int)(zip.Length - endStart)));
        WriteColumns(index, kinds, extraLengths, zip, output, cancellationToken);
    }

    private static Local KindOf(ReadOnlySpan<byte> record, ReadOnlySpan<byte> header) =>
        (Short(header, FlagsAt) & 8) == 0 ? Local.Repeats
        : !record.Slice(14, 12).ContainsAnyExcept((byte)0) && header.Slice(CrcAt, 12).ContainsAnyExcept((byte)0) ? Local.Follows
        : Local.Both;

    private static void WriteColumns(
        ZipIndex index, byte[] kinds, int[] extraLengths, MappedFile zip, Stream output, CancellationToken cancellationToken)
    {
        IReadOnlyList<ZipMember> members = index.Members;
        int at = 4;
        foreach (int size in s_fields)
        {
            foreach (ZipMember member in members)
            {
                output.Write(index.Directory, member.HeaderStart + at, size);
            }

            at += size;
        }

        output.Write(kinds);
        Span<byte> length = stackalloc byte[2];
        foreach (int extraLength in extraLengths)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)extraLength);
            output.Write(length);
        }

        foreach (ZipMember member in members)
        {
            output.Write(index.RawName(member));
        }

        foreach (ZipMember member in members)
        {
            output.Write(index.Directory, member.HeaderStart + HeaderSize + member.NameLength, Short(index.Directory, member.HeaderStart + ExtraLengthAt));
        }

        foreach (ZipMember member in members)
        {
            int count = Short(index.Directory, member.HeaderStart + CommentLengthAt);
            output.Write(index.Directory, member.HeaderStart + member.HeaderLength - count, count);
        }

        for (int i = 0; i < members.Count; i++)
        {
            output.Write(new ReadOnlySpan<byte>(zip.Pointer + members[i].Offset + ZipIndex.LocalHeaderSize + members[i].NameLength, extraLengths[i]));
        }

        for (int i = 0; i < members.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long start = members[i].Offset + ZipIndex.LocalHeaderSize + members[i].NameLength + extraLengths[i];
            output.Write(new ReadOnlySpan<byte>(zip.Pointer + start, (int)members[i].CompressedSize));
        }
    }

    private static int Short(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static long Int(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    /// <summary>A form's parts. It comes out of a patch: every length in it is compared with what there is.</summary>
    private sealed class Columns
    {
        private readonly MappedFile _form;
        private readonly long[] _fields = new long[s_fields.Length];
        private readonly long _kinds;
        private readonly long _localExtraLengths;

        public Columns(MappedFile form)
        {
            _form = form;
            if (form.Length < HeadSize || !form.Span.StartsWith(Mark))
            {
                throw Broken();
            }

            Count = BinaryPrimitives.ReadInt32LittleEndian(form.Span[4..]);
            int endLength = BinaryPrimitives.ReadInt32LittleEndian(form.Span[8..]);
            if (Count < 0 || Count > ZipLimits.Default.Members || endLength is < 0 or > MaxEnd || endLength > form.Length - HeadSize)
            {
                throw Broken();
            }

            EndStart = HeadSize;
            EndLength = endLength;
            long at = HeadSize + endLength;
            for (int i = 0; i < s_fields.Length; i++)
            {
                _fields[i] = at;
                at += (long)s_fields[i] * Count;
            }

            _kinds = at;
            _localExtraLengths = at + Count;
            at += 3L * Count;
            if (at > form.Length)
            {
                throw Broken();
            }

            long names = 0;
            long extras = 0;
            long comments = 0;
            long localExtras = 0;
            long content = 0;
            Span<byte> header = stackalloc byte[HeaderSize];
            for (int i = 0; i < Count; i++)
            {
                ReadHeader(i, header);
                names += Short(header, NameLengthAt);
                extras += Short(header, ExtraLengthAt);
                comments += Short(header, CommentLengthAt);
                localExtras += LocalExtraLength(i);
                content += Int(header, PackedSizeAt);
                if (!Enum.IsDefined(LocalOf(i)))
                {
                    throw Broken();
                }
            }

            Names = new Run(form, at, names);
            Extras = new Run(form, at += names, extras);
            Comments = new Run(form, at += extras, comments);
            LocalExtras = new Run(form, at += comments, localExtras);
            Content = new Run(form, at += localExtras, content);
            if (at + content != form.Length)
            {
                throw Broken();
            }
        }

        public int Count { get; }

        public Run Names { get; }

        public Run Extras { get; }

        public Run Comments { get; }

        public Run LocalExtras { get; }

        public Run Content { get; }

        public ReadOnlySpan<byte> End => new(_form.Pointer + EndStart, EndLength);

        private int EndStart { get; }

        private int EndLength { get; }

        public void ReadHeader(int i, Span<byte> header)
        {
            header.Clear();
            "PK\x01\x02"u8.CopyTo(header);
            int at = 4;
            for (int f = 0; f < s_fields.Length; f++)
            {
                int size = s_fields[f];
                new ReadOnlySpan<byte>(_form.Pointer + _fields[f] + ((long)size * i), size).CopyTo(header[at..]);
                at += size;
            }
        }

        public Local LocalOf(int i) => (Local)_form.Pointer[_kinds + i];

        public int LocalExtraLength(int i) => BinaryPrimitives.ReadUInt16LittleEndian(new ReadOnlySpan<byte>(_form.Pointer + _localExtraLengths + (2L * i), 2));

        private static InvalidDataException Broken() => new("the zip file's parts do not fit together");
    }

    /// <summary>Pieces of different lengths, taken one after the other.</summary>
    private sealed class Run(MappedFile form, long start, long length)
    {
        private long _taken;

        public ReadOnlySpan<byte> Take(long count)
        {
            if (count > length - _taken)
            {
                throw new InvalidDataException("the zip file's parts do not fit together");
            }

            var piece = new ReadOnlySpan<byte>(form.Pointer + start + _taken, (int)count);
            _taken += count;
            return piece;
        }

        public void Rewind() => _taken = 0;
    }
}
