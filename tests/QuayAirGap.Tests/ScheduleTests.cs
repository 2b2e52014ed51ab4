namespace QuayAirGap.Tests;

/// <summary>Schedules and drop folders in the real engine.</summary>
public sealed class ScheduleTests
{
    private const string Register = "param($s, $x, $u) Register-ClairFeedSchedule -SitePath $s -ExecutablePath $x -UnitPath $u -PassThru";

    [Theory]
    [InlineData("Systemd", "quayairgap-import.service,quayairgap-import.timer")]
    [InlineData("Cron", "quayairgap-import")]
    [InlineData("TaskScheduler", "quayairgap-import.xml")]
    public void A_job_is_shown_written_and_taken_away(string scheduler, string names)
    {
        using var engine = new Engine();
        using var folder = new Folder();
        engine.Run("param($s) Set-ClairFeedSource alpine -Enabled $true -SitePath $s", folder["site"]).WithoutErrors();
        string script = $"{Register} Import -Scheduler {scheduler} -Argument @{{ DropFolder = '/srv/it''s here' }}";
        string before = folder.Listing;
        EngineResult shown = engine.Run(script + " -WhatIf", folder["site"], Built.Executable, folder["units"]).WithoutErrors();
        Assert.Equal((false, before), ((bool)shown["IsRegistered"]!, folder.Listing));
        string command = $"Import-ClairFeed -DropFolder '/srv/it''s here' -SitePath '{folder["site"]}' -Verbose";
        Assert.Equal(command, shown["Command"]);

        EngineResult written = engine.Run(script, folder["site"], Built.Executable, folder["units"]).WithoutErrors();
        Assert.Equal(names.Split(','), ((string[])written["Path"]!).Select(Path.GetFileName));
        Assert.Equal((string[])shown["Content"]!, (string[])written["Content"]!);
        Assert.All((string[])written["Path"]!, p => Assert.Contains("QuayAirGap", File.ReadAllText(p), StringComparison.Ordinal));
        Assert.Equal(scheduler == "Cron", ((string[])written["NextSteps"]!).Length == 0);

        const string Remove = "param($n, $u) Unregister-ClairFeedSchedule Import -Scheduler $n -UnitPath $u";
        engine.Run(Remove + " -WhatIf", scheduler, folder["units"]).WithoutErrors();
        Assert.NotEmpty(Directory.GetFiles(folder["units"]));
        engine.Run(Remove, scheduler, folder["units"]).WithoutErrors();
        Assert.Empty(Directory.GetFiles(folder["units"]));
        Assert.Equal(["ScheduleNotFound"], engine.Run(Remove, scheduler, folder["units"]).ErrorIds);
    }

    [Theory]
    [InlineData("Save -Argument @{ Destination = '/out' }", "needs -Signer")]
    [InlineData("Save -Argument @{ Destination = '/out'; Signer = '/s'; SignerPassword = 'x' }", "secrets never stand in a schedule")]
    [InlineData("Warn -Argument @{ Credential = 'x' }", "secrets never stand in a schedule")]
    [InlineData("Import", "needs -DropFolder")]
    [InlineData("Import -Argument @{ DropFolder = '/d'; SitePath = '/x' }", "no argument of a job")]
    [InlineData("Import -Argument @{ DropFolder = '/d'; Colour = 'x' }", "no parameter 'Colour'")]
    [InlineData("Save -Argument @{ Destination = '/out'; Signer = 'credential:k' }", "no credential 'k'")]
    [InlineData("Test -Every 7m", "does not go evenly")]
    [InlineData("Test -At 25:00", "no time of the day")]
    public void What_cannot_be_a_job_is_said(string rest, string said)
    {
        using var engine = new Engine();
        using var folder = new Folder();
        engine.Run("param($s) Set-ClairFeedSource alpine -Enabled $true -SitePath $s", folder["site"]).WithoutErrors();
        EngineResult result = engine.Run($"{Register} {rest} -Scheduler Systemd", folder["site"], Built.Executable, folder["units"]);
        Assert.Equal(["ScheduleInvalid"], result.ErrorIds);
        Assert.Contains(said, result.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["units"]));
    }

    [Fact]
    public async Task A_registered_job_does_its_work_with_the_secret_from_its_file()
    {
        // The whole way: what a schedule of cron would run is run by a shell, outside and inside, as the machine would.
        await using Samples samples = await Samples.StartAsync();
        string signer = samples.Folder["locked.pfx"];
        using var password = new System.Security.SecureString();
        "correct horse".ToList().ForEach(password.AppendChar);
        samples.Engine.Run("param($p, $w) New-ClairFeedSigner -Path $p -Subject 'CN=Locked' -Password $w", signer, password).WithoutErrors();
        samples.Engine.Run("param($p, $s) Add-ClairFeedTrust -Path $p -SitePath $s", samples.Folder["locked.cer"], samples.Inside).WithoutErrors();
        samples.Engine.Run("param($s) Set-ClairFeedSource alpine -Enabled $true -SitePath $s", samples.Outside).WithoutErrors();
        string drop = samples.Folder["drop"];
        Directory.CreateDirectory(drop);
        await File.WriteAllTextAsync(samples.Folder["pw"], "correct horse\n", TestContext.Current.CancellationToken);

        EngineResult save = samples.Engine.Run(
            $"param($s, $x, $u, $d, $k, $p, $r) {Register[Register.IndexOf("Register-", StringComparison.Ordinal)..]} Save -Scheduler Cron -Credential @{{ pw = $p }} "
            + "-Argument @{ Destination = $d; Signer = $k; SignerPasswordPath = 'credential:pw'; Name = 'alpine'; UpstreamRoot = $r }",
            samples.Outside, Built.Executable, samples.Folder["units"], drop, signer, samples.Folder["pw"], samples.Upstream.Root).WithoutErrors();
        Assert.DoesNotContain("correct horse", string.Concat((string[])save["Content"]!), StringComparison.Ordinal);
        Assert.Equal(0, (await HostProcess.RunAsync("-NonInteractive", "-Command", (string)save["Command"]!)).ExitCode);
        Assert.Single(Directory.GetFiles(drop, "*.tar"));

        EngineResult import = samples.Engine.Run(
            $"param($s, $x, $u, $d) {Register[Register.IndexOf("Register-", StringComparison.Ordinal)..]} Import -Scheduler Cron -Argument @{{ DropFolder = $d; Settle = '0:00:01' }}",
            samples.Inside, Built.Executable, samples.Folder["units"], drop).WithoutErrors();
        HostResult imported = await HostProcess.RunAsync("-NonInteractive", "-Command", (string)import["Command"]!);
        Assert.True(imported.ExitCode == 0, imported.Error);
        Assert.Contains("is imported and lies in", imported.Output + imported.Error, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Path.Combine(drop, "done")));
        Assert.Equal(1, samples.Engine.Run("param($s) Get-ClairFeed -SitePath $s", samples.Inside).WithoutErrors()["Generation"]);
    }

    [Fact]
    public async Task A_drop_folder_is_emptied_in_order_and_what_is_refused_is_reported()
    {
        await using Samples samples = await Samples.StartAsync();
        string drop = samples.Folder["drop"];
        Directory.CreateDirectory(drop);
        samples.Save(Path.Combine(drop, "b.tar")).WithoutErrors();
        samples.Save(Path.Combine(drop, "a.tar")).WithoutErrors();
        File.WriteAllText(Path.Combine(drop, "c.tar"), new string('x', 4096));
        File.SetLastWriteTimeUtc(Path.Combine(drop, "c.tar"), DateTime.UtcNow.AddHours(-3));
        const string Script = "param($d, $s) Import-ClairFeed -DropFolder $d -SitePath $s -Settle 0:00:00 -PassThru";

        EngineResult plan = samples.Engine.Run(Script + " -WhatIf", drop, samples.Inside).WithoutErrors();
        Assert.Empty(plan.Output);
        Assert.Equal(3, Directory.GetFileSystemEntries(drop).Length);

        EngineResult result = samples.Engine.Run(Script, drop, samples.Inside);
        Assert.Equal(["b.tar", "a.tar"], result.Output.Select(o => Path.GetFileName((string)o.Properties["Path"].Value)));
        Assert.Single(result.Errors);
        Assert.StartsWith("Bundle", result.ErrorIds.Single(), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(drop, "refused", "c.tar.reason.txt")));
        Assert.Equal(["DropFolderInvalid"], samples.Engine.Run(Script, Path.Combine(drop, "none"), samples.Inside).ErrorIds);
    }

    [Fact]
    public async Task Freshness_asks_the_Clair_that_the_site_names()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save().WithoutErrors();
        samples.Engine.Run("param($b, $s) Import-ClairFeed $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
        await using TestKit.Clair.ClairServer clair = await TestKit.Clair.ClairServer.StartAsync("c2hvcnQ=", "quay");
        await File.WriteAllTextAsync(samples.Folder["psk"], "c2hvcnQ=", TestContext.Current.CancellationToken);
        await File.AppendAllTextAsync(
            Path.Combine(samples.Inside, "sources.yaml"), $"\nclair:\n  url: {clair.Uri}\n  pskFile: {samples.Folder["psk"]}\n", TestContext.Current.CancellationToken);

        const string Test = "param($s) Test-ClairFeedFreshness alpine -SitePath $s";
        EngineResult missing = samples.Engine.Run(Test, samples.Inside).WithoutErrors();
        Assert.Equal(("Warning", "Missing", "NotIngested"), (missing["Level"], missing["ClairState"], missing["Cause"]));
        Assert.Equal(false, samples.Engine.Run(Test + " -Quiet", samples.Inside).WithoutErrors().Single.BaseObject);
        Assert.Empty(clair.Refused);
        Assert.True(File.Exists(Path.Combine(samples.Inside, "clair.json")));

        // Asking by hand counts too.
        await File.WriteAllTextAsync(Path.Combine(samples.Inside, "clair.json"), "{}", TestContext.Current.CancellationToken);
        samples.Engine.Run("param($u, $k, $s) Get-ClairUpdateOperation $u -PskPath $k -SitePath $s", clair.Uri, samples.Folder["psk"], samples.Inside).WithoutErrors();
        Assert.Contains("\"alpine\"", await File.ReadAllTextAsync(Path.Combine(samples.Inside, "clair.json"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
