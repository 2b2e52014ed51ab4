using Microsoft.Extensions.Logging;
using QuayAirGap.Core.Notifying;

namespace QuayAirGap.Server.Commands;

/// <summary>What an operator must know, as events.</summary>
/// <param name="write">Writes one: how it is marked, its id, its text.</param>
internal sealed class EventLogger(Action<EventLogType, uint, string> write) : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Information and not LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        (EventLogType type, uint id) = logLevel switch
        {
            LogLevel.Information => (EventLogType.Information, ServiceRun.Informed),
            LogLevel.Warning => (EventLogType.Warning, ServiceRun.Warned),
            _ => (EventLogType.Error, ServiceRun.Failed),
        };
        write(type, id, exception is null ? formatter(state, exception) : $"{formatter(state, exception)} {exception}");
    }

    public void Dispose()
    {
    }
}
