using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Tests.Support;
using Xunit;

namespace QuayAirGap.Core.Tests.Sites;

public sealed class LedgerTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Site _site;
    private readonly Ledger _ledger;

    public LedgerTests()
    {
        _site = Site.OpenOrCreate(_folder.Of("site"));
        _ledger = new Ledger(_site, new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero)));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_done_is_read_back_in_order_and_the_chain_holds()
    {
        Append(3);

        Assert.Equal([1, 2, 3], _ledger.Read().Select(e => e.N));
        Assert.All(_ledger.Read(), e => Assert.Contains('@', e.Actor));
        Assert.Equal("it's \"2\"\nlong", _ledger.Read().ElementAt(1).Details["what"]);
        Assert.Null(_ledger.VerifyChain());
    }

    [Fact]
    public void Any_changed_byte_of_a_line_that_another_follows_shows()
    {
        Append(4);
        byte[] whole = File.ReadAllBytes(_site.LedgerFile);
        int lastLine = whole.AsSpan(0, whole.Length - 1).LastIndexOf((byte)'\n') + 1;
        for (int i = 0; i < lastLine - 1; i++)
        {
            byte[] changed = [.. whole];
            changed[i] ^= 1;
            File.WriteAllBytes(_site.LedgerFile, changed);

            Assert.True(_ledger.VerifyChain() is not null, $"A change at byte {i} went unnoticed.");
        }
    }

    [Fact]
    public void A_line_taken_out_shows()
    {
        Append(4);
        string[] lines = File.ReadAllLines(_site.LedgerFile);
        File.WriteAllText(_site.LedgerFile, string.Join('\n', lines.Where((_, i) => i != 1)) + "\n");

        Assert.Equal(2, _ledger.VerifyChain());
    }

    [Fact]
    public void A_line_torn_by_a_kill_at_any_byte_is_kept_and_gone_on_from()
    {
        Append(2);
        byte[] whole = File.ReadAllBytes(_site.LedgerFile);
        int second = Array.IndexOf(whole, (byte)'\n') + 1;
        for (int length = second + 1; length < whole.Length; length++)
        {
            File.WriteAllBytes(_site.LedgerFile, whole[..length]);

            Append(1);

            byte[] now = File.ReadAllBytes(_site.LedgerFile);
            Assert.True(now.AsSpan().StartsWith(whole.AsSpan(0, length)), "What was there was rewritten.");
            Assert.Null(_ledger.VerifyChain());
            Assert.Equal(3, _ledger.Read().Last().N);
        }
    }

    private void Append(int times)
    {
        for (int i = 1; i <= times; i++)
        {
            _ledger.Append("feed.saved", new Dictionary<string, string> { ["what"] = $"it's \"{i}\"\nlong" });
        }
    }
}
