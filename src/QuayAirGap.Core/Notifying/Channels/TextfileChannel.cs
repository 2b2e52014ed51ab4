using System.Globalization;
using System.Text;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Notifying.Channels;

/// <summary>
/// A file for the textfile collector. It has times and no ages, so that an alert computes them itself and a file that nobody writes any
/// more turns red; replaced as a whole; no sample has a time stamp of its own, which the collector would refuse.
/// </summary>
internal sealed class TextfileChannel(TextfileSettings settings) : IWarningChannel
{
    public WarningChannel Channel => WarningChannel.Textfile;

    public string Destination => $"'{settings.Path}'";

    public bool IsStanding => true;

    public Task<bool> SendAsync(FeedWarning warning, CancellationToken token)
    {
        try
        {
            Durable.ReplaceFile(settings.Path, Encoding.UTF8.GetBytes(Text(warning)));
            if (!OperatingSystem.IsWindows())
            {
                // The exporter runs as somebody else.
                File.SetUnixFileMode(settings.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            }

            return Task.FromResult(true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WarningErrors.NotSent(this, Site.IsFull(e) ? "there is no space left on its volume" : e.Message, e);
        }
    }

    private static string Text(FeedWarning warning)
    {
        var text = new StringBuilder();
        string site = $"site=\"{Label(warning.Site)}\"";
        void Metric(string name, string help, IEnumerable<(string Labels, double? Value)> samples)
        {
            (string Labels, double? Value)[] known = [.. samples.Where(s => s.Value is not null)];
            if (known.Length > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} gauge\n");
                foreach ((string labels, double? value) in known)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{{{labels}}} {value}\n");
                }
            }
        }

        void Sources(string name, string help, Func<SourceFreshness, double?> value) =>
            Metric(name, help, warning.Sources.Select(s => ($"{site},source=\"{Label(s.Name)}\"", value(s))));

        Metric("quayairgap_evaluated_timestamp_seconds", "When this file was written.", [(site, Seconds(warning.At))]);
        Metric(
            "quayairgap_site_level", "The worst of what is required when this file was written: 0 ok, 1 warning, 2 critical, 3 expired.", [(site, (int)warning.Level)]);
        Sources("quayairgap_source_required", "Whether results without the source are incomplete.", s => s.Required ? 1 : 0);
        Sources("quayairgap_source_level", "As quayairgap_site_level, of a required source.", s => s.Required ? (int)s.Level : null);
        Sources("quayairgap_source_captured_timestamp_seconds", "When the content was last confirmed against its upstream.", s => Seconds(s.CapturedAt));
        Sources("quayairgap_source_upstream_modified_timestamp_seconds", "The newest modification time that the upstream gave.", s => Seconds(s.UpstreamModified));
        Sources("quayairgap_source_published_timestamp_seconds", "When this site last published the content.", s => Seconds(s.PublishedAt));
        Sources("quayairgap_source_ingested_timestamp_seconds", "When Clair was first seen to have all that was served then.", s => Seconds(s.IngestedAt));
        Sources(
            "quayairgap_source_ingested_captured_timestamp_seconds", "When what Clair has was last confirmed against its upstream.", s => Seconds(s.IngestedCapturedAt));
        Sources("quayairgap_source_warn_after_seconds", "The age from which the source is stale.", s => s.WarnAfter.TotalSeconds);
        Sources("quayairgap_source_critical_after_seconds", "The age from which its staleness is critical.", s => s.CriticalAfter.TotalSeconds);
        Sources("quayairgap_source_expire_after_seconds", "The age from which the source must not be relied upon.", s => s.ExpireAfter.TotalSeconds);
        return text.ToString();
    }

    private static double? Seconds(DateTimeOffset? time) => time?.ToUnixTimeSeconds();

    private static string Label(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);
}
