namespace QuayAirGap.Core.Clair;

public sealed partial class ClairClient
{
    /// <summary>What Clair's matcher says of an image now (clair httptransport/matcher_v1.go).</summary>
    /// <param name="manifestDigest">"sha256:…".</param>
    /// <returns>As for <see cref="GetIndexReportAsync"/>.</returns>
    /// <exception cref="FeedException">As for <see cref="GetIndexReportAsync"/>; <see cref="ErrorIds.ClairAnswer"/> also while Clair has no vulnerabilities at all.</exception>
    public Task<Stream?> GetVulnerabilityReportAsync(string manifestDigest, CancellationToken cancellationToken) =>
        ReportAsync("matcher/api/v1/vulnerability_report", manifestDigest, cancellationToken);
}
