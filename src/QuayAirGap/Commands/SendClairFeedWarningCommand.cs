using System.Management.Automation;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Send-ClairFeedWarning.</summary>
[Cmdlet(VerbsCommunications.Send, "ClairFeedWarning", SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedWarning))]
public sealed class SendClairFeedWarningCommand : ClairFeedCmdlet
{
    /// <summary>The channels; all that the settings describe where none is named.</summary>
    [Parameter(Position = 0)]
    [ValidateSet(
        nameof(WarningChannel.Mail), nameof(WarningChannel.Quay), nameof(WarningChannel.Webhook), nameof(WarningChannel.Syslog),
        nameof(WarningChannel.EventLog), nameof(WarningChannel.Textfile))]
    public string[] Channel { get; set; } = [];

    /// <summary>Sends a test message, whatever the state of the feeds.</summary>
    [Parameter]
    public SwitchParameter Test { get; set; }

    /// <summary>Tells of trouble again, also where it was told less than a day ago.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Takes this machine's clock as right, although it has been later before.</summary>
    [Parameter]
    public SwitchParameter AcceptClock { get; set; }

    /// <summary>The account at the mail server, instead of the one in the settings.</summary>
    [Parameter]
    [Credential]
    public PSCredential? Credential { get; set; }

    /// <summary>Writes what became of each channel to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        Site site = OpenSite();
        var request = new WarningRequest
        {
            Clair = SiteSettings.Load(site).Clair is { } clair ? Await((_, token) => ClairWatch.AskAsync(site, clair, TimeProvider.System, token)) : null,
            Channels = [.. Channel.Select(c => Enum.Parse<WarningChannel>(c, ignoreCase: true)).Distinct()],
            Test = Test,
            Force = Force,
            AcceptClock = AcceptClock,
            MailCredential = Credential?.GetNetworkCredential(),
        };
        using var sender = new WarningSender(site, request, TimeProvider.System);
        if (sender.StateDamage is { } damage)
        {
            WriteWarning($"{damage} Everything is told again.");
        }

        HashSet<WarningChannel> wanted = [.. sender.Plan.Where(IsWanted).Select(p => p.Channel)];
        if (MyInvocation.BoundParameters.TryGetValue("WhatIf", out object? whatIf) && (SwitchParameter)whatIf)
        {
            return;
        }

        foreach (WarningOutcome outcome in Await((_, token) => sender.SendAsync(p => wanted.Contains(p.Channel), token)))
        {
            if (outcome.Error is { } error)
            {
                WriteError(ErrorRecordFactory.Create(error));
            }

            ClairFeedWarning result = OutputMapper.Warning(outcome);
            WriteVerbose($"{result.Channel}, {result.Destination}: {result.Result}. {result.Summary}");
            if (PassThru)
            {
                WriteObject(result);
            }
        }
    }

    /// <summary>Asks for every message; what has nothing to say needs no leave for it.</summary>
    private bool IsWanted(PlannedWarning planned) => planned.Warning is not { } warning
        || ShouldProcess(planned.Destination, $"{warning.Kind} by {planned.Channel}: {warning.Summary}");
}
