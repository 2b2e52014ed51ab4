using System.Globalization;
using System.Text;

namespace QuayAirGap.Core.Quay.Api;

/// <summary>What is to be done to the label of one manifest.</summary>
public enum CoverageLabelAction
{
    /// <summary>It is as it is to be; nothing is written, since Quay logs every change.</summary>
    None,

    Set,

    Update,

    Remove,
}

/// <param name="Action">What is to be done.</param>
/// <param name="Value">What the label says in the end; null for no label.</param>
/// <param name="Superfluous">The labels of ours that go.</param>
public sealed record CoverageLabelPlan(CoverageLabelAction Action, string? Value, IReadOnlyList<QuayLabel> Superfluous);

/// <summary>
/// Keeps exactly one label of ours on a manifest, or none. A manifest can have several labels with one key: what was there before goes after the new one
/// has come, so that a failure in between leaves two and never none. Labels that are written in the image itself are nobody's to change.
/// </summary>
/// <param name="quay">With a token of the scopes repo:read and repo:write.</param>
/// <param name="key">Of the label.</param>
public sealed class CoverageLabels(QuayClient quay, string key)
{
    /// <summary>What keys of ours begin with; Quay keeps others for itself.</summary>
    public const string Prefix = "airgap.";

    public const string DefaultKey = Prefix + "scan-warning";

    /// <summary>What is to be done; changes nothing.</summary>
    /// <param name="namespace">Of the repository.</param>
    /// <param name="repository">Its name.</param>
    /// <param name="digest">Of the manifest.</param>
    /// <param name="value">What the label is to say; null for no label.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    public async Task<CoverageLabelPlan> PlanAsync(string @namespace, string repository, string digest, string? value, CancellationToken cancellationToken)
    {
        QuayLabel[] ours =
        [
            .. (await quay.GetLabelsAsync(@namespace, repository, digest, key, cancellationToken).ConfigureAwait(false)).Where(l => l.Key == key && l.IsMutable),
        ];
        QuayLabel? same = value is null ? null : Array.Find(ours, l => l.Value == value);
        QuayLabel[] superfluous = [.. ours.Where(l => l != same)];
        CoverageLabelAction action = value is null
            ? ours.Length == 0 ? CoverageLabelAction.None : CoverageLabelAction.Remove
            : ours.Length == 0 ? CoverageLabelAction.Set
            : same is not null && superfluous.Length == 0 ? CoverageLabelAction.None
            : CoverageLabelAction.Update;
        return new CoverageLabelPlan(action, value, superfluous);
    }

    /// <summary>Does it.</summary>
    /// <param name="namespace">Of the repository.</param>
    /// <param name="repository">Its name.</param>
    /// <param name="digest">Of the manifest.</param>
    /// <param name="plan">Made just before.</param>
    /// <param name="cancellationToken">Stops between two requests.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.QuayReadOnly"/>, <see cref="ErrorIds.QuayDenied"/>, <see cref="ErrorIds.QuayNotFound"/>, …</exception>
    public async Task ApplyAsync(string @namespace, string repository, string digest, CoverageLabelPlan plan, CancellationToken cancellationToken)
    {
        if (plan.Action == CoverageLabelAction.None)
        {
            return;
        }

        if (plan.Value is { } value
            && !(await quay.GetLabelsAsync(@namespace, repository, digest, key, cancellationToken).ConfigureAwait(false)).Any(l => l.Key == key && l.IsMutable && l.Value == value))
        {
            await quay.AddLabelAsync(@namespace, repository, digest, key, value, cancellationToken).ConfigureAwait(false);
        }

        foreach (QuayLabel label in plan.Superfluous)
        {
            await quay.RemoveLabelAsync(@namespace, repository, digest, label.Id, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// "Stale: FEED-STALE rhel-vex since 2026-11-09". No ages: they would make another label every day, and a line in Quay's log with each.
    /// </summary>
    /// <param name="verdict">In one word.</param>
    /// <param name="gaps">The code, what it concerns, and since when; the worst first.</param>
    public static string ValueOf(string verdict, IEnumerable<(string Code, string Subject, DateTimeOffset? Since)> gaps)
    {
        const int Most = 8;
        var text = new StringBuilder(verdict);
        (string Code, string Subject, DateTimeOffset? Since)[] all = [.. gaps];
        string separator = ": ";
        foreach ((string code, string subject, DateTimeOffset? since) in all.Take(Most))
        {
            text.Append(separator).Append(code).Append(' ').Append(subject);
            if (since is { } time)
            {
                text.Append(CultureInfo.InvariantCulture, $" since {time.UtcDateTime:yyyy-MM-dd}");
            }

            separator = "; ";
        }

        return all.Length > Most ? text.Append(CultureInfo.InvariantCulture, $"; and {all.Length - Most} more").ToString() : text.ToString();
    }
}
