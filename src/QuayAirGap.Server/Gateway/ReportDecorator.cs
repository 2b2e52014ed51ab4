using System.Buffers;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using QuayAirGap.Core;
using QuayAirGap.Core.Coverage;
using ZstdSharp;

namespace QuayAirGap.Server.Gateway;

/// <summary>
/// Looks at one report on its way to Quay. It is judged as soon as its first part is there; when there is nothing to add it is let go at once. Else it is
/// held until all of it is there, since half a document must never get a warning. Whatever goes wrong, Clair's own bytes go on, and somebody is told.
/// </summary>
internal sealed class ReportDecorator(
    IReportJudge judge, ReportWarning warning, WarnedReports warned, GatewayCounter counter, GatewayTroubles troubles, ScanGatewayLimits limits, TimeProvider time)
{
    /// <summary>How much has to arrive before it is worth reading on.</summary>
    private const int Step = 64 * 1024;

    private static readonly string[] s_describingBytes = ["Content-Digest", "Repr-Digest", "Digest", "ETag"];

    private readonly HeldMemory _memory = new(limits.AllReports);

    /// <summary>Whether all that a request accepts can be undone here.</summary>
    public static bool CanDecode(string coding) => coding is "" or "identity" or "gzip" or "x-gzip" or "deflate" or "zstd";

    /// <summary>Exchanges the answer's body for the same bytes, or for those with a warning.</summary>
    public async Task HandleAsync(HttpResponseMessage response, string target)
    {
        HttpContent content = response.Content;
        HeldBuffer buffer;
        try
        {
            buffer = new HeldBuffer(limits.LargestReport, _memory);
        }
        catch (HoldException e)
        {
            troubles.Tell(e.Failure, target, e.Message);
            return; // streamed as it is
        }

        var body = new HeldBody(await content.ReadAsStreamAsync(), buffer);
        var reading = new Reading();
        using var patience = new CancellationTokenSource();
        try
        {
            Task tooLong = Task.Delay(limits.ArrivalTime, time, patience.Token);
            // As it stands there: a header that was taken apart goes on as several.
            string coding = content.Headers.NonValidated.TryGetValues("Content-Encoding", out HeaderStringValues codings) ? codings.ToString().Trim().ToLowerInvariant() : "";
            if (content.Headers.ContentLength > limits.LargestReport)
            {
                throw new HoldException(GatewayFailure.Size, $"it has {content.Headers.ContentLength} bytes");
            }

            await ReadAsync(body, coding, reading, tooLong);
            if (!reading.IsLetGo && (body.Fault is not null || response.TrailingHeaders.Contains("Clair-Error")))
            {
                throw new HoldException(GatewayFailure.Cut, body.Fault?.Message ?? "Clair says in the trailer that it failed");
            }

            if (!reading.IsLetGo)
            {
                RequireShape(reading.Scanner);
                await JudgeAsync(reading.Decoded?.Held ?? body.Held, reading);
            }

            if (reading.IsLetGo)
            {
                warned.Remove(target);
                Replay();
            }
            else
            {
                Decorate(reading.Decoded?.Held ?? body.Held, reading.Scanner, reading.Coverage!);
                warned.Add(target);
            }
        }
        catch (HoldException e)
        {
            troubles.Tell(e.Failure, target, e.Message);
            Replay();
        }
#pragma warning disable CA1031 // whatever it is: a report never gets lost over it
        catch (Exception e)
#pragma warning restore CA1031
        {
            troubles.Tell(GatewayFailure.Judging, target, e.ToString());
            Replay();
        }
        finally
        {
            await patience.CancelAsync();
        }

        void Replay()
        {
            reading.Decoded?.Dispose();
            response.Content = With(new ReplayStream(body, static () => { }), content.Headers);
        }

        void Decorate(ReadOnlyMemory<byte> report, ReportScanner scanner, ImageCoverage coverage)
        {
            IReadOnlyList<ReadOnlyMemory<byte>> pieces = ReportSplice.Insert(report, scanner, warning.For(coverage, scanner.Layer ?? ManifestHash(report, scanner)));
            StreamContent decorated = With(
                new PiecesStream(pieces, () =>
                {
                    body.Dispose();
                    reading.Decoded?.Dispose();
                }),
                content.Headers);
            HttpContentHeaders headers = decorated.Headers;
            headers.ContentEncoding.Clear(); // undone here; every client takes a document without one
            headers.ContentMD5 = null;
            headers.LastModified = null;
            if (content.Headers.ContentLength is not null)
            {
                headers.ContentLength = pieces.Sum(p => (long)p.Length);
            }

            // Another document, and another one again when the warning changes. A tag that is none goes.
            EntityTagHeaderValue? tag = response.Headers.ETag is { } own
                ? new EntityTagHeaderValue($"{own.Tag[..^1]}-airgap-{Convert.ToHexStringLower(SHA256.HashData(warning.For(coverage, "").Vulnerability))[..16]}\"", own.IsWeak)
                : null;
            foreach (string name in s_describingBytes)
            {
                response.Headers.Remove(name);
            }

            response.Headers.ETag = tag;
            response.Content = decorated;
            counter.Decorated(coverage.Verdict);
        }
    }

    /// <summary>All of the report, or as much as it takes to know that there is nothing to add.</summary>
    private async Task ReadAsync(HeldBody body, string coding, Reading reading, Task tooLong)
    {
        ReportScanner scanner = reading.Scanner;
        long leftOver = 0;
        try
        {
            if (coding is "" or "identity")
            {
                while (!reading.IsLetGo && await body.MoreAsync(tooLong))
                {
                    await ReadOnAsync(body.Held);
                }
            }
            else
            {
                await using Stream decoder = await DecoderAsync(body, coding, tooLong);
                HeldBuffer decoded = reading.Decoded = new HeldBuffer(limits.LargestReport, _memory);
                while (!reading.IsLetGo && await decoder.ReadAsync(decoded.Room()) is > 0 and int n)
                {
                    decoded.Add(n);
                    await ReadOnAsync(decoded.Held);
                }

                while (!reading.IsLetGo && await body.MoreAsync(tooLong))
                {
                    // What follows the coding's end belongs to the answer all the same.
                }
            }

            if (body.Fault is null && !reading.IsLetGo)
            {
                scanner.Read((reading.Decoded?.Held ?? body.Held).Span, isWhole: true);
            }
        }
        catch (Exception e)
        {
            throw e switch
            {
                HoldException => e,
                JsonException => new HoldException(GatewayFailure.Json, $"it is no JSON document: {e.Message}", e),
                _ when body.Fault is not null => new HoldException(GatewayFailure.Cut, body.Fault.Message, e),
                InvalidDataException or IOException or ZstdException => new HoldException(GatewayFailure.Encoding, $"its coding '{coding}' cannot be undone: {e.Message}", e),
                _ => e,
            };
        }

        async ValueTask ReadOnAsync(ReadOnlyMemory<byte> report)
        {
            // A text that goes on and on is read from its beginning each time: only when there is twice as much of it as before.
            if (report.Length - scanner.Consumed < Math.Max(Step, 2 * leftOver))
            {
                return;
            }

            scanner.Read(report.Span, isWhole: false);
            leftOver = report.Length - scanner.Consumed;
            if (scanner.HasIndexPart && reading.Coverage is null)
            {
                // What Clair sends meanwhile waits in the system: to read it beside the judge would hold the verdict up where processors are few.
                await JudgeAsync(report, reading);
            }
        }
    }

    private static async ValueTask<Stream> DecoderAsync(HeldBody body, string coding, Task tooLong)
    {
        var arriving = new ArrivingStream(body, tooLong);
        switch (coding)
        {
            case "gzip" or "x-gzip":
                return new GZipStream(arriving, CompressionMode.Decompress);
            case "zstd":
                return new DecompressionStream(arriving);
            case "deflate":
                while (body.Length < 2 && await body.MoreAsync(tooLong))
                {
                    // The first two bytes tell.
                }

                // Clair means the bare format by it (clair middleware/compress), everybody else the one with a head (RFC 9110, 8.4.1.2).
                ReadOnlySpan<byte> head = body.Held.Span;
                return head.Length >= 2 && (head[0] & 15) == 8 && ((head[0] << 8) | head[1]) % 31 == 0
                    ? new ZLibStream(arriving, CompressionMode.Decompress)
                    : new DeflateStream(arriving, CompressionMode.Decompress);
            default:
                throw new HoldException(GatewayFailure.Encoding, $"its coding '{coding}' is not known");
        }
    }

    /// <summary>Judges a report of which the part is there that an index report has too, if it was not judged yet.</summary>
    private async ValueTask JudgeAsync(ReadOnlyMemory<byte> report, Reading reading)
    {
        if (reading.Coverage is not null)
        {
            return;
        }

        if (reading.Scanner.HasWarning)
        {
            counter.Already();
            reading.IsLetGo = true;
            return;
        }

        byte[] part = ReportSplice.IndexPart(report.Span, reading.Scanner, out int length); // a copy: judging may outlast its time
        Task<ImageCoverage> judging = Task.Run(() =>
        {
            try
            {
                long start = time.GetTimestamp();
                ImageCoverage coverage = judge.Judge(part.AsMemory(0, length));
                counter.Judged(time.GetElapsedTime(start));
                return coverage;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(part);
            }
        });
        try
        {
            reading.Coverage = await judging.WaitAsync(limits.JudgingTime, time);
        }
        catch (TimeoutException e)
        {
            throw new HoldException(GatewayFailure.Time, $"it could not be judged within {limits.JudgingTime.TotalSeconds:0.#} seconds", e);
        }
#pragma warning disable CA1031 // whatever it is: a report never gets lost over it
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw new HoldException(GatewayFailure.Judging, e is FeedException ? e.Message : $"it could not be judged: {e}", e);
        }

        if (reading.Coverage.Verdict == CoverageVerdict.Covered)
        {
            counter.Unchanged();
            reading.IsLetGo = true;
        }
    }

    private static void RequireShape(ReportScanner scanner)
    {
        if (scanner.HasDuplicates)
        {
            throw new HoldException(GatewayFailure.Shape, "it has a member twice");
        }

        if (scanner[ReportScanner.ManifestHash].Kind != JsonTokenType.String)
        {
            throw new HoldException(GatewayFailure.Shape, "it has no manifest_hash");
        }

        foreach (int member in new[] { ReportScanner.Packages, ReportScanner.Environments, ReportScanner.Vulnerabilities, ReportScanner.PackageVulnerabilities })
        {
            if (scanner[member].Kind is not (JsonTokenType.StartObject or JsonTokenType.EndObject or JsonTokenType.Null))
            {
                throw new HoldException(GatewayFailure.Shape, "it is no report of vulnerabilities");
            }
        }
    }

    private static string ManifestHash(ReadOnlyMemory<byte> report, ReportScanner scanner)
    {
        ReportMember hash = scanner[ReportScanner.ManifestHash];
        var reader = new Utf8JsonReader(report.Span[(int)hash.Start..(int)hash.End]);
        reader.Read();
        return reader.GetString()!;
    }

    private static StreamContent With(Stream stream, HttpContentHeaders headers)
    {
        var content = new StreamContent(stream, 128 * 1024);
        foreach ((string name, HeaderStringValues values) in headers.NonValidated)
        {
            content.Headers.TryAddWithoutValidation(name, values);
        }

        return content;
    }

    /// <summary>How far one report has come.</summary>
    private sealed class Reading
    {
        public ReportScanner Scanner { get; } = new(ReportWarning.Id);

        /// <summary>The report without its content coding; null where it has none.</summary>
        public HeldBuffer? Decoded { get; set; }

        /// <summary>Null until it is judged.</summary>
        public ImageCoverage? Coverage { get; set; }

        /// <summary>There is nothing to add, which is mostly found before the end: what follows changes nothing, and is read no more.</summary>
        public bool IsLetGo { get; set; }
    }
}
