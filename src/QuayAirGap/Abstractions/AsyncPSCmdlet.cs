using System.Management.Automation;
using QuayAirGap.Core;

namespace QuayAirGap.Commands;

/// <summary>
/// Lets a cmdlet wait for asynchronous work. The work runs on the pool; the pipeline thread waits for it in short slices, shows its
/// progress in between, and is the only one that ever writes. Ctrl+C cancels the work, and the cmdlet still waits for it to clean up, so
/// that nothing is written after the command has ended.
/// </summary>
public abstract class AsyncPSCmdlet : PSCmdlet, IDisposable
{
    private static readonly TimeSpan s_slice = TimeSpan.FromMilliseconds(250);

    /// <summary>How long cancelled work may take to clean up before the prompt comes back without it.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();

    /// <summary>Waits for work on the pipeline thread.</summary>
    /// <exception cref="PipelineStoppedException">The command was stopped.</exception>
    protected T Await<T>(Func<IProgress<FeedProgress>, CancellationToken, Task<T>> work)
    {
        var board = new ProgressBoard();
        using var view = new ProgressView(this, MyInvocation.MyCommand.Name);
        // Not started with the token: work that never started could not say that it was cancelled.
        Task<T> task = Task.Run(() => work(board, _stop.Token), CancellationToken.None);
        WaitHandle finished = ((IAsyncResult)task).AsyncWaitHandle;
        WaitHandle[] either = [finished, _stop.Token.WaitHandle];
        while (WaitHandle.WaitAny(either, s_slice) == WaitHandle.WaitTimeout)
        {
            try
            {
                view.Show(board.TakeChanges());
            }
            catch (PipelineStoppedException)
            {
                _stop.Cancel(); // a command further down the pipeline has ended it, e.g. Select-Object -First
            }
        }

        if (_stop.IsCancellationRequested && !finished.WaitOne(s_patience))
        {
            throw new PipelineStoppedException();
        }

        try
        {
#pragma warning disable VSTHRD002 // it has ended
            return task.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing()
    {
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Ctrl+C in the moment in which the command ended.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stop.Dispose();
        }
    }
}
