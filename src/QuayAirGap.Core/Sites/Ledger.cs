using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Sites;

/// <summary>The events that the ledger knows.</summary>
public static class LedgerEvents
{
    public const string FeedSaved = "feed.saved";
    public const string BundleRefused = "bundle.refused";
    public const string FeedImported = "feed.imported";
    public const string FeedRestored = "feed.restored";
    public const string TrustAdded = "trust.added";
    public const string TrustRemoved = "trust.removed";
    public const string TrustRevoked = "trust.revoked";
    public const string TrustDocument = "trust.document";
    public const string TrustPolicyChanged = "trust.policy";
    public const string BundleSigned = "bundle.signed";
    public const string BundlePublished = "bundle.published";
    public const string BundleReceived = "bundle.received";
    public const string StoreChecked = "store.checked";
    public const string SettingsChanged = "settings.changed";
    public const string NeedSaved = "need.saved";
}

/// <summary>One line of the ledger.</summary>
/// <param name="Number">The line's number, from 1.</param>
/// <param name="Time">UTC.</param>
/// <param name="Event">One of <see cref="LedgerEvents"/>.</param>
/// <param name="Actor">"user@host".</param>
/// <param name="Details">What else was recorded.</param>
/// <param name="Previous">SHA-256 of the line before, 64 lower-case hexadecimal digits; zeros for the first.</param>
public sealed record LedgerEntry(long Number, DateTimeOffset Time, string Event, string Actor, JsonObject Details, string Previous);

/// <summary>One entry as it stands in the file.</summary>
/// <param name="Entry">What it says.</param>
/// <param name="Text">The line, without its end.</param>
/// <param name="Sha256">Of the line: what the next one names as its previous one.</param>
public sealed record LedgerLineText(LedgerEntry Entry, string Text, string Sha256);

/// <summary>Where the ledger's chain breaks.</summary>
/// <param name="Line">The line's number, from 1.</param>
/// <param name="Reason">What is wrong with it, for people.</param>
public sealed record LedgerFault(long Line, string Reason);

/// <summary>
/// Who did what to the site and when: ledger.jsonl, one JSON object a line, each with the SHA-256 of the line before it, so that nothing
/// in it can be changed or taken out of its middle unseen. Nothing in it is ever rewritten. Callers that change the site hold its lock;
/// lines of two processes never mix in any case.
/// </summary>
public sealed class Ledger(Site site, TimeProvider clock)
{
    private const int CurrentVersion = 1;
    private const int Attempts = 1000;
    private const int MaxLine = 1024 * 1024;
    private const string TimePattern = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(60);
    private static readonly string s_first = new('0', 64);

    /// <summary>Adds a line; it is on disk when this returns.</summary>
    /// <param name="event">One of <see cref="LedgerEvents"/>.</param>
    /// <param name="details">Never a secret.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteNotWritable"/>, <see cref="ErrorIds.SiteBusy"/> or <see cref="ErrorIds.DiskFull"/></exception>
    public LedgerEntry Append(string @event, JsonObject details)
    {
        try
        {
            bool isNew = !File.Exists(site.LedgerFile);
            LedgerEntry entry;
            using (FileStream file = Open(FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
            {
                (long lines, string previous, bool torn) = ReadTail(file); // refuses a ledger that a later version has gone on with
                entry = new LedgerEntry(
                    lines + 1, clock.GetUtcNow().ToUniversalTime(), @event, $"{Environment.UserName}@{Environment.MachineName}", details, previous);
                var line = new ArrayBufferWriter<byte>();
                if (torn)
                {
                    // What a killed process left stays as it is, and is a link of the chain like any other.
                    line.Write("\n"u8);
                }

                WriteLine(line, entry);
                ArgumentOutOfRangeException.ThrowIfGreaterThan(line.WrittenCount, MaxLine, nameof(details));
                file.Position = file.Length;
                file.Write(line.WrittenSpan);
                file.Flush(flushToDisk: true);
            }

            if (isNew)
            {
                Durable.FlushFolder(site.Root);
            }

            return entry;
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(site.LedgerFile, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.SiteNotWritable, $"The ledger '{site.LedgerFile}' cannot be written: {e.Message}", site.LedgerFile,
                "Give this account write access to the file. What is not recorded is not done.", e);
        }
    }

    /// <summary>Every entry, the oldest first. A line that a kill cut off is not an entry and is left out.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.LedgerDamaged"/></exception>
    public IEnumerable<LedgerEntry> Read() => ReadLines().Select(l => l.Entry);

    /// <summary>As <see cref="Read"/>, with the lines themselves.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.LedgerDamaged"/></exception>
    public IEnumerable<LedgerLineText> ReadLines()
    {
        foreach ((long number, byte[] line, _) in Lines())
        {
            if (Parse(line) is { } entry)
            {
                yield return new LedgerLineText(entry, Encoding.UTF8.GetString(line), Sha256Digest.Of(line));
            }
            else if (!IsTorn(line, number))
            {
                throw Damaged(number);
            }
        }
    }

    /// <summary>The first line at which the chain does not hold, or null where all of it does.</summary>
    public LedgerFault? VerifyChain()
    {
        string previous = s_first;
        foreach ((long number, byte[] line, _) in Lines())
        {
            LedgerEntry? entry = Parse(line);
            if (entry is null && !IsTorn(line, number))
            {
                return new LedgerFault(number, "It is not an entry.");
            }

            if (entry is not null && entry.Number != number)
            {
                return new LedgerFault(number, $"It says that it is line {entry.Number}: lines were taken out or put in.");
            }

            if (entry is not null && entry.Previous != previous)
            {
                return new LedgerFault(number, "The line before it is not the one that it was written after.");
            }

            previous = Sha256Digest.Of(line);
        }

        return null;
    }

    /// <exception cref="FeedException"><see cref="ErrorIds.LedgerDamaged"/>: the chain does not hold.</exception>
    public void ThrowIfBroken()
    {
        if (VerifyChain() is { } fault)
        {
            throw new FeedException(
                ErrorIds.LedgerDamaged, $"The chain of the ledger '{site.LedgerFile}' breaks at line {fault.Line}. {fault.Reason}", site.LedgerFile,
                "Somebody or something changed it. Keep a copy of it, compare it with what was exported before, and find out who.");
        }
    }

    private static void WriteLine(ArrayBufferWriter<byte> line, LedgerEntry entry)
    {
        using (var writer = new Utf8JsonWriter(line))
        {
            writer.WriteStartObject();
            writer.WriteNumber("n", entry.Number);
            writer.WriteString("time", entry.Time.UtcDateTime.ToString(TimePattern, CultureInfo.InvariantCulture));
            writer.WriteString("event", entry.Event);
            writer.WriteString("actor", entry.Actor);
            writer.WritePropertyName("details");
            entry.Details.WriteTo(writer);
            writer.WriteString("previous", entry.Previous);
            writer.WriteEndObject();
        }

        line.Write("\n"u8);
    }

    /// <summary>The entry, or null where it is none.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteVersion"/>: a line that says "v" is of that version, any other is of the first.</exception>
    private LedgerEntry? Parse(byte[] line)
    {
        FormatVersion.ThrowIfLater(site.LedgerFile, FormatVersion.InJson(line, "v"u8), CurrentVersion);
        try
        {
            return JsonNode.Parse(line) is JsonObject o
                && o["n"]?.GetValue<long>() is { } number
                && DateTimeOffset.TryParseExact(
                    o["time"]?.GetValue<string>(), TimePattern, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
                && o["event"]?.GetValue<string>() is { } what
                && o["actor"]?.GetValue<string>() is { } actor
                && o["details"] is JsonObject details
                && o["previous"]?.GetValue<string>() is { } previous
                ? new LedgerEntry(number, time, what, actor, details, previous)
                : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or ArgumentException)
        {
            return null; // not JSON, a member of another kind, or a member given twice
        }
    }

    /// <summary>
    /// Whether a line that is no entry is the beginning of the one that was due: what a kill leaves, or a power cut, which may fill it
    /// up with zeros.
    /// </summary>
    private static bool IsTorn(byte[] line, long number)
    {
        ReadOnlySpan<byte> found = line.AsSpan().TrimEnd((byte)0);
        byte[] due = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"n\":{number},\"time\":\""));
        int length = Math.Min(found.Length, due.Length);
        if (!found[..length].SequenceEqual(due.AsSpan(0, length)))
        {
            return false;
        }

        try
        {
            var reader = new Utf8JsonReader(found, isFinalBlock: false, default);
            while (reader.Read())
            {
                if (reader.CurrentDepth == 0 && reader.TokenType == JsonTokenType.EndObject)
                {
                    return false; // whole, and yet no entry
                }
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private (long Lines, string Previous, bool Torn) ReadTail(FileStream file)
    {
        long lines = 0;
        string previous = s_first;
        bool torn = false;
        byte[] last = [];
        foreach ((long number, byte[] line, bool complete) in Split(file))
        {
            lines = number;
            previous = Sha256Digest.Of(line);
            torn = !complete;
            last = line;
        }

        FormatVersion.ThrowIfLater(site.LedgerFile, FormatVersion.InJson(last, "v"u8), CurrentVersion);

        return (lines, previous, torn);
    }

    private IEnumerable<(long Number, byte[] Line, bool Complete)> Split(Stream file)
    {
        var line = new ArrayBufferWriter<byte>();
        byte[] buffer = new byte[64 * 1024];
        long number = 0;
        for (int read; (read = file.Read(buffer)) > 0;)
        {
            for (int from = 0; from < read;)
            {
                int length = buffer.AsSpan(from, read - from).IndexOf((byte)'\n');
                line.Write(buffer.AsSpan(from, length < 0 ? read - from : length));
                if (line.WrittenCount > MaxLine)
                {
                    throw Damaged(number + 1);
                }

                if (length < 0)
                {
                    break;
                }

                yield return (++number, line.WrittenSpan.ToArray(), true);
                line.ResetWrittenCount();
                from += length + 1;
            }
        }

        if (line.WrittenCount > 0)
        {
            yield return (++number, line.WrittenSpan.ToArray(), false);
        }
    }

    private IEnumerable<(long Number, byte[] Line, bool Complete)> Lines()
    {
        if (!File.Exists(site.LedgerFile))
        {
            yield break;
        }

        using FileStream file = Open(FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        foreach ((long, byte[], bool) line in Split(file))
        {
            yield return line;
        }
    }

    /// <summary>An appending process holds the file for a moment; everybody else waits for it.</summary>
    private FileStream Open(FileMode mode, FileAccess access, FileShare share)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(site.LedgerFile, mode, access, share, 1);
            }
            catch (IOException e) when (IsHeld(e))
            {
                if (attempt == Attempts)
                {
                    throw new FeedException(
                        ErrorIds.SiteBusy, $"Another process holds the ledger '{site.LedgerFile}'.", site.LedgerFile, "Close what has it open, then try again.", e);
                }

                // Of changing length, so that one of many writers is not late every time: half a minute in all.
                Thread.Sleep(s_longestPause * Random.Shared.NextDouble());
            }
        }
    }

    private FeedException Damaged(long line) => new(
        ErrorIds.LedgerDamaged, $"Line {line} of the ledger '{site.LedgerFile}' cannot be read.", site.LedgerFile,
        "Somebody or something changed it. Keep a copy of it, find out who, and start a new one by moving it away.");

    /// <summary>EWOULDBLOCK from flock, or ERROR_SHARING_VIOLATION.</summary>
    private static bool IsHeld(IOException e) => e.GetType() == typeof(IOException) && e.HResult is 11 or unchecked((int)0x80070020);
}
