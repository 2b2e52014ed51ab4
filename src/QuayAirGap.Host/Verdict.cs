using System.Management.Automation;

namespace QuayAirGap.Host;

/// <summary>
/// Turns what a command wrote into the exit code of the process. An error, or feeds that are stale or incomplete, must not end in 0 only
/// because nobody looked at the text.
/// </summary>
internal sealed class Verdict
{
    private static readonly string[] s_incompleteIds = ["SourceFailed", "NeedNotMet"];
    private const string FreshnessType = "QuayAirGap.ClairFeedFreshness";
    private const string FindingType = "QuayAirGap.ClairAirGapFinding";
    private const string StoreFaultType = "QuayAirGap.ClairFeedStoreFault";
    private const string OperationType = "QuayAirGap.ClairUpdateOperation";
    private const string CoverageType = "QuayAirGap.ClairImageCoverage";
    private const string NeedType = "QuayAirGap.ClairFeedNeed";

    private bool _error;
    private bool _incomplete;
    private bool _stale;
    private bool _endedInFalse;

    public int Code => _error ? ExitCode.Error : _incomplete || _stale || _endedInFalse ? ExitCode.StaleOrIncomplete : ExitCode.Good;

    public void Saw(ErrorRecord error)
    {
        if (s_incompleteIds.Contains(error.FullyQualifiedErrorId.Split(',')[0]))
        {
            _incomplete = true;
        }
        else
        {
            _error = true;
        }
    }

    public void SawError() => _error = true;

    public void Saw(PSObject? output)
    {
        _endedInFalse = output?.BaseObject is false;
        if (output?.BaseObject.GetType().FullName == FreshnessType &&
            output.Properties["Required"]?.Value is true &&
            output.Properties["Level"]?.Value?.ToString() != "Ok")
        {
            _stale = true;
        }

        string? type = output?.BaseObject.GetType().FullName;
        _incomplete |= (type == CoverageType && output!.Properties["Verdict"]?.Value?.ToString() != "Covered")
            || (type == NeedType && output!.Properties["State"]?.Value?.ToString() is not ("Met" or "NotNeeded"))
            || type == StoreFaultType
            || (type == FindingType && output!.Properties["Severity"]?.Value?.ToString() is ("Error" or "Warning"))
            || (type == OperationType && (output!.Properties["State"]?.Value?.ToString() is "Missing" or "Older" or "Unproven"
                || (output.Properties["State"]?.Value?.ToString() == "NotServed" && output.Properties["Date"]?.Value is not null)));
    }
}
