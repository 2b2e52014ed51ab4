using Microsoft.Extensions.Logging;
using QuayAirGap.Core;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Server.Contents;

/// <summary>
/// The generation that a site has made current. It is looked for at most once a second, when somebody asks: the request that finds a new
/// one waits until it is loaded, all others go on with the one before; then one reference is exchanged.
/// </summary>
internal sealed class CurrentGeneration(Site site, TimeProvider time, ILogger log) : IMirrorContent
{
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(1);

    /// <summary>How long a generation that could not be loaded is left alone: reading it costs something, and says the same again.</summary>
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(10);

    private readonly GenerationStore _generations = new(site);
    private volatile GenerationView? _view;
    private int _looking;
    private long _nextLook = long.MinValue;
    private string? _lastTrouble;
    private int? _failedNumber;
    private long _nextTry = long.MinValue;

    public bool IsReady => _view is not null;

    public Generation? Published => _view?.Summary;

    public Task PrepareAsync(CancellationToken cancellationToken) => LookAsync().WaitAsync(cancellationToken);

    public async ValueTask<Found?> FindAsync(string path, CancellationToken cancellationToken)
    {
        await LookAsync(cancellationToken);
        return _view?.Find(path);
    }

    /// <summary>A client that goes away does not stop the loading that the others profit from.</summary>
    public ValueTask LookAsync(CancellationToken cancellationToken) =>
        time.GetTimestamp() >= Volatile.Read(ref _nextLook) ? new ValueTask(LookAsync().WaitAsync(cancellationToken)) : ValueTask.CompletedTask;

    private Task LookAsync() =>
        Interlocked.Exchange(ref _looking, 1) == 0 ? Task.Run(Look) : Task.CompletedTask;

    private void Look()
    {
        try
        {
            if (LoadIfChanged())
            {
                // The tables before are a few large arrays, which the collector by itself would leave lying for many more switches.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
            }
        }
        catch (Exception e)
        {
            // Whatever it is: the generation before goes on being served, and the next look tries again.
            Report(LogLevel.Error, e is FeedException f ? $"{f.Message} {f.Remedy}" : e.ToString());
        }
        finally
        {
            Volatile.Write(ref _nextLook, After(s_lookEvery));
            Volatile.Write(ref _looking, 0);
        }
    }

    /// <returns>Whether another generation is served from now on.</returns>
    private bool LoadIfChanged()
    {
        int? number = _generations.CurrentNumber;
        GenerationView? served = _view;
        if (number is null)
        {
            Report(
                served is null ? LogLevel.Warning : LogLevel.Error,
                served is null
                    ? $"The site '{site.Root}' has published nothing yet: every path is answered with 404. Run Import-ClairFeed."
                    : $"'{site.CurrentFile}' is gone; generation {served.Number} is served on. Run Restore-ClairFeed.");
            return false;
        }

        if (number == served?.Number)
        {
            _lastTrouble = null;
            return false;
        }

        if (number == _failedNumber && time.GetTimestamp() < _nextTry)
        {
            return false;
        }

        try
        {
            GenerationView loaded = GenerationView.Load(_generations, number.Value, site.Store);
            _view = loaded;
            _failedNumber = null;
            _lastTrouble = null;
            log.LogInformation(
                "Serving generation {Number} (sequence {Sequence}, published {PublishedAt:yyyy-MM-dd'T'HH:mm:ss'Z'}): {Count} paths.",
                loaded.Number, loaded.Sequence, loaded.PublishedAt.UtcDateTime, loaded.Count);
            return true;
        }
        catch
        {
            _failedNumber = number;
            _nextTry = After(s_retryAfter);
            throw;
        }
    }

    /// <summary>Says a trouble once, not at every look while it lasts.</summary>
    private void Report(LogLevel level, string trouble)
    {
        if (trouble == _lastTrouble)
        {
            return;
        }

        _lastTrouble = trouble;
        string consequence = level == LogLevel.Error && _view is { } view ? $" Generation {view.Number} is served on." : "";
        log.Log(level, "{Trouble}{Consequence}", trouble, consequence);
    }

    private long After(TimeSpan span) => time.GetTimestamp() + (long)(span.TotalSeconds * time.TimestampFrequency);
}
