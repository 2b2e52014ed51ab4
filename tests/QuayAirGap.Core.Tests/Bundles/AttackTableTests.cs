using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Tests.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Bundles;

/// <summary>The attacks on updates, after The Update Framework's list: each really built, refused by an id, recorded, and without effect.</summary>
public sealed class AttackTableTests
{
    private const string Begin = "<!-- attacks: written by AttackTableTests -->";
    private const string End = "<!-- /attacks -->";

    public static TheoryData<string> Names => [.. Attacks.All.Select(a => $"{a.Group}: {a.How}")];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task It_is_refused_by_its_id_and_recorded_and_nothing_else_changes(string name)
    {
        Attack attack = Attacks.All.Single(a => $"{a.Group}: {a.How}" == name);
        using AttackRig rig = await AttackRig.StartAsync();
        int brought = 0;
        foreach (string path in attack.Build(rig))
        {
            await rig.RefusedAsync(attack.ErrorId, path, attack.KeepsParts);
            brought++;
        }

        Assert.NotEqual(0, brought);
    }

    [Fact]
    public async Task The_bundle_that_every_attack_is_made_of_is_taken_where_nothing_in_it_lies()
    {
        using AttackRig rig = await AttackRig.StartAsync();
        ImportResult result = await rig.ImportAsync(rig.Write(rig.Next()));
        Assert.True(result.Changed);
        Assert.Equal(8, result.Generation.Sequence);
    }

    [Fact]
    public async Task Silence_is_an_alarm_of_its_own_though_nothing_was_refused()
    {
        using AttackRig rig = await AttackRig.StartAsync();
        Site site = rig.Kit.Inside;
        SiteSettings settings = SiteSettings.Load(site);

        // Somebody holds every bundle back: the site hears nothing, and the age of what it serves passes each threshold.
        foreach ((double days, FreshnessLevel level) in new[] { (3.1, FreshnessLevel.Warning), (5.1, FreshnessLevel.Critical), (7.1, FreshnessLevel.Expired), (400, FreshnessLevel.Expired) })
        {
            rig.Kit.Clock.SetUtcNow(Pki.Now.AddDays(days));
            IReadOnlyList<SourceFreshness> found = SiteFreshness.Of(site, settings, rig.Kit.Clock);
            SourceFreshness alpine = found.Single(s => s.Name == "alpine");
            Assert.True(alpine.Required);
            Assert.True(alpine.Level >= level, $"after {days} days: {alpine.Level}");
            Assert.False(SiteFreshness.IsGood(found));
        }
    }

    [Fact]
    public async Task Only_the_owners_word_resets_the_sequence_and_it_is_recorded_and_lets_nothing_else_pass()
    {
        using AttackRig rig = await AttackRig.StartAsync();
        string far = rig.Write(rig.Next(s => s with { Sequence = 9_000_000_000 }));
        await rig.RefusedAsync(ErrorIds.BundleSequenceJump, far);
        Assert.True((await rig.ImportAsync(far, resetSequence: true)).Changed);

        // The stream would be locked: the honest collector's next bundle comes below.
        string honest = rig.Write(rig.Next(s => s with { Created = s.Created.AddMinutes(10) }));
        await rig.RefusedAsync(ErrorIds.BundleSequence, honest);
        ImportResult back = await rig.ImportAsync(honest, resetSequence: true);
        Assert.Equal((8, 8), (back.Generation.Sequence, back.Generation.HighestSequence));
        Assert.True((await rig.ImportAsync(rig.Write(rig.Next(s => s with { Sequence = 9, Created = s.Created.AddMinutes(20) })))).Changed);

        var ledger = new Ledger(rig.Kit.Inside, rig.Kit.Clock);
        Assert.Equal([7L, 9_000_000_000L], ledger.Read().Where(e => e.Details["sequenceReset"] is not null).Select(e => (long)e.Details["sequenceReset"]!));
        string expired = rig.Write(rig.Next(s => s with { Sequence = 3, Expires = Pki.Now.AddSeconds(-1) }));
        Assert.Equal(ErrorIds.BundleExpired, (await Assert.ThrowsAsync<FeedException>(() => rig.ImportAsync(expired, resetSequence: true))).ErrorId);
        string unsigned = rig.Write(new HandMadeBundle(rig.Kit) { Sign = _ => [] });
        Assert.Equal(ErrorIds.BundleUnsigned, (await Assert.ThrowsAsync<FeedException>(() => rig.ImportAsync(unsigned, resetSequence: true))).ErrorId);
    }

    /// <summary>QUAYAIRGAP_UPDATE=1 writes the table anew.</summary>
    [Fact]
    public void The_readme_has_this_very_table()
    {
        string path = Path.Combine(Root(), "tests", "README.md");
        string text = File.ReadAllText(path).ReplaceLineEndings("\n");
        int begin = text.IndexOf(Begin, StringComparison.Ordinal);
        int end = text.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= 0 && end > begin, $"tests/README.md lacks {Begin} or {End}");
        string expected = $"{text[..begin]}{Begin}\n{Table()}{text[end..]}";
        if (Environment.GetEnvironmentVariable("QUAYAIRGAP_UPDATE") == "1")
        {
            File.WriteAllText(path, expected);
        }

        Assert.True(text == expected, "tests/README.md tells of other attacks than the tests build. Run the test with QUAYAIRGAP_UPDATE=1.");
    }

    [Fact]
    public void Every_id_of_a_refused_bundle_has_an_attack()
    {
        string[] ids = [.. typeof(ErrorIds).GetFields().Select(f => (string)f.GetRawConstantValue()!).Where(i => i.StartsWith("Bundle", StringComparison.Ordinal))];

        // A path that is wrong is nobody's attack.
        Assert.Equal([ErrorIds.BundleNotFound], ids.Order(StringComparer.Ordinal).Except(Attacks.All.Select(a => a.ErrorId)));
    }

    private static string Table()
    {
        var table = new StringBuilder("| attack | what is brought | refused by |\n|---|---|---|\n");
        foreach (Attack attack in Attacks.All)
        {
            table.Append($"| {attack.Group} | {attack.How} | `{attack.ErrorId}` |\n");
            if (attack == Attacks.All.Last(a => a.Group == "freeze"))
            {
                table.Append("| freeze | no bundle at all for longer than the thresholds | no refusal: `Test-ClairFeedFreshness` raises the alarm |\n");
            }
        }

        return table.ToString();
    }

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "QuayAirGap.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new DirectoryNotFoundException("The tests run from within the repository.");
    }
}
