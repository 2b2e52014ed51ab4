using System.Globalization;
using System.Management.Automation;
using QuayAirGap.Core;

namespace QuayAirGap.Commands;

/// <summary>Shows progress as one record for the command and one below it for each source, with ids that stay, and always completes them.</summary>
internal sealed class ProgressView(Cmdlet cmdlet, string command) : IDisposable
{
    private const int CommandId = 5150;

    private readonly Dictionary<string, (int Id, long Bytes, bool Done)> _sources = new(StringComparer.Ordinal);
    private bool _any;

    public void Show(IReadOnlyList<FeedProgress> changes)
    {
        foreach (FeedProgress change in changes)
        {
            if (change.Source is null)
            {
                Write(CommandId, -1, command, change);
                continue;
            }

            int id = _sources.TryGetValue(change.Source, out (int Id, long Bytes, bool Done) known) ? known.Id : CommandId + 1 + _sources.Count;
            _sources[change.Source] = (id, change.Bytes, change.Completed);
            Write(id, CommandId, change.Source, change);
        }

        if (changes.Count > 0 && _sources.Count > 0)
        {
            string status = string.Create(
                CultureInfo.InvariantCulture,
                $"{_sources.Values.Count(s => s.Done)} of {_sources.Count} sources, {ByteText.Of(_sources.Values.Sum(s => s.Bytes))}");
            cmdlet.WriteProgress(new ProgressRecord(CommandId, command, status));
            _any = true;
        }
    }

    public void Dispose()
    {
        if (!_any)
        {
            return;
        }

        try
        {
            foreach ((string source, (int id, _, _)) in _sources.Where(s => !s.Value.Done))
            {
                cmdlet.WriteProgress(new ProgressRecord(id, source, "Done") { RecordType = ProgressRecordType.Completed });
            }

            cmdlet.WriteProgress(new ProgressRecord(CommandId, command, "Done") { RecordType = ProgressRecordType.Completed });
        }
        catch (PipelineStoppedException)
        {
            // The engine takes the records of a stopped pipeline away by itself.
        }
    }

    private void Write(int id, int parent, string activity, FeedProgress progress)
    {
        string bytes = progress.TotalBytes is { } total
            ? $"{ByteText.Of(progress.Bytes)} of {ByteText.Of(total)}"
            : progress.Bytes > 0 ? ByteText.Of(progress.Bytes) : "";
        cmdlet.WriteProgress(new ProgressRecord(id, activity, $"{progress.Activity} {bytes}".Trim())
        {
            ParentActivityId = parent,
            CurrentOperation = progress.Item,
            PercentComplete = progress.TotalBytes is > 0 ? (int)Math.Clamp(progress.Bytes * 100 / progress.TotalBytes.Value, 0, 100) : -1,
            RecordType = progress.Completed ? ProgressRecordType.Completed : ProgressRecordType.Processing,
        });
        _any = true;
    }
}
