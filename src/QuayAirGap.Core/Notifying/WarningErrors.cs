namespace QuayAirGap.Core.Notifying;

/// <summary>Why a warning did not get through, always with the channel as the target.</summary>
internal static class WarningErrors
{
    public static FeedException NotSent(IWarningChannel channel, string why, Exception? cause = null) => new(
        ErrorIds.WarningNotSent, $"{channel.Channel}: the warning did not reach {channel.Destination}: {why.TrimEnd('.')}.", channel.Channel.ToString(),
        "Put the cause right; the next run sends it again. 'Send-ClairFeedWarning -Test' tries without any trouble.", cause);

    public static FeedException Refused(IWarningChannel channel, string why, Exception? cause = null) => new(
        ErrorIds.WarningRefused, $"{channel.Channel}: {channel.Destination} refused the warning: {why.TrimEnd('.')}.", channel.Channel.ToString(),
        "Check the account, its password or token, and what it may do; the next run sends it again.", cause);

    public static FeedException Secret(WarningChannel channel, string what, Exception? cause = null) => new(
        ErrorIds.WarningSecret, $"{channel}: {what.TrimEnd('.')}.", channel.ToString(),
        "Name a file that this account can read, or an environment variable that is set, in sources.yaml below 'warnings'.", cause);
}
