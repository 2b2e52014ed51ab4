using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Coverage;

/// <summary>
/// Reads Clair's JSON forwards, once, and keeps only what decides on coverage. Limits stand where a true report is far below them: nothing
/// that is read may cost more memory than its own bytes allow.
/// </summary>
internal static partial class IndexReportReader
{
    private const int MaxPackages = 500_000;
    private const int MaxOthers = 100_000;
    private const int MaxReferences = 4_000_000;
    private const int MaxText = 4096;
    private const int MaxDepth = 64;

    /// <summary>What every finished report has, even if it is empty.</summary>
    private static readonly string[] s_due = ["packages", "environments"];

    private static readonly JsonReaderOptions s_options = new() { MaxDepth = MaxDepth };

    public static IndexReport Parse(ReadOnlySequence<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(WithoutMark(json), s_options);
            IndexReport report = ReadReport(ref reader);
            return reader.Read() ? throw Invalid("something follows its end") : report;
        }
        catch (JsonException e)
        {
            throw Invalid("it is not JSON, or cut off (" + Where(e) + ")", e);
        }
        catch (InvalidOperationException e)
        {
            throw Invalid("a text in it is not Unicode, or not a text", e);
        }
    }

    public static FeedException Invalid(string reason, Exception? cause = null) => new(
        ErrorIds.IndexReportInvalid, $"This is not an index report of Clair: {reason}.", null,
        "Give Clair's answer as it is, of /indexer/api/v1/index_report/<digest> or /matcher/api/v1/vulnerability_report/<digest>.", cause);

    private static string Where(JsonException e) => FormattableString.Invariant($"line {e.LineNumber + 1 ?? 0}, byte {e.BytePositionInLine ?? 0}");

    private static ReadOnlySequence<byte> WithoutMark(ReadOnlySequence<byte> json)
    {
        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        return json.FirstSpan.StartsWith(mark) ? json.Slice(mark.Length) : json;
    }

    private static IndexReport ReadReport(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw Invalid("it is no JSON object");
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        string digest = "";
        string? state = null;
        bool success = true;
        string error = "";
        Dictionary<string, IndexPackage> packages = [];
        Dictionary<string, IndexDistribution> distributions = [];
        Dictionary<string, IndexRepository> repositories = [];
        Dictionary<string, IReadOnlyList<IndexEnvironment>> environments = [];
        var budget = new Budget();
        while (NextMember(ref reader))
        {
            string name = Text(ref reader);
            reader.Read();
            if (!seen.Add(name))
            {
                throw Invalid($"it has its member '{SnapshotRules.Printable(name, 40)}' twice");
            }

            switch (name)
            {
                case "manifest_hash":
                    digest = Text(ref reader);
                    break;
                case "state":
                    state = Text(ref reader);
                    break;
                case "err":
                    error = reader.TokenType == JsonTokenType.String ? reader.GetString()! : Text(ref reader); // a chain of wrapped errors can be long
                    break;
                case "success" when reader.TokenType is JsonTokenType.True or JsonTokenType.False:
                    success = reader.GetBoolean();
                    break;
                case "packages":
                    packages = Map(ref reader, MaxPackages, budget, ReadPackage);
                    break;
                case "distributions":
                    distributions = Map(ref reader, MaxOthers, budget, ReadDistribution);
                    break;
                case "repository":
                    repositories = Map(ref reader, MaxOthers, budget, ReadRepository);
                    break;
                case "environments":
                    environments = Map(ref reader, MaxPackages, budget, ReadEnvironments);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        if (!Digest().IsMatch(digest))
        {
            throw Invalid(seen.Contains("manifest_hash") ? "its manifest_hash is no digest" : "it has no manifest_hash");
        }

        bool finished = (state ?? IndexReport.Finished) == IndexReport.Finished && success && error.Length == 0;
        if (finished && Array.Find(s_due, m => !seen.Contains(m)) is { } missing)
        {
            throw Invalid($"it has no {missing}");
        }

        return new IndexReport
        {
            ManifestDigest = digest,
            State = SnapshotRules.Printable(state ?? IndexReport.Finished, 100),
            IsFinished = finished,
            Error = SnapshotRules.Printable(error, 1000),
            Packages = packages,
            Distributions = distributions,
            Repositories = repositories,
            Environments = environments,
        };
    }

    private static IndexPackage ReadPackage(ref Utf8JsonReader reader, Budget _)
    {
        ThrowUnlessObject(ref reader);
        string name = "", version = "", normalized = "";
        while (NextMember(ref reader))
        {
            if (Names(ref reader, "name"u8))
            {
                name = Text(ref reader);
            }
            else if (Names(ref reader, "version"u8))
            {
                version = Text(ref reader);
            }
            else if (Names(ref reader, "normalized_version"u8))
            {
                normalized = Text(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        return new IndexPackage(name, version, normalized);
    }

    private static IndexDistribution ReadDistribution(ref Utf8JsonReader reader, Budget _)
    {
        ThrowUnlessObject(ref reader);
        var distribution = new IndexDistribution();
        while (NextMember(ref reader))
        {
            string member = Text(ref reader);
            reader.Read();
            switch (member)
            {
                case "did":
                    distribution = distribution with { Did = Text(ref reader) };
                    break;
                case "name":
                    distribution = distribution with { Name = Text(ref reader) };
                    break;
                case "version":
                    distribution = distribution with { Version = Text(ref reader) };
                    break;
                case "version_code_name":
                    distribution = distribution with { VersionCodeName = Text(ref reader) };
                    break;
                case "version_id":
                    distribution = distribution with { VersionId = Text(ref reader) };
                    break;
                case "pretty_name":
                    distribution = distribution with { PrettyName = Text(ref reader) };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return distribution;
    }

    private static IndexRepository ReadRepository(ref Utf8JsonReader reader, Budget _)
    {
        ThrowUnlessObject(ref reader);
        string name = "", key = "", uri = "";
        while (NextMember(ref reader))
        {
            string member = Text(ref reader);
            reader.Read();
            switch (member)
            {
                case "name":
                    name = Text(ref reader);
                    break;
                case "key":
                    key = Text(ref reader);
                    break;
                case "uri":
                    uri = Text(ref reader);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new IndexRepository(name, key, uri);
    }

    private static IReadOnlyList<IndexEnvironment> ReadEnvironments(ref Utf8JsonReader reader, Budget budget)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw Invalid("a package's environments are no list");
        }

        List<IndexEnvironment> last = budget.Last;
        List<IndexEnvironment>? found = null;
        int count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            budget.Take();
            if (!IsObject(ref reader, "an environment"))
            {
                continue;
            }

            IndexEnvironment? before = count < last.Count ? last[count] : null;
            IndexEnvironment environment = ReadEnvironment(ref reader, budget, before);
            if (found is null && !ReferenceEquals(environment, before))
            {
                found = last.GetRange(0, count);
            }

            found?.Add(environment);
            count++;
        }

        return budget.Last = found ?? (count == last.Count ? last : last.GetRange(0, count));
    }

    /// <param name="before">One that it may be like; then it is that one.</param>
    private static IndexEnvironment ReadEnvironment(ref Utf8JsonReader reader, Budget budget, IndexEnvironment? before)
    {
        string db = "", distribution = "";
        IReadOnlyList<string> repositories = [];
        while (NextMember(ref reader))
        {
            if (Names(ref reader, "package_db"u8))
            {
                db = Text(ref reader, before?.PackageDb ?? "");
            }
            else if (Names(ref reader, "distribution_id"u8))
            {
                distribution = Text(ref reader, before?.DistributionId ?? "");
            }
            else if (Names(ref reader, "repository_ids"u8))
            {
                repositories = Texts(ref reader, budget);
            }
            else
            {
                reader.Skip();
            }
        }

        return before is not null && db == before.PackageDb && distribution == before.DistributionId && repositories.SequenceEqual(before.RepositoryIds)
            ? before
            : new IndexEnvironment(db, distribution, repositories);
    }

    private static IReadOnlyList<string> Texts(ref Utf8JsonReader reader, Budget budget)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return [];
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw Invalid("an environment's repository_ids are no list");
        }

        List<string> texts = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            budget.Take();
            texts.Add(Text(ref reader));
        }

        return texts;
    }

    [GeneratedRegex("\\Asha(256:[0-9a-f]{64}|512:[0-9a-f]{128})\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Digest();
}
