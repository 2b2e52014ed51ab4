using System.Globalization;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Core.Snapshots;

/// <summary>What every snapshot must hold, checked when one is written and again when one is read.</summary>
internal static class SnapshotRules
{
    internal const int MaxSources = 64;
    internal const int MaxFiles = 500_000;
    internal const int MaxNames = 20_000;
    internal const int MaxPeers = 64;

    /// <summary>One file: far above any feed, far below where sums overflow.</summary>
    internal const long MaxFileSize = 1L << 40;

    /// <summary>
    /// Signatures are judged at the time of creation. Without an upper bound a key that has long expired could sign a bundle dated back
    /// into its validity that never ends.
    /// </summary>
    internal static readonly TimeSpan MaxValidity = TimeSpan.FromDays(366);

    /// <summary>What two clocks of one collector may differ.</summary>
    internal static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(10);

    /// <exception cref="FeedException"><see cref="ErrorIds.BundleInvalid"/> or <see cref="ErrorIds.BundleLimit"/></exception>
    public static void Check(Snapshot snapshot)
    {
        Require(snapshot.Format == Snapshot.FormatName && snapshot.Version == Snapshot.CurrentVersion, null, "its format or version is another");
        Require(snapshot.Stream != Guid.Empty, null, "it has no stream");
        Require(snapshot.Sequence >= 1, null, $"its sequence is {Text(snapshot.Sequence)}");
        Require(snapshot.Created > DateTimeOffset.UnixEpoch && snapshot.Expires > snapshot.Created, null, "it expires before it was made");
        Require(snapshot.Expires - snapshot.Created <= MaxValidity, null, $"it is valid for more than {Text(MaxValidity.Days)} days");
        CheckText(snapshot.Producer, null, "producer", 256);
        Limit(snapshot.Trust is null || snapshot.Trust.Count <= TrustDocument.MostOfBundle, null, "it has too many trust documents");
        Require(snapshot.Trust?.All(t => t is { Document: not null, Signature: not null }) ?? true, null, "a trust document is null");
        Limit(
            snapshot.Trust?.All(t => t.Document.Length <= TrustDocument.MaxBytes && t.Signature.Length <= SignatureVerifier.MaxSignatureBytes) ?? true,
            null, "a trust document is too large");
        string? delta = DeltaRules.ObjectionTo(snapshot);
        Require(delta is null, null, delta ?? "");
        Require(snapshot.Sources is { Count: > 0 }, null, "it has no sources");
        Limit(snapshot.Sources.Count <= MaxSources, null, $"it has {Text(snapshot.Sources.Count)} sources");

        var names = new HashSet<string>(StringComparer.Ordinal);
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        long files = 0;
        foreach (SourceSnapshot source in snapshot.Sources)
        {
            Require(source is not null && IsName(source.Name), null, "a source has no proper name");
            Require(names.Add(source!.Name), source.Name, "it is there twice");
            Require(source.Files is not null, source.Name, "it has no list of files");
            files += source.Files!.Count;
            Limit(files <= MaxFiles, source.Name, $"there are more than {Text(MaxFiles)} files");
            CheckSource(source, snapshot.Created);
            CheckFiles(source, sizes);
            CheckFindings(source);
            string? objection = DeltaRules.ObjectionTo(snapshot, source);
            Require(objection is null, source.Name, objection ?? "");
        }
    }

    private static void CheckSource(SourceSnapshot source, DateTimeOffset created)
    {
        Require(Enum.IsDefined(source.State), source.Name, "its state is unknown");
        Require(source.State != CaptureState.Captured || source.CapturedAt is not null, source.Name, "it is captured, but at no time");
        Require(source.State is CaptureState.Captured or CaptureState.Failed || source.Files.Count == 0, source.Name, "it was not captured, but has files");
        Require(source.Files.Count == 0 || source.CapturedAt is not null, source.Name, "it has files of no time");

        // A capture "in the future" would look fresh for as long as somebody wishes.
        Require(source.CapturedAt is null || source.CapturedAt <= created + ClockSkew, source.Name, "it was captured after the snapshot was made");
        Require(source.AdvisoryCount >= 0, source.Name, "its number of advisories is negative");
        if (source.Error is not null)
        {
            CheckText(source.Error, source.Name, "error", 8192, allowLines: true);
        }

        if (source.ErrorId is not null)
        {
            Require(source.Error is not null, source.Name, "it has an error id, but no error");
            Require(source.ErrorId.Length is > 0 and <= 64 && source.ErrorId.All(char.IsAsciiLetter), source.Name, "its error id is none");
        }

        if (source.AcceptedRegression is not null)
        {
            CheckText(source.AcceptedRegression, source.Name, "acceptedRegression", 8192, allowLines: true);
        }

        if (source.Note is not null)
        {
            CheckText(source.Note, source.Name, "note", 8192);
        }

        CheckEvidence(source);

        // Only compared with later captures on the collecting side; a date in the future is upstream's own error and none of this one's.
        CheckNames(source.Sample, source.Name, "sample");
        Limit(source.Sample.Count <= AdvisoryCensus.SampleSize, source.Name, "its sample is too large");
        CheckNames(source.Releases, source.Name, "releases");
        CheckNames(source.Updaters, source.Name, "updaters");
        CheckNames(source.Deselected, source.Name, "deselected");
        Require(source.Directories is not null, source.Name, "it has no list of directories");
        Limit(source.Directories!.Count <= MaxNames, source.Name, "it has too many directories");
        var directories = new HashSet<string>(StringComparer.Ordinal);
        foreach (string directory in source.Directories)
        {
            Require(IsCanonical(directory), source.Name, NotCanonical(directory));
            Require(directory.EndsWith('/'), source.Name, $"the directory '{directory}' has no slash at its end");
            Require(directories.Add(directory), source.Name, $"the directory '{directory}' is there twice");
        }

        if (source.Layer is { } layer)
        {
            Require(source.Files.Count > 0, source.Name, "it has a layer, but no files");
            Require(Sha256Digest.IsValid(layer.Sha256), source.Name, "its layer's digest is not a SHA-256");
            Require(layer.Size > 0 && layer.TarSize > 0 && layer.TarSize % 512 == 0, source.Name, "its layer's sizes are impossible");
        }
    }

    private static void CheckEvidence(SourceSnapshot source)
    {
        Require(source.Evidence is not null && source.TlsPeers is not null, source.Name, "it has no list of requests or peers");
        Limit(source.Evidence!.Count <= SourceSnapshot.MaxEvidence && source.TlsPeers!.Count <= MaxPeers, source.Name, "it has too many requests or peers");
        Require(source.EvidenceOmitted >= 0, source.Name, "its number of further requests is negative");
        foreach (RequestEvidence request in source.Evidence)
        {
            Require(request is not null && request.Method is "GET" or "HEAD", source.Name, "a request has no proper method");
            CheckText(request!.Url, source.Name, "evidence", 4096);
            Require(request.Status is 0 or (>= 100 and <= 599), source.Name, "a request has no proper status");
            Require(IsHeader(request.ETag), source.Name, "a request's ETag is no header");
            Require(request.Error is null || (request.Error.Length is > 0 and <= 64 && request.Error.All(char.IsAsciiLetter)), source.Name, "a request's error id is none");
        }

        foreach (TlsPeer peer in source.TlsPeers!)
        {
            Require(peer is not null && Sha256Digest.IsValid(peer.Sha256 ?? ""), source.Name, "a TLS peer has no certificate");
            CheckText(peer!.Host, source.Name, "host", 256);
            CheckText(peer.Subject, source.Name, "subject", 1024);
            CheckText(peer.Issuer, source.Name, "issuer", 1024);
            CheckText(peer.Protocol, source.Name, "protocol", 32);
        }
    }

    private static void CheckFiles(SourceSnapshot source, Dictionary<string, long> sizes)
    {
        string? previous = null;
        foreach (SnapshotFile file in source.Files)
        {
            if (ObjectionTo(file, previous, sizes) is { } objection)
            {
                throw Error(ErrorIds.BundleInvalid, source.Name, objection);
            }

            previous = file.Url;
        }
    }

    private static void CheckFindings(SourceSnapshot source)
    {
        if (source.Findings is null)
        {
            return;
        }

        HashSet<string> contents = [.. source.Files.Select(f => f.Sha256)];
        foreach (ContentFindings findings in source.Findings)
        {
            Require(findings is not null && contents.Remove(findings.Sha256 ?? ""), source.Name, "it has findings of a content that it does not have, or twice of one");
            Require(ContentFindings.IsPlain(findings!.Rules), source.Name, "it has findings by no rules");
            Require(findings.HeldBack is not null, source.Name, "its findings have no list");
            Limit(findings.HeldBack!.Count <= ContentFindings.MaxHeldBack, source.Name, "it has too many findings");
            Require(
                findings.HeldBack.All(h => h is { Member: null or >= 0 } && ContentFindings.IsPlain(h.Item) && ContentFindings.IsPlain(h.Reason)),
                source.Name, "one of its findings is empty, too long, or has control characters");
        }
    }

    /// <summary>There are tens of thousands of files: text is made only of what is wrong.</summary>
    private static string? ObjectionTo(SnapshotFile file, string? previous, Dictionary<string, long> sizes)
    {
        return file is null ? "one of its files is null"
            : !IsCanonical(file.Url) ? NotCanonical(file.Url)
            : previous is not null && string.CompareOrdinal(previous, file.Url) >= 0
                ? $"its files are not in the order of their URLs, or '{file.Url}' is there twice"
            : file.Sha256 is null || !Sha256Digest.IsValid(file.Sha256) ? $"the digest of '{file.Url}' is not a SHA-256"
            : file.Size is < 0 or > MaxFileSize ? $"'{file.Url}' has {Text(file.Size)} bytes"
            : !sizes.TryAdd(file.Sha256, file.Size) && sizes[file.Sha256] != file.Size ? $"the content of '{file.Url}' is there with two sizes"

            // Both become response headers of the mirror.
            : !IsHeader(file.ETag) ? $"the ETag of '{file.Url}' cannot be a response header"
            : file.Status is not (null or 200 or 206 or 304) ? $"the status of '{file.Url}' is none that has content"
            : file.PackedFrom is { } origin && (origin.Sha256 is null || !Sha256Digest.IsValid(origin.Sha256) || origin.Size is < 0 or > MaxFileSize)
                ? $"what '{file.Url}' was packed from is no digest and size"
            : !IsHeader(file.ContentType) ? $"the content type of '{file.Url}' cannot be a response header"
            : null;
    }

    private static bool IsHeader(string? value) => value is null || (value.Length is > 0 and <= 1024 && value.All(c => c is >= ' ' and < '\u007F'));

    private static string NotCanonical(string? url) => $"'{url}' is not a canonical http or https URL without port, query and credentials";

    private static bool IsCanonical(string? url)
    {
        if (url is not { Length: > 0 and <= 2048 } || !Uri.TryCreate(url, UriKind.Absolute, out Uri? uri)
            || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps)
            || uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0 || !uri.IsDefaultPort
            || !string.Equals(uri.AbsoluteUri, url, StringComparison.Ordinal))
        {
            return false;
        }

        // The mirror serves the unescaped path: an escaped separator or control character would make another path of it, and a percent
        // sign, escaped or in nobody's encoding, would make one path of two URLs.
        string path = Uri.UnescapeDataString(uri.AbsolutePath);
        return path.Count(c => c == '/') == uri.AbsolutePath.Count(c => c == '/')
            && !path.Any(c => char.IsControl(c) || c is '\\' or '%' or '\uFFFD')
            && !path.Split('/').Any(s => s is "." or "..");
    }

    private static void CheckNames(IReadOnlyList<string>? names, string source, string what)
    {
        Require(names is not null, source, $"it has no list of {what}");
        Limit(names!.Count <= MaxNames, source, $"it has {Text(names.Count)} {what}");
        foreach (string name in names)
        {
            CheckText(name, source, what, 512);
        }
    }

    private static void CheckText(string? text, string? source, string what, int longest, bool allowLines = false)
    {
        Require(
            text is { Length: > 0 } && text.Length <= longest && !text.Any(c => char.IsControl(c) && !(allowLines && c is '\n' or '\r' or '\t')),
            source, $"'{what}' is empty, too long, or has control characters");
    }

    /// <summary>Text that may quote a hostile document, fit for a terminal and a log.</summary>
    internal static string Printable(string text, int longest = 600) =>
        string.Concat((text.Length <= longest ? text : text[..longest] + "…").Select(c => char.IsControl(c) ? '?' : c));

    private static bool IsName(string? name) =>
        name is { Length: > 0 and <= 64 } && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '_');

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static void Require(bool holds, string? source, string what) => Demand(holds, ErrorIds.BundleInvalid, source, what);

    private static void Limit(bool holds, string? source, string what) => Demand(holds, ErrorIds.BundleLimit, source, what);

    private static void Demand(bool holds, string errorId, string? source, string what)
    {
        if (!holds)
        {
            throw Error(errorId, source, what);
        }
    }

    private static FeedException Error(string errorId, string? source, string what) => new(
        errorId, Printable(source is null ? $"The snapshot is not valid: {what}." : $"The snapshot is not valid: source '{source}': {what}."),
        source ?? "snapshot", "Have the bundle made again, with the same version of QuayAirGap on both sides.");
}
