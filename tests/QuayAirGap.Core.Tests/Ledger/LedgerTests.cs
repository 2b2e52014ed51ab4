using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Tests.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Ledgers;

public sealed class LedgerTests : IDisposable
{
    private readonly TempSite _temp = new();
    private readonly FakeTimeProvider _clock = new(Pki.Now);
    private readonly Ledger _ledger;

    public LedgerTests() => _ledger = new Ledger(_temp.Site, _clock);

    private string File => _temp.Site.LedgerFile;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void What_was_recorded_is_read_back_in_order_and_the_chain_holds()
    {
        Assert.Empty(_ledger.Read());
        Assert.Null(_ledger.VerifyChain());
        for (int i = 1; i <= 5; i++)
        {
            _ledger.Append(LedgerEvents.FeedSaved, new JsonObject { ["sequence"] = i, ["path"] = "ü/\n\"x\"" });
            _clock.Advance(TimeSpan.FromHours(1));
        }

        LedgerEntry[] read = [.. new Ledger(_temp.Site, _clock).Read()];

        Assert.Equal([1, 2, 3, 4, 5], read.Select(e => e.Number));
        Assert.Equal(5, read[4].Details["sequence"]!.GetValue<int>());
        Assert.Equal("ü/\n\"x\"", read[4].Details["path"]!.GetValue<string>());
        Assert.Equal(Pki.Now.AddHours(4), read[4].Time);
        Assert.Equal($"{Environment.UserName}@{Environment.MachineName}", read[0].Actor);
        Assert.Null(_ledger.VerifyChain());
        Assert.Equal(5, System.IO.File.ReadAllLines(File).Length);
    }

    [Fact]
    public void Every_changed_byte_but_those_of_the_last_line_is_found()
    {
        for (int i = 0; i < 4; i++)
        {
            _ledger.Append(LedgerEvents.FeedImported, new JsonObject { ["i"] = i });
        }

        byte[] whole = System.IO.File.ReadAllBytes(File);
        int last = Encoding.UTF8.GetString(whole[..^1]).LastIndexOf('\n') + 1;
        var missed = new List<int>();
        for (int i = 0; i < last; i++)
        {
            byte[] changed = [.. whole];
            changed[i] ^= 1;
            System.IO.File.WriteAllBytes(File, changed);
            if (_ledger.VerifyChain() is null)
            {
                missed.Add(i);
            }
        }

        Assert.Empty(missed);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 3)]
    public void A_line_that_was_taken_out_is_missed(int taken, long expected)
    {
        for (int i = 0; i < 4; i++)
        {
            _ledger.Append(LedgerEvents.FeedImported, new JsonObject { ["i"] = i });
        }

        List<string> lines = [.. System.IO.File.ReadAllLines(File)];
        lines.RemoveAt(taken);
        System.IO.File.WriteAllLines(File, lines);

        Assert.Equal(expected, _ledger.VerifyChain()!.Line);
    }

    [Fact]
    public void A_line_cut_off_by_a_kill_at_any_byte_stays_as_it_is_and_the_chain_goes_on()
    {
        _ledger.Append(LedgerEvents.FeedSaved, new JsonObject { ["i"] = 1 });
        long first = new FileInfo(File).Length;
        _ledger.Append(LedgerEvents.FeedSaved, new JsonObject { ["i"] = 2 });
        byte[] whole = System.IO.File.ReadAllBytes(File);
        for (int length = (int)first; length <= whole.Length; length++)
        {
            System.IO.File.WriteAllBytes(File, whole[..length]);
            Assert.Null(_ledger.VerifyChain());

            _ledger.Append(LedgerEvents.FeedImported, new JsonObject { ["after"] = length });

            byte[] after = System.IO.File.ReadAllBytes(File);
            Assert.Equal(whole[..length], after[..length]);
            Assert.Null(_ledger.VerifyChain());
            LedgerEntry[] read = [.. _ledger.Read()];
            Assert.Equal(length, read[^1].Details["after"]!.GetValue<int>());
            Assert.Equal(length >= whole.Length - 1 ? 3 : 2, read.Length);

            if (length > first && length < whole.Length - 1)
            {
                // The cut line is a link like any other.
                after[first] ^= 1;
                System.IO.File.WriteAllBytes(File, after);
                Assert.NotNull(_ledger.VerifyChain());
            }
        }
    }

    [Fact]
    public void A_line_that_never_was_an_entry_is_an_error_with_its_number()
    {
        _ledger.Append(LedgerEvents.FeedSaved, []);
        System.IO.File.AppendAllText(File, "hello\n");

        Assert.Equal(2, _ledger.VerifyChain()!.Line);
        FeedException e = Assert.Throws<FeedException>(() => _ledger.Read().ToList());
        Assert.Equal(ErrorIds.LedgerDamaged, e.ErrorId);
        Assert.Contains("Line 2", e.Message);
    }

    [Fact]
    public async Task Lines_of_many_writers_never_mix()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(w => Task.Run(() =>
        {
            for (int i = 0; i < 10; i++)
            {
                new Ledger(_temp.Site, _clock).Append(LedgerEvents.SettingsChanged, new JsonObject { ["writer"] = w, ["i"] = i });
            }
        })));

        Assert.Null(_ledger.VerifyChain());
        Assert.Equal(60, _ledger.Read().Count());
    }
}
