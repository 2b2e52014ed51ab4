using System.Text;
using QuayAirGap.Core.Sources.Debian;
using QuayAirGap.Core.Sources.Json;
using Xunit;

namespace QuayAirGap.Core.Tests.Families;

/// <summary>Alone: what is allocated is counted for the process.</summary>
[CollectionDefinition(nameof(JsonShapeReaderTests), DisableParallelization = true)]
public sealed class JsonShapeReaderCollection;

[Collection(nameof(JsonShapeReaderTests))]
public sealed class JsonShapeReaderTests
{
    [Fact]
    public async Task A_document_far_larger_than_memory_should_be_is_counted_to_its_end_with_a_small_buffer()
    {
        const int Packages = 60_000;
        byte[] package = Encoding.UTF8.GetBytes(
            "\"p\":{\"CVE-2026-1\":{\"description\":\"" + new string('d', 800) + "\",\"releases\":{\"trixie\":{\"status\":\"open\",\"urgency\":\"low\"}}}}");
        await using var content = new Repeated(package, Packages);
        long before = GC.GetTotalAllocatedBytes(precise: true);

        DebianTracker tracker = await DebianTracker.ReadAsync(content, "https://x.example/", CancellationToken.None);

        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Assert.Equal(Packages, tracker.Census.Count);
        Assert.Equal(["trixie"], tracker.Codenames);
        Assert.True(content.Passed > 50_000_000, $"{content.Passed} bytes");
        Assert.True(allocated < content.Passed, $"{allocated} bytes allocated in all, for {content.Passed} read");
    }

    [Fact]
    public async Task One_value_longer_than_any_feeds_is_refused_instead_of_held()
    {
        await using var content = new Repeated(Encoding.ASCII.GetBytes(new string('x', 1 << 20)), 40, open: "{\"a\":\"", close: "\"}", separator: "");

        FeedException e = await Assert.ThrowsAsync<FeedException>(
            () => JsonShapeReader.ReadAsync(content, JsonShape.Record(null), "https://x.example/", CancellationToken.None));

        Assert.Equal(ErrorIds.UpstreamContent, e.ErrorId);
        Assert.True(content.Passed < 20 << 20, $"{content.Passed} bytes read before it was refused");
    }

    [Fact]
    public async Task Whatever_the_size_of_the_pieces_it_arrives_in_the_count_is_the_same()
    {
        byte[] document = "{\"a\":{\"CVE-1\":{\"releases\":{\"tr\\u0069xie\":{}}},\"CVE-2\":{}},\"b\\\"\":{\"CVE-ü\":{\"x\":[{\"y\":[1,2.5e3,null,true]}]}}}"u8.ToArray();
        for (int size = 1; size <= document.Length; size++)
        {
            await using var content = new Repeated(document, 1, open: "", close: "", separator: "", most: size);

            DebianTracker tracker = await DebianTracker.ReadAsync(content, "https://x.example/", CancellationToken.None);

            Assert.Equal(3, tracker.Census.Count);
            Assert.Equal(["trixie"], tracker.Codenames);
        }
    }

    /// <summary>A document that is made while it is read.</summary>
    private sealed class Repeated(byte[] part, int times, string open = "{", string close = "}", string separator = ",", int most = int.MaxValue) : Stream
    {
        private readonly byte[] _separator = Encoding.ASCII.GetBytes(separator);
        private ReadOnlyMemory<byte> _rest = Encoding.ASCII.GetBytes(open);
        private int _step;

        public long Passed { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => Passed; set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            while (_rest.IsEmpty)
            {
                // Parts and separators take turns; the end comes once.
                int last = (2 * times) - 1;
                if (_step > last)
                {
                    return 0;
                }

                _rest = _step == last ? Encoding.ASCII.GetBytes(close) : _step % 2 == 0 ? part : _separator;
                _step++;
            }

            int count = Math.Min(Math.Min(buffer.Length, _rest.Length), most);
            _rest.Span[..count].CopyTo(buffer);
            _rest = _rest[count..];
            Passed += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(Read(buffer.Span));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
