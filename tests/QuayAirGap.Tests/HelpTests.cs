using System.Management.Automation;
using QuayAirGap.Help;

namespace QuayAirGap.Tests;

/// <summary>Help is what the pages say, and the pages say everything.</summary>
public sealed class HelpTests
{
    [Fact]
    public void The_committed_help_is_up_to_date() => Assert.True(
        File.ReadAllText(HelpFile.PathIn(Built.Root)).ReplaceLineEndings("\n") == HelpFile.Generate(Built.Root, Built.Module),
        "Run: dotnet run --project build/QuayAirGap.Help");

    [Fact]
    public void The_errors_topic_is_up_to_date() => Assert.True(
        File.ReadAllText(ErrorsTopic.PathIn(Built.Root)).ReplaceLineEndings("\n") == ErrorsTopic.Generate(Built.Root),
        "Run: dotnet run --project build/QuayAirGap.Help");

    [Fact]
    public void Every_cmdlet_has_a_whole_page_and_every_page_a_cmdlet()
    {
        IReadOnlyList<CmdletInfo> cmdlets = ModuleCommands.Load(Built.Module);
        IReadOnlyDictionary<string, CmdletPage> pages = HelpFile.ReadPages(Built.Root);
        Assert.Equal(cmdlets.Select(c => c.Name), pages.Keys.Order(StringComparer.Ordinal));
        foreach (CmdletInfo cmdlet in cmdlets)
        {
            CmdletPage page = pages[cmdlet.Name];
            Assert.NotEmpty(page.Synopsis);
            Assert.NotEmpty(page.Description);
            Assert.NotEmpty(page.Outputs);
            Assert.NotEmpty(page.Errors);
            Assert.True(page.Examples.Count >= 2, $"{cmdlet.Name} has {page.Examples.Count} examples.");
            Assert.Equal(
                cmdlet.ParameterSets.SelectMany(s => s.Parameters).Select(p => p.Name).Where(p => !MamlDocument.IsCommon(p)).Distinct().Order(StringComparer.Ordinal),
                page.Parameters.Select(p => p.Name).Order(StringComparer.Ordinal));
            Assert.All(page.Parameters, p => Assert.NotEmpty(p.Paragraphs));
            Assert.All(page.Related, r => Assert.True(pages.ContainsKey(r), $"{cmdlet.Name} refers to {r}."));
        }
    }

    [Fact]
    public void Every_page_tells_the_outputs_that_the_cmdlet_declares_and_the_zone_of_their_times()
    {
        IReadOnlyDictionary<string, CmdletPage> pages = HelpFile.ReadPages(Built.Root);
        foreach (CmdletInfo cmdlet in ModuleCommands.Load(Built.Module))
        {
            CmdletPage page = pages[cmdlet.Name];
            Assert.Equal(
                cmdlet.OutputType.Select(t => t.Name).Distinct().Order(StringComparer.Ordinal),
                page.Outputs.Select(o => o.Name).Where(n => n != "None").Order(StringComparer.Ordinal));
            foreach (Type type in cmdlet.OutputType.Select(t => t.Type).OfType<Type>().Distinct())
            {
                PageItem output = page.Outputs.Single(o => o.Name == type.FullName);
                bool hasTimes = type.GetProperties().Any(p => (Nullable.GetUnderlyingType(p.PropertyType) ?? p.PropertyType) is var t && (t == typeof(DateTimeOffset) || t == typeof(DateTime)));
                Assert.True(
                    !hasTimes || string.Concat(page.Outputs.SelectMany(o => o.Paragraphs)).Contains("UTC", StringComparison.Ordinal),
                    $"{cmdlet.Name}: {output.Name} has times, and the page does not say that they are UTC.");
            }

            Assert.All(page.Examples, e => Assert.NotEmpty(e.Title));
            Assert.True(
                page.Outputs.All(o => o.Name == "None" || o.Paragraphs.Count > 0), $"{cmdlet.Name}: an output without a word on it.");
        }
    }

    [Fact]
    public void Examples_use_parameters_that_exist()
    {
        using var engine = new Engine();
        foreach (CmdletPage page in HelpFile.ReadPages(Built.Root).Values)
        {
            foreach (PageExample example in page.Examples)
            {
                var ast = System.Management.Automation.Language.Parser.ParseInput(example.Code, out _, out var errors);
                Assert.Empty(errors.Select(e => $"{page.Name}: {e.Message}"));
                foreach (var command in ast.FindAll(a => a is System.Management.Automation.Language.CommandAst, true).Cast<System.Management.Automation.Language.CommandAst>()
                    .Where(c => c.GetCommandName()?.Contains("-Clair", StringComparison.Ordinal) == true))
                {
                    var known = (CommandInfo)engine.Run($"Get-Command {command.GetCommandName()}").WithoutErrors().Single.BaseObject;
                    Assert.All(
                        command.CommandElements.OfType<System.Management.Automation.Language.CommandParameterAst>(),
                        p => Assert.True(known.Parameters.ContainsKey(p.ParameterName), $"{page.Name}: -{p.ParameterName}"));
                }
            }
        }
    }

    [Fact]
    public void Error_ids_on_the_pages_exist()
    {
        using var engine = new Engine();
        Assert.NotEmpty(engine.Run("Get-ClairFeedTrust -SitePath /nowhere/at/all").Errors); // loads the domain's assembly
        HashSet<string> known = [.. ErrorTests.AllIds()];
        foreach (CmdletPage page in HelpFile.ReadPages(Built.Root).Values)
        {
            string text = File.ReadAllText(Path.Combine(Built.Root, "docs", "cmdlets", page.Name + ".md"));
            string errors = text[text.IndexOf("## Errors", StringComparison.Ordinal)..text.IndexOf("## Examples", StringComparison.Ordinal)];
            string[] named = [.. errors.Split('`').Where((_, i) => i % 2 == 1).Where(t => char.IsUpper(t[0]) && t.All(char.IsLetter))];
            Assert.All(named, id => Assert.True(known.Contains(id), $"{page.Name} names {id}, which is no error id."));
        }
    }

    [Fact]
    public void Get_Help_shows_it()
    {
        using var engine = new Engine();
        EngineResult help = engine.Run("Get-Help Import-ClairFeed -Full").WithoutErrors();
        Assert.Equal("Verifies a bundle and publishes it as the mirror's new generation.", help["Synopsis"]!.ToString()!.Trim());
        Assert.Contains("CARRIES", engine.Run("Get-Help about_QuayAirGap").WithoutErrors().Output[0].ToString().ToUpperInvariant(), StringComparison.Ordinal);
        Assert.Contains("BundleAltered", engine.Run("Get-Help about_QuayAirGap_Errors").WithoutErrors().Single.ToString(), StringComparison.Ordinal);
    }
}
