using System.Diagnostics;
using System.Management.Automation;
using System.Text;

namespace QuayAirGap.Host;

/// <summary>One line for each running activity below the text, redrawn at most four times a second, and only on a terminal.</summary>
internal sealed class ProgressDisplay(Terminal terminal)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, ProgressRecord> _records = [];
    private long _drawnAt;
    private int _drawnLines;

    public void Update(ProgressRecord record)
    {
        if (!terminal.ErrorHasColor)
        {
            return;
        }

        lock (_lock)
        {
            if (record.RecordType == ProgressRecordType.Completed)
            {
                _records.Remove(record.ActivityId);
            }
            else
            {
                _records[record.ActivityId] = record;
            }

            if (_records.Count == 0)
            {
                Hide();
            }
            else if (_drawnLines == 0 || Stopwatch.GetElapsedTime(_drawnAt) >= s_interval)
            {
                Draw();
            }
        }
    }

    /// <summary>Takes the lines away; the next record draws them again.</summary>
    public void Hide()
    {
        lock (_lock)
        {
            if (_drawnLines > 0)
            {
                terminal.Draw(Erase());
                _drawnLines = 0;
            }
        }
    }

    private void Draw()
    {
        var text = new StringBuilder(Erase());
        int width = Math.Max(20, Terminal.Width - 1);
        foreach (ProgressRecord record in _records.Values.Take(Math.Max(1, Terminal.Height - 2)))
        {
            string line = string.Join("  ", new[] { record.Activity, record.StatusDescription, record.CurrentOperation }.Where(t => !string.IsNullOrWhiteSpace(t)));
            if (record.PercentComplete >= 0)
            {
                line = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{record.PercentComplete,3}%  {line}");
            }

            text.Append(line.Length > width ? line[..width] : line).Append('\n');
            _drawnLines++;
        }

        terminal.Draw(text.ToString());
        _drawnAt = Stopwatch.GetTimestamp();
    }

    private string Erase()
    {
        string erase = _drawnLines == 0 ? "" : $"\e[{_drawnLines}A\e[0J";
        _drawnLines = 0;
        return erase;
    }
}
