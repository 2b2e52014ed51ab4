namespace QuayAirGap.Core.Notifying;

/// <summary>A way to warn.</summary>
internal interface IWarningChannel
{
    WarningChannel Channel { get; }

    /// <summary>Whom it reaches, for people; no secret.</summary>
    string Destination { get; }

    /// <summary>
    /// True: it shows how things are and is brought up to date in every run, also with the news that all is good. False: it gets messages.
    /// </summary>
    bool IsStanding { get; }

    /// <returns>Whether anything was changed or sent.</returns>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.WarningNotSent"/>, <see cref="ErrorIds.WarningRefused"/>, <see cref="ErrorIds.WarningSecret"/> or
    /// <see cref="ErrorIds.WarningUnencrypted"/>
    /// </exception>
    Task<bool> SendAsync(FeedWarning warning, CancellationToken token);
}
