using System.IO.Pipelines;

namespace QuayAirGap.Server.Http;

/// <summary>Where a body goes, and how much of it went there.</summary>
internal sealed class ResponseSink(PipeWriter writer, CancellationToken aborted)
{
    /// <summary>Whether the client went away before the end. The request itself hears of it a little later.</summary>
    public bool ClientIsGone { get; private set; }

    /// <summary>Bytes handed to the connection so far.</summary>
    public long Sent { get; private set; }

    public Memory<byte> GetMemory(int size) => writer.GetMemory(size);

    /// <summary>Sends what was put into the memory.</summary>
    public async ValueTask AdvanceAsync(int count)
    {
        writer.Advance(count);
        Check(await writer.FlushAsync(aborted));
        Sent += count;
    }

    /// <summary>Sends bytes that are somewhere else, as one piece: the connection's own small pages would cost more than the copy.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> content)
    {
        content.CopyTo(writer.GetMemory(content.Length));
        return AdvanceAsync(content.Length);
    }

    private void Check(FlushResult result)
    {
        if (result.IsCompleted || result.IsCanceled)
        {
            ClientIsGone = true;
            throw new OperationCanceledException("The client is gone.", aborted);
        }
    }
}
