using System.Management.Automation;
using QuayAirGap.Core;

namespace QuayAirGap.Commands;

/// <summary>The one place that makes ErrorRecords: id, category, target and what to do come from the exception.</summary>
internal static class ErrorRecordFactory
{
    public static ErrorRecord Create(Exception exception)
    {
        if (exception is not FeedException feed)
        {
            return new ErrorRecord(exception, ErrorIds.Unexpected, ErrorCategory.NotSpecified, null);
        }

        return new ErrorRecord(feed, feed.ErrorId, CategoryOf(feed.ErrorId), feed.Target)
        {
            // PowerShell shows what is recommended, and not the id to look it up by.
            ErrorDetails = new ErrorDetails(feed.Message) { RecommendedAction = $"{feed.Remedy} [{feed.ErrorId}]".TrimStart() },
        };
    }

    /// <summary>Whether an error makes the other inputs of the command pointless too.</summary>
    public static bool ConcernsEverything(string errorId) => errorId switch
    {
        ErrorIds.SiteNotFound or ErrorIds.SiteNotWritable or ErrorIds.SiteBusy or ErrorIds.SiteDamaged or ErrorIds.SiteVersion or ErrorIds.SettingsInvalid or
            ErrorIds.DiskFull or ErrorIds.TrustEmpty or ErrorIds.TrustInvalid or ErrorIds.TrustThumbprintInvalid or ErrorIds.TrustEstablished or ErrorIds.LedgerDamaged or ErrorIds.NothingCollected or
            ErrorIds.PublicationFailed or ErrorIds.JobRunning or ErrorIds.DropFolderInvalid => true,
        _ => errorId.StartsWith("Signer", StringComparison.Ordinal),
    };

    public static ErrorCategory CategoryOf(string errorId) => errorId switch
    {
        ErrorIds.SiteNotFound or ErrorIds.SourceUnknown or ErrorIds.SourcePartUnknown or ErrorIds.BlobMissing or ErrorIds.SignerNotFound or ErrorIds.TrustNotFound or
            ErrorIds.BundleNotFound or ErrorIds.BundleVolumeMissing or ErrorIds.GenerationNotFound or ErrorIds.IndexReportNotFound or ErrorIds.ScanReportEmpty or
            ErrorIds.ScheduleNotFound or ErrorIds.ClairConfigNotFound or ErrorIds.RegistryNotFound => ErrorCategory.ObjectNotFound,
        ErrorIds.SiteNotWritable => ErrorCategory.PermissionDenied,
        ErrorIds.SiteBusy or ErrorIds.JobRunning => ErrorCategory.ResourceBusy,
        ErrorIds.DropFolderInvalid or ErrorIds.ScheduleInvalid => ErrorCategory.InvalidArgument,
        ErrorIds.ScheduleForeign => ErrorCategory.ResourceExists,
        ErrorIds.DiskFull or ErrorIds.PublicationFailed => ErrorCategory.WriteError,
        ErrorIds.SignerExists or ErrorIds.SignatureExists => ErrorCategory.ResourceExists,
        ErrorIds.SignerPassword or ErrorIds.RegistryDenied or ErrorIds.WarningRefused => ErrorCategory.AuthenticationError,
        ErrorIds.RegistryReference => ErrorCategory.InvalidArgument,
        ErrorIds.RegistryContent or ErrorIds.RegistryAuthFile => ErrorCategory.InvalidData,
        ErrorIds.RegistryStatus => ErrorCategory.ProtocolError,
        ErrorIds.SourceFailed or ErrorIds.NothingCollected or ErrorIds.NeedNotMet or ErrorIds.NeedIncomplete => ErrorCategory.ReadError,
        ErrorIds.UpstreamStalled => ErrorCategory.OperationTimeout,
        ErrorIds.UpstreamUnreachable or ErrorIds.RegistryUnreachable or ErrorIds.WarningNotSent => ErrorCategory.ConnectionError,
        ErrorIds.DestinationInvalid or ErrorIds.ScanReportNowhere or ErrorIds.VolumeSizeInvalid or ErrorIds.SourceIsWhole or ErrorIds.ClairModeIncomplete or
            ErrorIds.ManifestDigestInvalid => ErrorCategory.InvalidArgument,
        ErrorIds.ClairUnauthorized or ErrorIds.QuayDenied => ErrorCategory.AuthenticationError,
        ErrorIds.ClairAnswer or ErrorIds.QuayAnswer => ErrorCategory.ProtocolError,
        ErrorIds.QuayNotFound => ErrorCategory.ObjectNotFound,
        ErrorIds.QuayReadOnly => ErrorCategory.ResourceUnavailable,
        ErrorIds.MirrorServesNothing => ErrorCategory.ResourceUnavailable,
        ErrorIds.ClairConfigConflict => ErrorCategory.ResourceExists,
        ErrorIds.WarningUnencrypted => ErrorCategory.SecurityError,
        ErrorIds.WarningNotConfigured or ErrorIds.WarningSecret => ErrorCategory.InvalidArgument,
        ErrorIds.MirrorNotStarted or ErrorIds.SchedulerFailed => ErrorCategory.ResourceUnavailable,
        ErrorIds.BundleInvalid or ErrorIds.BundleVolumeInvalid or ErrorIds.BundleVolumeTruncated or ErrorIds.BundleTruncated or ErrorIds.BundleVersion or
            ErrorIds.SiteVersion or ErrorIds.TrustDocumentVersion or ErrorIds.SettingsInvalid or ErrorIds.NetworkFileInvalid or
            ErrorIds.ClairConfigInvalid or ErrorIds.IndexReportInvalid or ErrorIds.ScanReportInvalid or ErrorIds.NeedFileInvalid => ErrorCategory.InvalidData,
        ErrorIds.Unexpected => ErrorCategory.NotSpecified,
        _ when errorId.StartsWith("Bundle", StringComparison.Ordinal) || errorId.StartsWith("Signer", StringComparison.Ordinal) ||
            errorId.StartsWith("Trust", StringComparison.Ordinal) => ErrorCategory.SecurityError,
        _ when errorId.StartsWith("Upstream", StringComparison.Ordinal) => ErrorCategory.ProtocolError,
        _ when errorId.EndsWith("Damaged", StringComparison.Ordinal) => ErrorCategory.InvalidData,
        _ => ErrorCategory.InvalidOperation,
    };
}
