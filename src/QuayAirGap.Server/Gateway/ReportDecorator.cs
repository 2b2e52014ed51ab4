using System.Buffers;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using QuayAirGap.Core;
using QuayAirGap.Core.Coverage;
using ZstdSharp;

namespace QuayAirGap.Server.Gateway;

/// <summary>
/// Looks at one report on its way to Quay. It is held until what the index found is there, which comes first, and is judged by that; then it goes on, as it is or with
/// a warning. Whatever goes wrong, Clair's own bytes go on, and somebody is told.
/// </summary>
internal sealed class ReportDecorator(
    IReportJudge judge, ReportWarning warning, GatewayCounter counter, GatewayTroubles troubles, ScanGatewayLimits limits, TimeProvider time)
{
    /// <summary>How much has to arrive before it is worth reading on.</summary>
    private const int Step = 64 * 1024;

    private static readonly string[] s_describingBytes = ["Content-Digest", "Repr-Digest", "Digest", "ETag"];

    private readonly HeldMemory _memory = new(limits.MostHeldTogether);

    /// <summary>Whether all that a request accepts can be undone here.</summary>
    public static bool CanDecode(string coding) => coding is "" or "identity" or "gzip" or "x-gzip" or "deflate" or "zstd";

    /// <summary>Exchanges the answer's body for the same bytes, or for those with a warning.</summary>
    public async Task HandleAsync(HttpResponseMessage response, string target)
    {
        HttpContent content = response.Content;
        HeldBuffer buffer;
        try
        {
            buffer = new HeldBuffer(limits.MostHeld, _memory);
        }
        catch (HoldException e)
        {
            troubles.Tell(e.Failure, target, e.Message);
            return; // streamed as it is
        }

        var reading = new Reading(new HeldBody(await content.ReadAsStreamAsync(), buffer));
        using var patience = new CancellationTokenSource(limits.ArrivalTime, time);
        try
        {
            // As it stands there: a header that was taken apart goes on as several.
            string coding = content.Headers.NonValidated.TryGetValues("Content-Encoding", out HeaderStringValues codings) ? codings.ToString().Trim().ToLowerInvariant() : "";
            await ReadAsync(reading, coding, patience.Token);
            if (!reading.IsDecided)
            {
                // Everything is there, and still not judged: it is small, or another order than Clair's.
                if (response.TrailingHeaders.Contains("Clair-Error"))
                {
                    throw new HoldException(GatewayFailure.Cut, "Clair says in the trailer that it failed");
                }

                RequireShape(reading.Scanner, isWhole: true);
                await JudgeAsync(reading);
            }

            if (reading.Coverage is { Verdict: not CoverageVerdict.Covered } coverage)
            {
                RequireShape(reading.Scanner, isWhole: false);
                Decorate(coverage);
            }
            else
            {
                Replay();
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

        void Replay()
        {
            reading.Decoded?.Dispose();
            response.Content = With(new ReplayStream(reading.Body), content.Headers);
        }

        void Decorate(ImageCoverage coverage)
        {
            IReadOnlyDictionary<int, byte[]> added = warning.For(coverage, IndexPart.Layer(reading.Report.Held.Span, reading.Scanner));

            // Another document, and another one again when the warning changes. A tag that is none goes.
            EntityTagHeaderValue? tag = response.Headers.ETag is { } own
                ? new EntityTagHeaderValue(
                    $"{own.Tag[..^1]}-airgap-{Convert.ToHexStringLower(SHA256.HashData(warning.For(coverage, "")[ReportScanner.Vulnerabilities]))[..16]}\"", own.IsWeak)
                : null;
            var report = new SplicedReport(reading.Report, reading.Scanner, added, (failure, why) => troubles.Tell(failure, target, why), reading.Dispose);
            StreamContent decorated = With(report, content.Headers);
            HttpContentHeaders headers = decorated.Headers;
            headers.ContentEncoding.Clear(); // undone here; every client takes a document without one
            headers.ContentMD5 = null;
            headers.LastModified = null;
            headers.ContentLength = null; // not known before its end; Clair sends none either
            reading.Decoded?.LetGo();
            foreach (string name in s_describingBytes)
            {
                response.Headers.Remove(name);
            }

            response.Headers.ETag = tag;
            response.Content = decorated;
            counter.Decorated(coverage.Verdict);
        }
    }

    /// <summary>As much of the report as it takes to decide, or all of it.</summary>
    private async Task ReadAsync(Reading reading, string coding, CancellationToken patience)
    {
        ReportScanner scanner = reading.Scanner;
        long leftOver = 0;
        try
        {
            if (coding is not ("" or "identity"))
            {
                reading.Decoded = await DecodedBody.OfAsync(reading.Body, coding, limits.MostHeld, _memory, patience);
            }

            while (!reading.IsDecided && await reading.Report.MoreAsync(Step, patience))
            {
                // A text that goes on and on is read from its beginning each time: only when there is twice as much of it as before.
                ReadOnlyMemory<byte> report = reading.Report.Held;
                if (report.Length - scanner.Consumed < Math.Max(Step, 2 * leftOver))
                {
                    continue;
                }

                scanner.Read(report.Span[(int)scanner.Consumed..], isWhole: false);
                leftOver = report.Length - scanner.Consumed;
                if (scanner.HasIndexPart)
                {
                    // What Clair sends meanwhile waits in the system: to read it beside the judge would hold the verdict up where processors are few.
                    await JudgeAsync(reading);
                }
            }

            if (!reading.IsDecided)
            {
                scanner.Read(reading.Report.Held.Span[(int)scanner.Consumed..], isWhole: true);
            }
        }
        catch (Exception e)
        {
            throw e switch
            {
                HoldException => e,
                JsonException => new HoldException(GatewayFailure.Json, $"it is no JSON document: {e.Message}", e),
                OperationCanceledException when patience.IsCancellationRequested => new HoldException(GatewayFailure.Time, "it takes too long to arrive", e),
                _ when reading.Body.Fault is { } fault => new HoldException(GatewayFailure.Cut, fault.Message, e),
                InvalidDataException or IOException or ZstdException => new HoldException(GatewayFailure.Encoding, $"its coding '{coding}' cannot be undone: {e.Message}", e),
                _ => e,
            };
        }
    }

    /// <summary>Judges a report of which the part is there that an index report has too.</summary>
    private async ValueTask JudgeAsync(Reading reading)
    {
        if (IndexPart.HasWarning(reading.Report.Held.Span, reading.Scanner))
        {
            counter.Already();
            reading.IsWarned = true;
            return;
        }

        byte[] part = IndexPart.Of(reading.Report.Held.Span, reading.Scanner, out int length); // a copy: judging may outlast its time
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
        }
    }

    /// <param name="scanner">Has read the report.</param>
    /// <param name="isWhole">Whether to the end: then nothing may be missing.</param>
    private static void RequireShape(ReportScanner scanner, bool isWhole)
    {
        if (scanner.HasDuplicates)
        {
            throw new HoldException(GatewayFailure.Shape, "it has a member twice");
        }

        if (scanner[ReportScanner.ManifestHash].Kind != JsonTokenType.String)
        {
            throw new HoldException(GatewayFailure.Shape, "it has no manifest_hash");
        }

        foreach (int map in ReportScanner.Maps)
        {
            ref readonly ReportMember member = ref scanner[map];
            if ((isWhole || member.WasSeen) && member.Kind is not (JsonTokenType.StartObject or JsonTokenType.Null))
            {
                throw new HoldException(GatewayFailure.Shape, "it is no report of vulnerabilities");
            }
        }
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
}
