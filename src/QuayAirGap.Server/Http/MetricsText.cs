using System.Globalization;
using System.Reflection;
using System.Text;
using QuayAirGap.Core;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Server.Contents;
using QuayAirGap.Server.Gateway;
using QuayAirGap.Server.Listening;
using QuayAirGap.Server.Upstream;

namespace QuayAirGap.Server.Http;

/// <summary>
/// Everything in Prometheus' text format, version 0.0.4. Times are seconds since 1970, never ages: an age that is no longer scraped stands
/// still, a time does not. A time that is not known has no line.
/// </summary>
internal sealed class MetricsText(
    IMirrorContent content, Site? site, RequestCounter requests, Refusals refusals, IReadOnlyList<(string Use, ServerCertificate Certificate)> certificates,
    GatewayCounter? gateway, TimeProvider time)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly string s_version = typeof(MetricsText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    private readonly DateTimeOffset _started = time.GetUtcNow();

    public string Write()
    {
        var text = new StringBuilder();
        Head(text, "quayairgap_build_info", "gauge", "Always 1.");
        Line(text, "quayairgap_build_info", $"version=\"{Escape(s_version)}\"", 1);
        One(text, "quayairgap_start_timestamp_seconds", "When the mirror started.", _started.ToUnixTimeSeconds());
        Generation? generation = content.Published;
        if (generation is not null)
        {
            One(text, "quayairgap_generation", "The number of the generation that is served.", generation.Number);
            One(text, "quayairgap_generation_sequence", "The sequence of the snapshot that it publishes.", generation.Sequence);
            One(text, "quayairgap_generation_published_timestamp_seconds", "When it was published.", generation.PublishedAt.ToUnixTimeSeconds());
        }

        if (site is not null)
        {
            WriteSources(text, site, generation);
        }

        WriteRequests(text);
        Head(text, "quayairgap_refused_total", "counter", "What was asked for at the doors for the feeds' own hosts and refused.");
        foreach (RefusalReason reason in Enum.GetValues<RefusalReason>())
        {
            Line(text, "quayairgap_refused_total", $"reason=\"{reason.ToString().ToLowerInvariant()}\"", refusals.CountOf(reason));
        }

        Head(text, "quayairgap_tls_certificate_not_after_timestamp_seconds", "gauge", "When a server certificate in use ends.");
        foreach ((string use, ServerCertificate certificate) in certificates)
        {
            Line(text, "quayairgap_tls_certificate_not_after_timestamp_seconds", $"use=\"{use}\"", certificate.NotAfter.ToUnixTimeSeconds());
        }

        if (gateway is not null)
        {
            WriteGateway(text, gateway);
        }

        return text.ToString();
    }

    private static void WriteGateway(StringBuilder text, GatewayCounter gateway)
    {
        Head(text, "quayairgap_scan_gateway_requests_total", "counter", "Requests between Quay and Clair that were answered, reports or not.");
        foreach ((int status, long count) in gateway.Answers())
        {
            Line(text, "quayairgap_scan_gateway_requests_total", $"status=\"{status.ToString(CultureInfo.InvariantCulture)}\"", count);
        }

        Head(text, "quayairgap_scan_gateway_reports_total", "counter", "Reports that were judged, by verdict. All but covered got a warning.");
        Line(text, "quayairgap_scan_gateway_reports_total", "verdict=\"covered\"", gateway.UnchangedCount);
        foreach (CoverageVerdict verdict in Enum.GetValues<CoverageVerdict>().Where(v => v != CoverageVerdict.Covered))
        {
            Line(text, "quayairgap_scan_gateway_reports_total", $"verdict=\"{verdict.ToString().ToLowerInvariant()}\"", gateway.CountOf(verdict));
        }

        One(text, "quayairgap_scan_gateway_already_warned_total", "Reports that another gateway had been at.", gateway.AlreadyCount, "counter");
        Head(text, "quayairgap_scan_gateway_failures_total", "counter", "Reports that went through unjudged, or without all of their warning: they may look cleaner than they are.");
        foreach (GatewayFailure failure in Enum.GetValues<GatewayFailure>())
        {
            Line(text, "quayairgap_scan_gateway_failures_total", $"reason=\"{failure.ToString().ToLowerInvariant()}\"", gateway.CountOf(failure));
        }

        (long judged, TimeSpan sum) = gateway.Judging;
        Head(text, "quayairgap_scan_gateway_judging_seconds", "summary", "How long judging a report took.");
        text.Append(CultureInfo.InvariantCulture, $"quayairgap_scan_gateway_judging_seconds_sum {sum.TotalSeconds:0.######}\nquayairgap_scan_gateway_judging_seconds_count {judged}\n");
    }

    private void WriteSources(StringBuilder text, Site site, Generation? generation)
    {
        IReadOnlyList<SourceFreshness> sources;
        try
        {
            sources = SiteFreshness.Of(site, SiteSettings.Load(site), generation, time);
        }
        catch (FeedException)
        {
            // No line says "fresh" when the thresholds cannot be read; whoever watches sees the lines vanish and this one.
            One(text, "quayairgap_settings_readable", "Whether sources.yaml could be read.", 0);
            return;
        }

        One(text, "quayairgap_settings_readable", "Whether sources.yaml could be read.", 1);
        Head(text, "quayairgap_source_state", "gauge", "1 for the one state that a source is in.");
        foreach (SourceFreshness source in sources)
        {
            foreach (FeedState state in Enum.GetValues<FeedState>())
            {
                Line(text, "quayairgap_source_state", $"{Of(source)},state=\"{state.ToString().ToLowerInvariant()}\"", source.State == state ? 1 : 0);
            }
        }

        Head(text, "quayairgap_source_required", "gauge", "Whether results without the source are incomplete.");
        foreach (SourceFreshness source in sources)
        {
            Line(text, "quayairgap_source_required", Of(source), source.Required ? 1 : 0);
        }

        Times(text, sources, "quayairgap_source_captured_timestamp_seconds", "When the content was last confirmed against its upstream.", s => s.CapturedAt);
        Times(text, sources, "quayairgap_source_upstream_modified_timestamp_seconds", "The newest modification time that the upstream gave.", s => s.UpstreamModified);
        Times(text, sources, "quayairgap_source_published_timestamp_seconds", "When this site last published it.", s => s.PublishedAt);
        Times(text, sources, "quayairgap_source_ingested_timestamp_seconds", "When Clair was first seen to have all that was served then.", s => s.IngestedAt);
        Times(text, sources, "quayairgap_source_ingested_captured_timestamp_seconds", "When what Clair has was last confirmed against its upstream.", s => s.IngestedCapturedAt);
        Times(text, sources, "quayairgap_source_expires_timestamp_seconds", "When its results must not be relied upon any more.", s => s.CapturedAt + s.ExpireAfter);
    }

    private void WriteRequests(StringBuilder text)
    {
        (string Labels, long Requests, long Bytes)[] counts =
            [.. requests.All().Select(c => ($"door=\"{c.Door}\",source=\"{Escape(c.Source)}\",status=\"{c.Status.ToString(CultureInfo.InvariantCulture)}\"", c.Requests, c.Bytes))];
        Head(text, "quayairgap_requests_total", "counter", "Requests that were answered.");
        foreach ((string labels, long count, _) in counts)
        {
            Line(text, "quayairgap_requests_total", labels, count);
        }

        Head(text, "quayairgap_response_bytes_total", "counter", "Bytes of the bodies that were sent.");
        foreach ((string labels, _, long bytes) in counts)
        {
            Line(text, "quayairgap_response_bytes_total", labels, bytes);
        }
    }

    private static void Times(StringBuilder text, IReadOnlyList<SourceFreshness> sources, string name, string help, Func<SourceFreshness, DateTimeOffset?> timeOf)
    {
        Head(text, name, "gauge", help);
        foreach (SourceFreshness source in sources)
        {
            if (timeOf(source) is { } known)
            {
                Line(text, name, Of(source), known.ToUnixTimeSeconds());
            }
        }
    }

    private static string Of(SourceFreshness source) => $"source=\"{Escape(source.Name)}\"";

    private static void One(StringBuilder text, string name, string help, long value, string type = "gauge")
    {
        Head(text, name, type, help);
        text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");
    }

    private static void Head(StringBuilder text, string name, string type, string help) => text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    private static void Line(StringBuilder text, string name, string labels, long value) =>
        text.Append(CultureInfo.InvariantCulture, $"{name}{{{labels}}} {value}\n");

    private static string Escape(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
