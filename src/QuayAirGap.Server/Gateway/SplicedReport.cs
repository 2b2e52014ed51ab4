using System.Text.Json;

namespace QuayAirGap.Server.Gateway;

/// <summary>
/// A report that gets its warning while it goes by: a member more at the end of each of four maps, and every other byte where it was. Nothing goes out before the
/// scanner has been there. Whatever is wrong with the report from some place on, the rest goes through as it is.
/// </summary>
internal sealed class SplicedReport : ForwardStream
{
    /// <summary>How much is read at once where there is a text that is larger than what is asked for.</summary>
    private const int Batch = 64 * 1024;

    private readonly IHeldBytes _report;
    private readonly ReportScanner _scanner;
    private readonly IReadOnlyDictionary<int, byte[]> _added;
    private readonly Action<GatewayFailure, string> _failed;
    private readonly Action _released;
    private readonly Queue<Edit> _edits = new();

    /// <summary>The maps whose place is not known yet.</summary>
    private readonly List<int> _missing;

    /// <summary>Bytes of the report that were let out, or left out.</summary>
    private long _at;

    /// <summary>What goes out before the report's next byte.</summary>
    private ReadOnlyMemory<byte> _text;

    /// <summary>Bytes at the end of what is there that are no whole token.</summary>
    private long _leftOver;

    private bool _isAtEnd;
    private bool _disposed;

    /// <param name="report">From its beginning.</param>
    /// <param name="scanner">Has read the report as far as it likes.</param>
    /// <param name="added">A member for each map.</param>
    /// <param name="failed">Is told why the warning could not be put in, or not all of it.</param>
    /// <param name="released">Is called when nobody reads any more.</param>
    public SplicedReport(IHeldBytes report, ReportScanner scanner, IReadOnlyDictionary<int, byte[]> added, Action<GatewayFailure, string> failed, Action released)
    {
        (_report, _scanner, _added, _failed, _released) = (report, scanner, added, failed, released);
        _missing = [.. added.Keys];
        Place();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int copied = 0;
        while (copied < buffer.Length)
        {
            if (_text.IsEmpty && _edits.TryPeek(out Edit edit) && edit.At == _at && edit.Replaces <= _report.Held.Length)
            {
                _edits.Dequeue();
                _text = edit.Text;
                Forget(edit.Replaces);
            }

            bool isText = !_text.IsEmpty;
            ReadOnlyMemory<byte> next = isText ? _text : Ready();
            int n = Math.Min(next.Length, buffer.Length - copied);
            next[..n].CopyTo(buffer[copied..]);
            copied += n;
            if (isText)
            {
                _text = _text[n..];
            }
            else if (n > 0)
            {
                Forget(n);
            }
            else if (copied > 0 || (_isAtEnd && _missing.Count == 0))
            {
                break; // for what is not there yet nothing waits
            }
            else
            {
                await ReadOnAsync(buffer.Length, cancellationToken);
            }
        }

        return copied;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _released();
        }

        base.Dispose(disposing);
    }

    private void Forget(int count)
    {
        _report.Forget(count);
        _at += count;
    }

    /// <summary>What may go out before something has to be put in or read.</summary>
    private ReadOnlyMemory<byte> Ready()
    {
        long end = _at + _report.Held.Length;
        end = _missing.Count > 0 ? Math.Min(end, _scanner.Consumed) : end;
        end = _edits.TryPeek(out Edit edit) ? Math.Min(end, edit.At) : end;
        return _report.Held[..(int)(end - _at)];
    }

    private async ValueTask ReadOnAsync(int wanted, CancellationToken cancellationToken)
    {
        try
        {
            _isAtEnd = _isAtEnd || !await _report.MoreAsync(wanted > _report.Held.Length ? wanted - _report.Held.Length : Batch, cancellationToken);
        }
        catch (HoldException e)
        {
            Fail(e.Failure, e.Message);
        }

        try
        {
            Scan();
        }
        catch (JsonException e)
        {
            Fail(GatewayFailure.Json, $"it is no JSON document: {e.Message}");
        }
#pragma warning disable CA1031 // whatever it is: a report never gets lost over it
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(GatewayFailure.Judging, e.ToString());
        }
    }

    private void Scan()
    {
        // A text that goes on and on is read from its beginning each time: only when there is twice as much of it as before.
        long unread = _at + _report.Held.Length - _scanner.Consumed;
        if (_missing.Count == 0 || (!_isAtEnd && unread < Math.Max(1, 2 * _leftOver)))
        {
            return;
        }

        _scanner.Read(_report.Held.Span[(int)(_scanner.Consumed - _at)..], _isAtEnd);
        _leftOver = _at + _report.Held.Length - _scanner.Consumed;
        Place();
        if (_isAtEnd && _missing.Count > 0)
        {
            Fail(GatewayFailure.Shape, "it has not all maps of a report of vulnerabilities");
        }
    }

    /// <summary>Finds the places in the maps that have been read as a whole.</summary>
    private void Place()
    {
        if (_scanner.HasDuplicates)
        {
            Fail(GatewayFailure.Shape, "it has a member twice");
        }

        foreach (int map in _missing.Where(m => _scanner[m].IsWhole).OrderBy(m => _scanner[m].Start).ToArray())
        {
            ReportMember member = _scanner[map];
            if (member.Kind is not (JsonTokenType.StartObject or JsonTokenType.Null))
            {
                Fail(GatewayFailure.Shape, "it is no report of vulnerabilities");
                return;
            }

            _missing.Remove(map);
            byte[] text = _added[map];
            _edits.Enqueue(member.Kind == JsonTokenType.Null
                ? new Edit(member.Start, (int)(member.End - member.Start), (byte[])[(byte)'{', .. text, (byte)'}']) // a nil map of Go: Quay takes an object alone
                : new Edit(member.End - 1, 0, member.IsEmpty ? text : (byte[])[(byte)',', .. text]));
        }
    }

    private void Fail(GatewayFailure failure, string why)
    {
        _missing.Clear();
        _failed(failure, why);
    }

    /// <summary>What is put in where, in bytes from the report's beginning.</summary>
    private readonly record struct Edit(long At, int Replaces, ReadOnlyMemory<byte> Text);
}
