namespace QuayAirGap.Tests;

/// <summary>Send-ClairFeedWarning in the real engine.</summary>
public sealed class WarningTests
{
    [Fact]
    public void It_says_what_it_would_send_sends_it_once_and_reports_a_channel_that_fails()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        string site = folder["site"];
        engine.Run("param($s) Set-ClairFeedSource alpine -Enabled $true -SitePath $s", site).WithoutErrors();
        Assert.Equal(["WarningNotConfigured"], engine.Run("param($s) Send-ClairFeedWarning -SitePath $s", site).ErrorIds);

        // Mail goes to a port at which nobody listens: the libraries are loaded for it, and the textfile is written all the same.
        string metrics = folder["feeds.prom"];
        File.AppendAllText(
            Path.Combine(site, "sources.yaml"),
            $"\nwarnings:\n  mail:\n    host: 127.0.0.1\n    port: 1\n    from: a@lab.example\n    to: b@lab.example\n  textfile:\n    path: {metrics}\n");
        string before = folder.Listing;
        EngineResult plan = engine.Run("param($s) Send-ClairFeedWarning -SitePath $s -WhatIf -PassThru", site).WithoutErrors();
        Assert.Empty(plan.Output);
        Assert.False(File.Exists(metrics));
        Assert.DoesNotContain("warnings.json", folder.Listing, StringComparison.Ordinal);
        Assert.NotEmpty(before);

        EngineResult sent = engine.Run("param($s) Send-ClairFeedWarning -SitePath $s -PassThru", site);
        Assert.Equal(["WarningNotSent"], sent.ErrorIds);
        Assert.Equal("Mail", sent.Errors[0].TargetObject);
        Assert.Equal(["Mail: Failed", "Textfile: Sent"], sent.Output.Select(o => o.ToString()));
        Assert.True(File.Exists(metrics));

        EngineResult again = engine.Run("param($s) Send-ClairFeedWarning Textfile -Test -SitePath $s -PassThru", site).WithoutErrors();
        Assert.Equal(("Textfile", "Critical"), (again["Channel"], again["Level"]));
        Assert.Equal("NotCollected", engine.Run("param($s) Test-ClairFeedFreshness alpine -SitePath $s", site).WithoutErrors()["Cause"]);
    }
}
