using System.Globalization;
using Microsoft.Extensions.Logging;

namespace QuayAirGap.Server.Commands;

/// <summary>What an operator must know, one line each: time (UTC), level, message.</summary>
internal sealed class TextLog(TextWriter output, TimeProvider time) : ILoggerProvider
{
    private readonly Lock _lock = new();

    public ILogger CreateLogger(string categoryName) => new Logger(this);

    public void Dispose()
    {
    }

    private void Write(LogLevel level, string message)
    {
        lock (_lock)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {level.ToString().ToLowerInvariant()}: {message}"));
            output.Flush();
        }
    }

    private sealed class Logger(TextLog log) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Write(logLevel, exception is null ? formatter(state, exception) : $"{formatter(state, exception)} {exception}");
    }
}
