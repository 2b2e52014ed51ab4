using System.Globalization;
using System.Text;
using QuayAirGap.Core.Coverage;
using Xunit;

namespace QuayAirGap.Core.Tests.Coverage;

public sealed class IndexReportTests
{
    private const string Digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    public static TheoryData<string> Fixtures =>
        [.. Directory.GetFiles(Path.GetDirectoryName(CoverageSite.FixturePath("x"))!, "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Fixtures))]
    public async Task Every_fixture_is_read_the_same_both_ways(string name)
    {
        IndexReport report = CoverageSite.Fixture(name);
        await using FileStream file = File.OpenRead(CoverageSite.FixturePath(name));

        Assert.Equivalent(report, await IndexReport.ReadAsync(file, TestContext.Current.CancellationToken), strict: true);
        Assert.StartsWith("sha256:", report.ManifestDigest);
        Assert.Equal(name != "index-error", report.IsFinished);
        Assert.All(report.Packages.Keys, id => Assert.NotEmpty(report.Environments[id]));
    }

    [Fact]
    public void A_vulnerability_report_says_the_same_as_the_index_report_that_it_was_made_from()
    {
        IndexReport index = CoverageSite.Fixture("debian-12");
        IndexReport vulnerabilities = CoverageSite.Fixture("debian-12.vulnerabilities");

        Assert.Equivalent(index, vulnerabilities, strict: true);
        Assert.Equal(5, index.Packages.Count);
        Assert.Equal("bookworm", Assert.Single(index.Distributions.Values).VersionCodeName);
    }

    [Fact]
    public void What_is_read_of_a_report_is_what_stands_in_it()
    {
        IndexReport report = CoverageSite.Fixture("ubi-8");

        Assert.Equal(["", "rhel-cpe-repository", "rhel-cpe-repository", "rhcc-container-repository"], [.. report.Repositories.Values.Select(r => r.Key).Prepend("")]);
        Assert.Contains(report.Packages.Values, p => p.Name == "nodejs");
        Assert.Contains(report.Environments.Values.SelectMany(e => e), e => e.PackageDb.StartsWith("root/buildinfo/", StringComparison.Ordinal));
        Assert.Equal("failed to scan all layer contents: rhel: unable to create a mappingFile object", CoverageSite.Fixture("index-error").Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"IndexFinished\"")]
    [InlineData("<html>")]
    [InlineData("{}")]
    [InlineData("{\"code\":\"not-found\",\"message\":\"index report not found\"}")]
    [InlineData("{\"manifest_hash\":\"\",\"packages\":{},\"environments\":{}}")]
    [InlineData("{\"manifest_hash\":\"md5:00\",\"packages\":{},\"environments\":{}}")]
    [InlineData("{\"manifest_hash\":5,\"packages\":{},\"environments\":{}}")]
    [InlineData("{\"manifest_hash\":\"#\"}")]
    [InlineData("{\"manifest_hash\":\"#\",\"packages\":{}}")]
    [InlineData("{\"manifest_hash\":\"#\",\"packages\":[],\"environments\":{}}")]
    [InlineData("{\"manifest_hash\":\"#\",\"packages\":{\"1\":7},\"environments\":{}}")]
    [InlineData("{\"manifest_hash\":\"#\",\"packages\":{\"1\":{\"name\":{}}},\"environments\":{}}")]
    [InlineData("{\"manifest_hash\":\"#\",\"packages\":{\"1\":{},\"1\":{}},\"environments\":{}}")]
    [InlineData("{\"manifest_hash\":\"#\",\"packages\":{},\"packages\":{},\"environments\":{}}")]
    [InlineData("{\"manifest_hash\":\"#\",\"packages\":{},\"environments\":{\"1\":{}}}")]
    [InlineData("{\"manifest_hash\":\"#\",\"packages\":{},\"environments\":{\"1\":[1]}}")]
    [InlineData("{\"manifest_hash\":\"#\",\"packages\":{},\"environments\":{\"1\":[{\"repository_ids\":{}}]}}")]
    [InlineData("{\"manifest_hash\":\"#\",\"packages\":{},\"environments\":{}} {}")]
    [InlineData("{\"manifest_hash\":\"#\",\"packages\":{},\"environments\":{}")]
    [InlineData("{\"manifest_hash\":\"#\",\"packages\":{\"1\":{\"name\":\"\\ud800\"}},\"environments\":{}}")]
    public void Anything_else_is_refused_by_its_id(string text) => Refused(Encoding.UTF8.GetBytes(text.Replace("#", Digest, StringComparison.Ordinal)));

    [Fact]
    public void Depth_length_and_number_have_limits()
    {
        Refused(Encoding.UTF8.GetBytes($"{{\"manifest_hash\":\"{Digest}\",\"x\":{string.Concat(Enumerable.Repeat("[", 5000))}"));
        Refused(Encoding.UTF8.GetBytes($"{{\"manifest_hash\":\"{Digest}\",\"packages\":{{\"1\":{{\"name\":\"{new string('a', 5000)}\"}}}},\"environments\":{{}}}}"));
        using var endless = new EndlessStream();
        Assert.Equal(ErrorIds.IndexReportInvalid, Assert.Throws<FeedException>(() => IndexReport.Read(endless)).ErrorId);
        Assert.InRange(endless.Given, 1, BoundedBytes.Largest + (2 << 20));
    }

    /// <summary>Environments that are alike share their memory; none is ever another package's.</summary>
    [Fact]
    public void Each_package_keeps_its_own_environments()
    {
        static string Environment(string db, string distribution, string repositories) =>
            $"{{\"package_db\":\"{db}\",\"distribution_id\":\"{distribution}\",\"repository_ids\":{repositories}}}";
        (string a, string b, string c) = (Environment("a", "1", "null"), Environment("a", "1", "[\"7\"]"), Environment("b", "", "[\"7\",\"8\"]"));
        string[] lists = [$"[{a}]", $"[{a}]", $"[{a},{c}]", $"[{a},{c}]", $"[{a}]", "[]", $"[{b},{c}]", $"[{b}]", $"[{c},{b}]", $"[{a},{b},{c}]", $"[{a},null,{c}]", $"[{a}]"];
        static IndexReport Of(IEnumerable<string> lists) =>
            Read($"{{\"manifest_hash\":\"{Digest}\",\"packages\":{{}},\"environments\":{{{string.Join(',', lists.Select((l, i) => $"\"{i}\":{l}"))}}}}}");

        IndexReport together = Of(lists);

        for (int i = 0; i < lists.Length; i++)
        {
            Assert.Equivalent(Of([lists[i]]).Environments["0"], together.Environments[$"{i}"], strict: true);
        }
    }

    [Fact]
    public void An_unfinished_report_may_lack_everything()
    {
        IndexReport report = Read($"{{\"manifest_hash\":\"{Digest}\",\"state\":\"ScanLayers\",\"success\":false,\"unknown\":[{{}},1]}}");

        Assert.False(report.IsFinished);
        Assert.Equal("ScanLayers", report.State);
    }

    /// <summary>Of 3,000 damaged reports, each is read or refused by its id: nothing else ever comes out.</summary>
    [Fact]
    public void Damaged_reports_are_read_or_refused()
    {
        byte[][] originals = [.. Fixtures.Select(f => File.ReadAllBytes(CoverageSite.FixturePath((string)f)))];
        var random = new Random(20261125);
        byte[][] tokens = [.. new[] { "null", "{}", "[]", "\"\"", "0", "true", "{", "}", "]", ",", "\"id\":", "\\u0000", "\\ud800", "\u00ff", "-1e999" }.Select(Encoding.UTF8.GetBytes)];
        int read = 0;
        int refused = 0;
        for (int round = 0; round < 3000; round++)
        {
            List<byte> bytes = [.. originals[random.Next(originals.Length)]];
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                int at = random.Next(bytes.Count);
                switch (random.Next(5))
                {
                    case 0:
                        bytes[at] ^= (byte)(1 << random.Next(8));
                        break;
                    case 1:
                        bytes.RemoveRange(at, Math.Min(bytes.Count - at, random.Next(1, 60)));
                        break;
                    case 2:
                        bytes.InsertRange(at, tokens[random.Next(tokens.Length)]);
                        break;
                    case 3:
                        bytes.InsertRange(at, bytes.GetRange(at, Math.Min(bytes.Count - at, random.Next(1, 200))));
                        break;
                    default:
                        bytes.RemoveRange(at, bytes.Count - at);
                        break;
                }

                if (bytes.Count == 0)
                {
                    break;
                }
            }

            try
            {
                IndexReport report = IndexReport.Read(new MemoryStream([.. bytes]));
                Assert.StartsWith("sha", report.ManifestDigest);
                read++;
            }
            catch (FeedException e)
            {
                Assert.Equal(ErrorIds.IndexReportInvalid, e.ErrorId);
                refused++;
            }
        }

        Assert.True(read > 100 && refused > 500, string.Create(CultureInfo.InvariantCulture, $"{read} read, {refused} refused"));
    }

    private static IndexReport Read(string text) => IndexReport.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)));

    private static void Refused(byte[] bytes)
    {
        FeedException e = Assert.Throws<FeedException>(() => IndexReport.Read(new MemoryStream(bytes)));
        Assert.Equal(ErrorIds.IndexReportInvalid, e.ErrorId);
        Assert.NotNull(e.Remedy);
    }

    private sealed class EndlessStream : Stream
    {
        public long Given { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => Given; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            buffer.AsSpan(offset, count).Fill((byte)' ');
            Given += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
