namespace QuayAirGap.Core;

/// <summary>Every error id of the product. An id is never renamed and never used for another meaning.</summary>
public static class ErrorIds
{
    // site and settings
    public const string SiteNotFound = nameof(SiteNotFound);
    public const string SiteNotWritable = nameof(SiteNotWritable);
    public const string SiteBusy = nameof(SiteBusy);
    public const string SiteDamaged = nameof(SiteDamaged);
    public const string SiteVersion = nameof(SiteVersion);
    public const string SettingsInvalid = nameof(SettingsInvalid);
    public const string NetworkFileInvalid = nameof(NetworkFileInvalid);
    public const string DiskFull = nameof(DiskFull);
    public const string JobRunning = nameof(JobRunning);
    public const string DropFolderInvalid = nameof(DropFolderInvalid);
    public const string ScheduleInvalid = nameof(ScheduleInvalid);
    public const string ScheduleForeign = nameof(ScheduleForeign);
    public const string ScheduleNotFound = nameof(ScheduleNotFound);
    public const string SchedulerFailed = nameof(SchedulerFailed);

    // sources and collecting
    public const string SourceUnknown = nameof(SourceUnknown);
    public const string SourceIsWhole = nameof(SourceIsWhole);
    public const string SourcePartUnknown = nameof(SourcePartUnknown);
    public const string SelectionEmpty = nameof(SelectionEmpty);
    public const string SourceFailed = nameof(SourceFailed);
    public const string NothingCollected = nameof(NothingCollected);
    public const string UpstreamUnreachable = nameof(UpstreamUnreachable);
    public const string UpstreamStatus = nameof(UpstreamStatus);
    public const string UpstreamIncomplete = nameof(UpstreamIncomplete);
    public const string UpstreamStalled = nameof(UpstreamStalled);
    public const string UpstreamTooLarge = nameof(UpstreamTooLarge);
    public const string UpstreamChanged = nameof(UpstreamChanged);
    public const string UpstreamRegressed = nameof(UpstreamRegressed);
    public const string UpstreamContent = nameof(UpstreamContent);

    // store
    public const string BlobMissing = nameof(BlobMissing);
    public const string BlobDamaged = nameof(BlobDamaged);

    // signing and trust
    public const string SignerNotFound = nameof(SignerNotFound);
    public const string SignerPassword = nameof(SignerPassword);
    public const string SignerNoPrivateKey = nameof(SignerNoPrivateKey);
    public const string SignerWeak = nameof(SignerWeak);
    public const string SignerInvalid = nameof(SignerInvalid);
    public const string SignerExists = nameof(SignerExists);
    public const string TrustInvalid = nameof(TrustInvalid);
    public const string TrustNotFound = nameof(TrustNotFound);
    public const string TrustEmpty = nameof(TrustEmpty);
    public const string TrustDocumentInvalid = nameof(TrustDocumentInvalid);
    public const string TrustDocumentVersion = nameof(TrustDocumentVersion);
    public const string TrustDocumentOld = nameof(TrustDocumentOld);
    public const string TrustRootUnknown = nameof(TrustRootUnknown);
    public const string TrustThumbprintInvalid = nameof(TrustThumbprintInvalid);
    public const string TrustThumbprintDiffers = nameof(TrustThumbprintDiffers);
    public const string TrustEstablished = nameof(TrustEstablished);
    public const string SignatureExists = nameof(SignatureExists);

    // bundles
    public const string BundleNotFound = nameof(BundleNotFound);
    public const string BundleInvalid = nameof(BundleInvalid);
    public const string BundleTruncated = nameof(BundleTruncated);
    public const string BundleAltered = nameof(BundleAltered);
    public const string BundleExtraContent = nameof(BundleExtraContent);
    public const string BundleMissingContent = nameof(BundleMissingContent);
    public const string BundleDuplicate = nameof(BundleDuplicate);
    public const string BundleLink = nameof(BundleLink);
    public const string BundlePathEscape = nameof(BundlePathEscape);
    public const string BundleLimit = nameof(BundleLimit);
    public const string BundleUnsigned = nameof(BundleUnsigned);
    public const string BundleSignatureInvalid = nameof(BundleSignatureInvalid);
    public const string BundleSignerUnknown = nameof(BundleSignerUnknown);
    public const string BundleSignerRevoked = nameof(BundleSignerRevoked);
    public const string BundleSignerExpired = nameof(BundleSignerExpired);
    public const string BundleSignatureWeak = nameof(BundleSignatureWeak);
    public const string BundleTooFewSigners = nameof(BundleTooFewSigners);
    public const string BundleSignerRepeated = nameof(BundleSignerRepeated);
    public const string BundleSequence = nameof(BundleSequence);
    public const string BundleSequenceJump = nameof(BundleSequenceJump);
    public const string BundleExpired = nameof(BundleExpired);
    public const string BundleFromFuture = nameof(BundleFromFuture);
    public const string BundleTrustInvalid = nameof(BundleTrustInvalid);
    public const string BundleStream = nameof(BundleStream);
    public const string BundleBase = nameof(BundleBase);
    public const string BundleRecipe = nameof(BundleRecipe);
    public const string BundleVersion = nameof(BundleVersion);
    public const string BundleVolumeInvalid = nameof(BundleVolumeInvalid);
    public const string BundleVolumeMissing = nameof(BundleVolumeMissing);
    public const string BundleVolumeRepeated = nameof(BundleVolumeRepeated);
    public const string BundleVolumeMixed = nameof(BundleVolumeMixed);
    public const string BundleVolumeAltered = nameof(BundleVolumeAltered);
    public const string BundleVolumeTruncated = nameof(BundleVolumeTruncated);
    public const string BundleVolumeLimit = nameof(BundleVolumeLimit);
    public const string VolumeSizeInvalid = nameof(VolumeSizeInvalid);
    public const string BaseNotFound = nameof(BaseNotFound);
    public const string BaseInvalid = nameof(BaseInvalid);
    public const string DestinationInvalid = nameof(DestinationInvalid);

    // registries
    public const string RegistryReference = nameof(RegistryReference);
    public const string RegistryUnreachable = nameof(RegistryUnreachable);
    public const string RegistryDenied = nameof(RegistryDenied);
    public const string RegistryNotFound = nameof(RegistryNotFound);
    public const string RegistryStatus = nameof(RegistryStatus);
    public const string RegistryContent = nameof(RegistryContent);
    public const string RegistryAuthFile = nameof(RegistryAuthFile);

    // generations and publishing
    public const string GenerationNotFound = nameof(GenerationNotFound);
    public const string GenerationDamaged = nameof(GenerationDamaged);
    public const string PublicationFailed = nameof(PublicationFailed);
    public const string LedgerDamaged = nameof(LedgerDamaged);

    // serving
    public const string MirrorNotStarted = nameof(MirrorNotStarted);
    public const string ServeOptionInvalid = nameof(ServeOptionInvalid);
    public const string MirrorCertificateMissing = nameof(MirrorCertificateMissing);
    public const string MirrorCertificateInvalid = nameof(MirrorCertificateInvalid);
    public const string MirrorCertificateName = nameof(MirrorCertificateName);
    public const string MirrorCertificateRotation = nameof(MirrorCertificateRotation);

    // Clair's and Quay's configuration, and a running Clair
    public const string ClairConfigNotFound = nameof(ClairConfigNotFound);
    public const string ClairConfigInvalid = nameof(ClairConfigInvalid);
    public const string ClairConfigConflict = nameof(ClairConfigConflict);
    public const string ClairModeIncomplete = nameof(ClairModeIncomplete);
    public const string MirrorServesNothing = nameof(MirrorServesNothing);
    public const string ClairUnauthorized = nameof(ClairUnauthorized);
    public const string ClairAnswer = nameof(ClairAnswer);

    // Quay's API
    public const string QuayDenied = nameof(QuayDenied);
    public const string QuayNotFound = nameof(QuayNotFound);
    public const string QuayReadOnly = nameof(QuayReadOnly);
    public const string QuayAnswer = nameof(QuayAnswer);

    // warnings
    public const string WarningNotConfigured = nameof(WarningNotConfigured);
    public const string WarningNotSent = nameof(WarningNotSent);
    public const string WarningRefused = nameof(WarningRefused);
    public const string WarningSecret = nameof(WarningSecret);
    public const string WarningUnencrypted = nameof(WarningUnencrypted);

    // coverage of images
    public const string IndexReportInvalid = nameof(IndexReportInvalid);
    public const string IndexReportNotFound = nameof(IndexReportNotFound);
    public const string ScanReportInvalid = nameof(ScanReportInvalid);
    public const string ScanReportEmpty = nameof(ScanReportEmpty);
    public const string ScanReportNowhere = nameof(ScanReportNowhere);
    public const string ManifestDigestInvalid = nameof(ManifestDigestInvalid);
    public const string NeedFileInvalid = nameof(NeedFileInvalid);
    public const string NeedNotMet = nameof(NeedNotMet);
    public const string NeedIncomplete = nameof(NeedIncomplete);

    // anything that no other id describes
    public const string Unexpected = nameof(Unexpected);
}
