using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using QuayAirGap.Core;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Trust;
using QuayAirGap.Docs.Tests.Markdown;
using QuayAirGap.TestKit.Samples;

namespace QuayAirGap.Docs.Tests;

/// <summary>The reference says what the code says, and all of it.</summary>
public sealed partial class ReferenceTests
{
    [Fact]
    public void Every_error_id_is_on_the_errors_page_once_with_meaning_and_remedy()
    {
        string[][] rows = [.. Rows(DocPage.Load("docs/reference/errors.md").Prose)];
        Assert.Equal(
            Constants(typeof(ErrorIds)).Order(StringComparer.Ordinal), rows.Select(r => Code(r[0])).Order(StringComparer.Ordinal));
        Assert.All(rows, r => Assert.True(r.Length == 3 && r[1].Length > 10 && r[2].Length > 5, $"{r[0]} lacks its meaning or its remedy."));
    }

    [Fact]
    public void Error_ids_anywhere_in_the_documents_exist()
    {
        HashSet<string> known = [.. Constants(typeof(ErrorIds))];
        string[] prefixes = ["Bundle", "Upstream", "Signer", "Site", "Trust", "Registry", "Blob", "Generation", "Warning", "MirrorCertificate"];
        foreach (string path in DocPage.AllPaths)
        {
            foreach (string name in CodeSpan().Matches(DocPage.Load(path).Prose).Select(m => m.Groups["text"].Value)
                .Where(t => t.All(char.IsAsciiLetter) && prefixes.Any(p => t.StartsWith(p, StringComparison.Ordinal) && t.Length > p.Length && char.IsAsciiLetterUpper(t[p.Length]))))
            {
                Assert.True(known.Contains(name) || IsProperty(name), $"{path} names {name}, which is neither an error id nor a property of a result.");
            }
        }
    }

    [Fact]
    public void The_catalogue_of_sources_is_the_codes()
    {
        string path = Path.Combine(RepositoryFolders.Root, "docs", "reference", "sources.md");
        string page = File.ReadAllText(path).ReplaceLineEndings("\n");
        int begin = page.IndexOf(SourceTable.Begin, StringComparison.Ordinal) + SourceTable.Begin.Length;
        int end = page.IndexOf(SourceTable.End, StringComparison.Ordinal);
        string expected = "\n\n" + SourceTable.Write();
        if (Environment.GetEnvironmentVariable("QUAYAIRGAP_WRITE_TABLE") == "1")
        {
            File.WriteAllText(path, page[..begin] + expected + page[end..]);
            return;
        }

        Assert.True(page[begin..end] == expected, "Run this test once with QUAYAIRGAP_WRITE_TABLE=1.");
    }

    [Theory]
    [InlineData("The file", "{0}: 1")]
    [InlineData("A source", "sources:\n  debian:\n    {0}: 1")]
    [InlineData("Network", "network:\n  {0}: 1")]
    [InlineData("Warnings", "warnings:\n  {0}: 1")]
    [InlineData("mail", "warnings:\n  mail:\n    {0}: 1")]
    [InlineData("quay", "warnings:\n  quay:\n    {0}: 1")]
    [InlineData("webhook", "warnings:\n  webhook:\n    {0}: 1")]
    [InlineData("syslog", "warnings:\n  syslog:\n    {0}: 1")]
    [InlineData("eventLog", "warnings:\n  eventLog:\n    {0}: 1")]
    [InlineData("textfile", "warnings:\n  textfile:\n    {0}: 1")]
    public void Every_key_of_the_settings_is_on_its_page(string heading, string yaml)
    {
        // The reader itself names what it knows, where it meets something that it does not know.
        string folder = Directory.CreateTempSubdirectory("quayairgap-keys-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "sources.yaml"), yaml.Replace("{0}", "nobodysKey", StringComparison.Ordinal) + "\n");
            var refused = Assert.Throws<FeedException>(() => SiteSettings.Load(Site.Open(folder)));
            Match known = KnownKeys().Match(refused.Message);
            Assert.True(known.Success, refused.Message);
            Assert.Equal(
                known.Groups["keys"].Value.Split(", ").Order(StringComparer.Ordinal),
                Rows(Section(DocPage.Load("docs/reference/sources-yaml.md").Prose, heading)).Select(r => Code(r[0])).Order(StringComparer.Ordinal));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("", "src/QuayAirGap.Server/Http")]
    [InlineData("The textfile of the warnings", "src/QuayAirGap.Core/Notifying")]
    public void Every_metric_is_on_its_page(string heading, string sources)
    {
        string prose = DocPage.Load("docs/reference/metrics.md").Prose;
        string section = heading.Length > 0 ? Section(prose, heading) : prose[..prose.IndexOf("\n## ", StringComparison.Ordinal)];
        IEnumerable<string> written = Directory.GetFiles(Path.Combine(RepositoryFolders.Root, sources), "*.cs", SearchOption.AllDirectories)
            .SelectMany(f => MetricName().Matches(File.ReadAllText(f)).Select(m => m.Groups["name"].Value)).Distinct();
        Assert.Equal(written.Order(StringComparer.Ordinal), Rows(section).Select(r => Code(r[0])).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_event_of_the_ledger_is_on_its_page() => Assert.Equal(
        Constants(typeof(LedgerEvents)).Order(StringComparer.Ordinal),
        Rows(DocPage.Load("docs/reference/ledger.md").Prose).Select(r => Code(r[0])).Where(c => c.Contains('.')).Order(StringComparer.Ordinal));

    [Fact]
    public void Every_field_of_the_bundle_is_in_its_specification()
    {
        JsonSerializerOptions snapshot = SnapshotJson.Default.Options;
        JsonSerializerOptions trust = TrustJson.Default.Options;
        JsonSerializerOptions volume = VolumeJson.Default.Options;
        foreach ((Type type, JsonSerializerOptions options) in new[]
        {
            (typeof(Snapshot), snapshot), (typeof(SourceSnapshot), snapshot), (typeof(SnapshotFile), snapshot), (typeof(ContentFindings), snapshot), (typeof(HeldBackFinding), snapshot), (typeof(RequestEvidence), snapshot),
            (typeof(TlsPeer), snapshot), (typeof(LayerDescriptor), snapshot), (typeof(SourceDelta), snapshot), (typeof(DeltaRecipe), snapshot),
            (typeof(SignedTrustDocument), trust), (typeof(TrustDocument), trust), (typeof(VolumeIndex), volume),
        })
        {
            string prose = DocPage.Load("docs/reference/bundle-format.md").Prose;
            int at = prose.IndexOf($"<!-- fields: {type.Name} -->", StringComparison.Ordinal);
            Assert.True(at >= 0, $"There is no table of {type.Name}.");
            string table = string.Join('\n', prose[at..].Split('\n').Skip(1).TakeWhile(l => l.StartsWith('|')));
            Assert.Equal(
                options.GetTypeInfo(type).Properties.Where(p => p.Get is not null).Select(p => p.Name).Order(StringComparer.Ordinal),
                Rows(table).Select(r => Code(r[0])).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void The_specification_has_the_bundles_names_and_limits()
    {
        string text = DocPage.Load("docs/reference/bundle-format.md").Text;
        string[] expected =
        [
            BundleFormat.ArtifactType, BundleFormat.SnapshotType, BundleFormat.PackedSnapshotType, BundleFormat.SignatureType, BundleFormat.SourceType, BundleFormat.EmptyType, BundleFormat.ManifestType,
            Snapshot.FormatName, VolumeIndex.FormatName, "At most 999 parts", TrustDocument.FormatName, "At most 1024 entries", "snapshot 64 MiB unpacked", "index and manifest 1 MiB", "(2^23)", "16 signatures of 64 KiB",
            "at most 256 KiB", "a later one at most 10,000 above",
            .. Enum.GetNames<CaptureState>().Select(n => $"`{n.ToLowerInvariant()}`"), .. Enum.GetNames<RecipeMethod>().Select(n => $"`{n.ToLowerInvariant()}`"),
        ];
        Assert.All(expected, e => Assert.Contains(e, text, StringComparison.Ordinal));
        Assert.Equal((1024, 1 << 20, 23), (BundleFormat.MaxEntries, BundleFormat.MaxDocumentBytes, BundleFormat.MaxWindowLog));
        Assert.Equal((999, 256 << 10), (VolumeIndex.MaxParts, VolumeIndex.MaxBytes));
        Assert.Equal((64 << 20, 16, 64 << 10), (SnapshotDocument.MaxBytes, SignatureVerifier.MaxSignatures, SignatureVerifier.MaxSignatureBytes));
        Assert.Equal((256 << 10, 10_000L, 10_000_000L), (TrustDocument.MaxBytes, BundleVerifier.MaxSequenceStep, BundleVerifier.MaxFirstSequence));
        Assert.Equal((64, 500_000, 64, 366), (SnapshotRules.MaxSources, SnapshotRules.MaxFiles, SnapshotRules.MaxPeers, SnapshotRules.MaxValidity.Days));
    }

    /// <summary>Some properties of results begin as ids do.</summary>
    private static bool IsProperty(string name) => s_outputs.Value.Contains($" {name} {{");

    private static readonly Lazy<string> s_outputs = new(() => string.Concat(
        Directory.GetFiles(Path.Combine(RepositoryFolders.Root, "src", "QuayAirGap", "Output"), "*.cs").Select(File.ReadAllText)));

    private static IEnumerable<string> Constants(Type type) =>
        type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.IsLiteral).Select(f => (string)f.GetRawConstantValue()!);

    private static string Section(string prose, string heading)
    {
        Match match = Regex.Match(prose, $@"^#+ {Regex.Escape(heading)}\n(?<body>(.*\n)*?)(?=#|\z)", RegexOptions.Multiline);
        Assert.True(match.Success, $"There is no heading '{heading}'.");
        return match.Groups["body"].Value;
    }

    /// <summary>The rows of tables that begin with a name in back quotes.</summary>
    private static IEnumerable<string[]> Rows(string text) => text.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal))
        .Select(l => l.Trim('|', ' ').Split(" | ").Select(c => c.Trim()).ToArray());

    private static string Code(string cell) => cell.Split('`')[1];

    [GeneratedRegex("`(?<text>[^`\n]+)`")]
    private static partial Regex CodeSpan();

    [GeneratedRegex("Known are (?<keys>[A-Za-z, ]+)")]
    private static partial Regex KnownKeys();

    [GeneratedRegex("\"(?<name>quayairgap_[a-z_]+)\"")]
    private static partial Regex MetricName();
}
