using System.IO.Compression;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Server.Gateway;
using Xunit;
using ZstdSharp;

namespace QuayAirGap.Server.Tests.Gateway;

/// <summary>A gateway in front of a server that a test scripts, with a judge that the test is.</summary>
internal sealed class GatewayRig : IReportJudge, IAsyncDisposable
{
    public const string ReportPath = "/matcher/api/v1/vulnerability_report/sha256:00000000000000000000000000000000000000000000000000000000000000aa";

    private readonly TestSite _site;

    private GatewayRig(TestSite site, ScriptedClair clair)
    {
        _site = site;
        Clair = clair;
    }

    public ScriptedClair Clair { get; }

    public Mirror Mirror { get; private set; } = null!;

    public TestMirror.RecordedLog Log { get; } = new();

    public Uri Address => new(Mirror.ScanGatewayUrls[0]);

    public Func<byte[], ImageCoverage> Verdict { get; set; } = _ => Covered;

    /// <summary>What the judge was given.</summary>
    public List<byte[]> Judged { get; } = [];

    public static ImageCoverage Covered { get; } = Coverage(CoverageVerdict.Covered);

    public static ImageCoverage Stale { get; } = Coverage(CoverageVerdict.Stale, new CoverageGap
    {
        Verdict = CoverageVerdict.Stale,
        Code = "FEED-STALE",
        Source = "rhel-vex",
        Subject = "Red Hat Enterprise Linux 9",
        Message = "The feed was last confirmed 16 days ago: vulnerabilities since then are not found",
        Remedy = "Have a bundle of today imported. \"Quotes\" and <tags> & a snowman ☃ come through.",
        Age = TimeSpan.FromDays(16.4),
    });

    public static async Task<GatewayRig> StartAsync(
        Func<string, Socket, Task> answer, ScanGatewayLimits? limits = null, Func<ScanGatewayOptions, ScanGatewayOptions>? change = null, Func<MirrorOptions, MirrorOptions>? changeMirror = null)
    {
        var rig = new GatewayRig(new TestSite(), new ScriptedClair(answer));
        var gateway = new ScanGatewayOptions { Clair = rig.Clair.Uri, Urls = ["http://127.0.0.1:0"], Limits = limits ?? new ScanGatewayLimits { ArrivalTime = TimeSpan.FromSeconds(20), JudgingTime = TimeSpan.FromSeconds(20) } };
        var options = new MirrorOptions { Site = rig._site.Site, Urls = ["http://127.0.0.1:0"], Log = rig.Log, ReportJudge = rig, ScanGateway = change?.Invoke(gateway) ?? gateway };
        rig.Mirror = await Mirror.StartAsync(changeMirror?.Invoke(options) ?? options, TestContext.Current.CancellationToken);
        return rig;
    }

    public ImageCoverage Judge(ReadOnlyMemory<byte> part)
    {
        byte[] report = part.ToArray();
        lock (Judged)
        {
            Judged.Add(report);
        }

        return Verdict(report);
    }

    public Task<RawAnswer> AskAsync(string request) => RawAnswer.OfAsync(Address, request, TestContext.Current.CancellationToken);

    public Task<RawAnswer> AskDirectlyAsync(string request) => RawAnswer.OfAsync(Clair.Uri, request, TestContext.Current.CancellationToken);

    /// <summary>The report as a client reads it that sees its beginning before Clair may send the rest.</summary>
    /// <param name="goOn">Lets Clair send it.</param>
    public async Task<byte[]> ReadAroundAsync(Action goOn, CancellationToken token)
    {
        using HttpClient client = TestMirror.NewClient(Address);
        using HttpResponseMessage response = await client.GetAsync(ReportPath, HttpCompletionOption.ResponseHeadersRead, token);
        Stream body = await response.Content.ReadAsStreamAsync(token);
        byte[] first = new byte[1000];
        await body.ReadExactlyAsync(first, token);
        goOn();
        using var rest = new MemoryStream();
        await body.CopyToAsync(rest, token);
        return [.. first, .. rest.ToArray()];
    }

    public async Task<string> MetricsAsync()
    {
        using HttpClient client = TestMirror.NewClient(new Uri(Mirror.Urls[0]));
        return await client.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Mirror.DisposeAsync();
        await Clair.DisposeAsync();
        _site.Dispose();
    }

    public static string Get(string path, params string[] headers) => $"GET {path} HTTP/1.1\r\nHost: clair.example\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n";

    /// <summary>An answer with Content-Length, or in chunks with Clair's trailer.</summary>
    public static byte[] Answer(byte[] body, bool chunked = true, string coding = "", string more = "", string trailer = "", int chunk = 4096)
    {
        byte[] coded = Encode(body, coding);
        using var bytes = new MemoryStream();
        Write($"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.clair.index_report.v1+json\r\nCache-Control: max-age=10\r\nDate: Wed, 25 Nov 2026 19:00:00 GMT\r\n{more}");
        if (coding.Length > 0)
        {
            Write($"Content-Encoding: {(coding == "zlib" ? "deflate" : coding)}\r\n");
        }

        if (!chunked)
        {
            Write($"Content-Length: {coded.Length}\r\n\r\n");
            bytes.Write(coded);
            return bytes.ToArray();
        }

        Write("Trailer: Clair-Error\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int at = 0; at < coded.Length; at += chunk)
        {
            int n = Math.Min(chunk, coded.Length - at);
            Write($"{n:x}\r\n");
            bytes.Write(coded, at, n);
            Write("\r\n");
        }

        Write($"0\r\n{trailer}\r\n");
        return bytes.ToArray();

        void Write(string text) => bytes.Write(Encoding.Latin1.GetBytes(text));
    }

    public static byte[] Encode(byte[] body, string coding)
    {
        using var coded = new MemoryStream();
        using (Stream? encoder = coding switch
        {
            "gzip" => new GZipStream(coded, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new DeflateStream(coded, CompressionLevel.Fastest, leaveOpen: true),
            "zlib" => new ZLibStream(coded, CompressionLevel.Fastest, leaveOpen: true),
            "zstd" => new CompressionStream(coded, 3, leaveOpen: true),
            _ => null,
        })
        {
            if (encoder is null)
            {
                return body;
            }

            encoder.Write(body);
        }

        return coded.ToArray();
    }

    /// <param name="body">An answer's.</param>
    /// <param name="coding">As for <see cref="Encode"/>.</param>
    /// <param name="asFarAsItGoes">What is damaged ends there.</param>
    public static byte[] Decode(byte[] body, string coding, bool asFarAsItGoes = false)
    {
        using var source = new MemoryStream(body);
        using Stream? decoder = coding switch
        {
            "gzip" => new GZipStream(source, CompressionMode.Decompress),
            "deflate" => new DeflateStream(source, CompressionMode.Decompress),
            "zlib" => new ZLibStream(source, CompressionMode.Decompress),
            "zstd" => new DecompressionStream(source),
            _ => null,
        };
        if (decoder is null)
        {
            return body;
        }

        using var decoded = new MemoryStream();
        try
        {
            byte[] buffer = new byte[1];
            while (decoder.Read(buffer) > 0)
            {
                decoded.WriteByte(buffer[0]);
            }
        }
        catch (Exception e) when (asFarAsItGoes && e is InvalidDataException or IOException or ZstdException)
        {
        }

        return decoded.ToArray();
    }

    /// <summary>The report without what the gateway adds; null where it is not exactly that.</summary>
    /// <param name="partly">Whether some of it may be missing.</param>
    public static byte[]? Undecorated(byte[] report, ImageCoverage coverage, string? contact = null, Uri? link = null, bool partly = false)
    {
        // Latin-1: every byte is a character, also where a fuzzed report is no UTF-8. What is added is ASCII.
        string text = Encoding.Latin1.GetString(report);
        string before = $"\"{ReportWarning.Id}\":[{{\"package_db\":\"\",\"introduced_in\":";
        int at = text.IndexOf(before, StringComparison.Ordinal) + before.Length;
        string layer = at < before.Length ? "" : JsonSerializer.Deserialize<string>(text[at..text.IndexOf(",\"distribution_id\"", at, StringComparison.Ordinal)])!;
        foreach (string added in new ReportWarning(contact, link).For(coverage, layer).Values.Select(Encoding.Latin1.GetString))
        {
            int found = text.IndexOf(added + "}", StringComparison.Ordinal);
            if (found < 0 && partly)
            {
                continue;
            }

            if (found < 0 || text.IndexOf(added + "}", found + 1, StringComparison.Ordinal) >= 0)
            {
                return null;
            }

            text = text[..(text[found - 1] == ',' ? found - 1 : found)] + text[(found + added.Length)..];
        }

        return Encoding.Latin1.GetBytes(text);
    }

    private static ImageCoverage Coverage(CoverageVerdict verdict, params CoverageGap[] gaps) => new()
    {
        ManifestDigest = "sha256:00",
        Verdict = verdict,
        Gaps = gaps,
        PackageCount = 10,
        EvaluatedAt = DateTimeOffset.UnixEpoch,
        Summary = $"{verdict}: rhel-vex is 16 days old (10 of 10 packages judged from it)",
    };
}
