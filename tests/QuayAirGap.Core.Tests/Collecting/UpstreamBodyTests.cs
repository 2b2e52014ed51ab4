using System.IO.Pipelines;
using QuayAirGap.Core.Collecting;
using Xunit;

namespace QuayAirGap.Core.Tests.Collecting;

public sealed class UpstreamBodyTests : IAsyncDisposable
{
    private static readonly TimeSpan s_stallTimeout = TimeSpan.FromMilliseconds(200);

    private readonly Pipe _line = new();
    private readonly UpstreamBody _body;
    private readonly byte[] _buffer = new byte[16];

    public UpstreamBodyTests() => _body = new UpstreamBody(_line.Reader.AsStream(), "https://feeds.example/", 4, s_stallTimeout, _ => { });

    public async ValueTask DisposeAsync() => await _body.DisposeAsync();

    [Fact]
    public async Task A_reader_may_take_longer_than_an_upstream_may()
    {
        await _line.Writer.WriteAsync(new byte[2], default);
        Assert.Equal(2, await _body.ReadAsync(_buffer, default));
        await Task.Delay(3 * s_stallTimeout, TestContext.Current.CancellationToken);
        await _line.Writer.WriteAsync(new byte[2], default);

        Assert.Equal(2, await _body.ReadAsync(_buffer, default));
    }

    [Fact]
    public async Task No_read_waits_for_ever()
    {
        await _line.Writer.WriteAsync(new byte[2], default);
        Assert.Equal(2, await _body.ReadAsync(_buffer, default));

        TransientUpstreamException stalled = await Assert.ThrowsAsync<TransientUpstreamException>(() => _body.ReadAsync(_buffer, default).AsTask());

        Assert.Equal(ErrorIds.UpstreamStalled, stalled.ErrorId);
    }

    [Fact]
    public async Task Who_stops_reading_is_not_told_that_the_upstream_stalled()
    {
        using var stop = new CancellationTokenSource();
        ValueTask<int> read = _body.ReadAsync(_buffer, stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await read);
    }
}
