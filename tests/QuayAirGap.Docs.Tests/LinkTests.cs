using QuayAirGap.Docs.Tests.Markdown;
using QuayAirGap.TestKit.Samples;

namespace QuayAirGap.Docs.Tests;

/// <summary>Links lead somewhere. Addresses outside are looked at and not asked.</summary>
public sealed class LinkTests
{
    public static TheoryData<string> All => [.. DocPage.AllPaths, "tests/README.md"];

    [Theory]
    [MemberData(nameof(All))]
    public void Its_links_lead_somewhere(string path)
    {
        DocPage page = DocPage.Load(path);
        foreach (string link in page.Links())
        {
            if (link.Contains("://", StringComparison.Ordinal) || link.StartsWith("mailto:", StringComparison.Ordinal))
            {
                Assert.True(
                    Uri.TryCreate(link, UriKind.Absolute, out Uri? uri) && uri.Scheme == Uri.UriSchemeHttps && uri.Host.Contains('.'),
                    $"{path}: '{link}' is not an https address.");
                continue;
            }

            string[] parts = link.Split('#', 2);
            string target = parts[0].Length == 0 ? path : DocPage.Resolve(path, parts[0]);
            string full = Path.Combine(RepositoryFolders.Root, target);
            Assert.True(File.Exists(full) || Directory.Exists(full), $"{path}: '{link}' leads to {target}, which is not there.");
            if (parts.Length == 2)
            {
                Assert.True(DocPage.Load(target).Anchors().Contains(parts[1]), $"{path}: '{link}' names a heading that {target} does not have.");
            }
        }
    }

    /// <summary>Nobody finds a page that no other leads to.</summary>
    [Fact]
    public void Every_page_can_be_reached_from_the_front_page()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var next = new Queue<string>(["README.md"]);
        while (next.TryDequeue(out string? path))
        {
            if (!seen.Add(path))
            {
                continue;
            }

            foreach (string link in DocPage.Load(path).Links().Where(l => !l.Contains("://", StringComparison.Ordinal)).Select(l => l.Split('#')[0]))
            {
                string target = DocPage.Resolve(path, link);
                if (target.EndsWith(".md", StringComparison.Ordinal))
                {
                    next.Enqueue(target);
                }
            }
        }

        Assert.Empty(DocPage.AllPaths.Where(p => p.StartsWith("docs/", StringComparison.Ordinal) && !p.Contains("sample-upstream", StringComparison.Ordinal)).Except(seen));
    }
}
