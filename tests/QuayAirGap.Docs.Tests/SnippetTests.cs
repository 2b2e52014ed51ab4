using System.Text.Json;
using QuayAirGap.Core;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Sites;
using QuayAirGap.Docs.Tests.Markdown;
using YamlDotNet.RepresentationModel;

namespace QuayAirGap.Docs.Tests;

/// <summary>Configuration in the documents is what its reader takes.</summary>
public sealed class SnippetTests
{
    public static TheoryData<string> All => [.. DocPage.AllPaths.Where(p => DocPage.Load(p).Blocks.Any(b => b.Language is "yaml" or "json"))];

    [Theory]
    [MemberData(nameof(All))]
    public void Its_configuration_can_be_read(string path)
    {
        foreach (DocBlock block in DocPage.Load(path).Blocks)
        {
            string where = $"{path}:{block.Line}";
            if (block.Language == "json")
            {
                using var document = JsonDocument.Parse(block.Code);
                Assert.NotEqual(JsonValueKind.Undefined, document.RootElement.ValueKind);
            }
            else if (block.Language == "yaml")
            {
                var yaml = new YamlStream();
                yaml.Load(new StringReader(block.Code));
                var root = Assert.IsType<YamlMappingNode>(Assert.Single(yaml.Documents).RootNode);
                if (root.Children.ContainsKey("matcher") || root.Children.ContainsKey("indexer"))
                {
                    AssertIsClairs(block.Code, where);
                }
                else if (root.Children.Keys.Any(k => k.ToString() is "sources" or "warnings" or "network"))
                {
                    AssertIsASites(block.Code, where);
                }
            }
        }
    }

    /// <summary>Nothing that Clair would refuse or pass over: what it lacks of the mirror, Set-ClairAirGap writes.</summary>
    private static void AssertIsClairs(string text, string where)
    {
        InFolder(folder =>
        {
            string path = Path.Combine(folder, "config.yaml");
            File.WriteAllText(path, text);
            string[] wrong = ["UnknownKey", "UnknownSet", "UnknownMatcher", "UnknownUpdater", "UnknownUpdaterKey", "FatalKey", "SeveralDocuments", "DurationForm"];
            IReadOnlyList<AirGapFinding> findings = AirGapLint.Check(new LintContext { Configuration = ClairConfiguration.Load(path), Release = ClairRelease.V490, Year = 2026, Command = "Set-ClairAirGap" });
            Assert.All(findings, f => Assert.False(wrong.Contains(f.Id), $"{where}: {f.Id}: {f.What}"));
        });
    }

    private static void AssertIsASites(string text, string where)
    {
        InFolder(folder =>
        {
            File.WriteAllText(Path.Combine(folder, "sources.yaml"), text);
            try
            {
                Assert.NotNull(SiteSettings.Load(Site.Open(folder)));
            }
            catch (FeedException e)
            {
                Assert.Fail($"{where}: {e.Message}");
            }
        });
    }

    private static void InFolder(Action<string> work)
    {
        string folder = Directory.CreateTempSubdirectory("quayairgap-snippet-").FullName;
        try
        {
            work(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
