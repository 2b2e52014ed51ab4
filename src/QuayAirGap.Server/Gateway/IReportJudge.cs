using QuayAirGap.Core.Coverage;

namespace QuayAirGap.Server.Gateway;

/// <summary>Says what the feeds can say of an image.</summary>
internal interface IReportJudge
{
    /// <param name="report">
    /// Of a report of vulnerabilities, the members that an index report has too: manifest_hash, packages, distributions, repository, environments.
    /// It is the judge's while it judges, and no longer.
    /// </param>
    /// <exception cref="Core.FeedException">The report, or the site, cannot be read.</exception>
    ImageCoverage Judge(ReadOnlyMemory<byte> report);
}
