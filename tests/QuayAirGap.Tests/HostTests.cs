using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace QuayAirGap.Tests;

/// <summary>The executable as a process: what schedulers, scripts and people see of it.</summary>
public sealed partial class HostTests
{
    [Theory]
    [InlineData("1 + 1", 0)]
    [InlineData("exit 0", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("throw 'x'; 'after'", 2)]
    [InlineData("Import-Module nowhere-to-be-found; 'after'", 2)]
    [InlineData("Import-Module nowhere-to-be-found; exit 0", 0)]
    [InlineData("try { throw 'x' } catch { 'caught' }", 0)]
    [InlineData("Import-Module nowhere-to-be-found -ErrorAction SilentlyContinue", 0)]
    [InlineData("$false", 1)]
    [InlineData("$false; $true", 0)]
    [InlineData("1 +", 2)]
    [InlineData("Get-ClairFeedSource -SitePath /nowhere/at/all", 2)]
    public async Task The_exit_code_tells_how_a_command_went(string command, int expected)
    {
        HostResult result = await HostProcess.RunAsync("-Command", command);
        Assert.True(expected == result.ExitCode, $"{command}: {result}");
    }

    [Fact]
    public async Task Stale_and_incomplete_feeds_are_exit_code_1()
    {
        using var folder = new Folder();
        string site = folder["site"];
        HostResult set = await HostProcess.RunAsync("-Command", $"Set-ClairFeedSource alpine -Enabled $false -SitePath '{site}'");
        Assert.Equal(0, set.ExitCode);
        Assert.Equal(1, (await HostProcess.RunAsync("-Command", $"Test-ClairFeedFreshness -SitePath '{site}'")).ExitCode);
        Assert.Equal(1, (await HostProcess.RunAsync("-Command", $"Test-ClairFeedFreshness -Quiet -SitePath '{site}'")).ExitCode);
        Assert.Equal(0, (await HostProcess.RunAsync("-Command", $"Test-ClairFeedFreshness alpine -SitePath '{site}'")).ExitCode);
    }

    [Fact]
    public async Task A_single_failed_source_is_exit_code_1_and_everything_failed_is_2()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Upstream.AddFault("**/repository-to-cpe.json", TestKit.Upstream.UpstreamFault.Status(404));
        string Save(string names) =>
            $"Save-ClairFeed '{samples.Folder[Guid.NewGuid() + ".tar"]}' '{samples.Signer}' -Name {names} -UpstreamRoot {samples.Upstream.Root} -SitePath '{samples.Outside}'";
        HostResult one = await HostProcess.RunAsync("-Command", Save("alpine, repository-to-cpe"));
        Assert.True(one.ExitCode == 1, one.ToString());
        Assert.Contains("[SourceFailed,", one.Error, StringComparison.Ordinal);
        HostResult all = await HostProcess.RunAsync("-Command", Save("repository-to-cpe"));
        Assert.True(all.ExitCode == 2, all.ToString());
        Assert.Contains("[NothingCollected,", all.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_says_what_happened_what_to_do_and_its_id()
    {
        HostResult result = await HostProcess.RunAsync("-Command", "Get-ClairFeedSource -SitePath /nowhere/at/all");
        string[] lines = result.Error.Split('\n');
        Assert.StartsWith("ERROR: There is no site at", lines[0], StringComparison.Ordinal);
        Assert.Contains("-SitePath", lines[1], StringComparison.Ordinal);
        Assert.Contains("[SiteNotFound,", lines[2], StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task Results_go_to_standard_output_and_everything_else_to_standard_error()
    {
        HostResult result = await HostProcess.RunAsync(
            "-Command", "'out'; Write-Host 'said'; function f { [CmdletBinding()] param() $PSCmdlet.WriteWarning('warned'); $PSCmdlet.WriteVerbose('told') }; f -Verbose");
        Assert.Equal("out\nsaid\n", result.Output);
        Assert.Equal("WARNING: warned\nVERBOSE: told\n", result.Error);
        Assert.DoesNotContain("\e", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_another_program_writes_to_standard_error_is_passed_on_and_is_no_error()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "It asks a shell that is not there.");
        HostResult result = await HostProcess.RunAsync("-Command", "$ErrorActionPreference = 'Stop'; & sh -c 'echo one >&2; echo two >&2'; \"code $LASTEXITCODE\"");
        Assert.Equal((0, "code 0\n", "one\ntwo\n"), (result.ExitCode, result.Output, result.Error));
    }

    [Fact]
    public async Task Read_Host_asks_on_standard_error_and_fails_where_nobody_can_answer()
    {
        HostResult result = await HostProcess.RunAsync("-NonInteractive", "-Command", "$x = Read-Host Password -AsSecureString; 'not reached'");
        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.StartsWith("Password: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("a secret", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Objects_are_shown_through_their_views_also_where_kinds_change_and_before_exit()
    {
        using var folder = new Folder();
        HostResult result = await HostProcess.RunAsync(
            "-Command",
            $"Set-ClairFeedSource alpine -Enabled $false -PassThru -SitePath '{folder["site"]}'; 'between'; Test-ClairFeedFreshness alpine -SitePath '{folder["site"]}'; exit 5");
        Assert.Equal(5, result.ExitCode);
        Assert.Matches("(?m)^Name +Warn +Critical +Expire +State", result.Output);
        Assert.Matches("(?m)^Source +Level +Age +Captured", result.Output);
        Assert.Contains("between", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_is_one_array_that_reads_back_whatever_the_culture()
    {
        using var folder = new Folder();
        var turkish = new Dictionary<string, string?> { ["LC_ALL"] = "tr_TR.UTF-8", ["LANG"] = "tr_TR.UTF-8" };
        HostResult result = await HostProcess.RunAsync(
            turkish, "", "-OutputFormat", "Json", "-Command",
            $"Write-Host 'not a result'; Set-ClairFeedSource alpine -WarnAfter 36h -PassThru -SitePath '{folder["site"]}'; " +
            "[pscustomobject]@{ Time = [datetimeoffset]'2026-11-01T12:00:00+02:00'; Number = 1.5; Name = 'ı\"ß'; List = 1, 2; None = $null; Flag = $true }; 'text'");
        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(result.Output);
        JsonElement[] items = [.. json.RootElement.EnumerateArray()];
        Assert.Equal("alpine", items[0].GetProperty("Name").GetString());
        Assert.Equal("1.12:00:00", items[0].GetProperty("WarnAfter").GetString());
        Assert.Equal("Enabled", items[0].GetProperty("State").GetString());
        Assert.Equal("2026-11-01T10:00:00Z", items[1].GetProperty("Time").GetString());
        Assert.Equal(1.5, items[1].GetProperty("Number").GetDouble());
        Assert.Equal("ı\"ß", items[1].GetProperty("Name").GetString());
        Assert.Equal([1, 2], items[1].GetProperty("List").EnumerateArray().Select(e => e.GetInt32()));
        Assert.Equal(JsonValueKind.Null, items[1].GetProperty("None").ValueKind);
        Assert.Equal("text", items[2].GetString());
        Assert.Equal("not a result\n", result.Error);
    }

    [Theory]
    [InlineData("Get-ClairFeedSource -SitePath /nowhere/at/all", 2)]
    [InlineData("1 +", 2)]
    [InlineData("exit 3", 3)]
    public async Task Json_is_a_whole_array_also_after_an_error(string command, int code)
    {
        HostResult result = await HostProcess.RunAsync("-o", "json", "-Command", command);
        Assert.Equal(code, result.ExitCode);
        Assert.Equal("[]\n", result.Output);
    }

    [Fact]
    public async Task A_script_gets_its_arguments_by_name_and_position_and_nothing_in_them_is_run()
    {
        using var folder = new Folder();
        string script = folder["with space[1].ps1"];
        await File.WriteAllTextAsync(
            script,
            "param([string] $Name, [switch] $Online, [int] $Count = 1, [string] $Last)\n\"$Name|$Online|$Count|$Last|$($args -join ',')|$([IO.Path]::GetFileName($PSCommandPath))\"\n",
            TestContext.Current.CancellationToken);
        Assert.Equal(
            "a 'b' $(exit 9)|True|3|-x y||with space[1].ps1\n",
            (await HostProcess.RunAsync("-File", script, "-Name", "a 'b' $(exit 9)", "-Online", "-Count:3", "-Last", "-x y")).Output);
        Assert.Equal("p1|False|5|||with space[1].ps1\n", (await HostProcess.RunAsync("-NoProfile", "-File", script, "p1", "5", "-Online:$false")).Output);
    }

    [Fact]
    public async Task A_script_ends_as_it_says_and_names_the_line_of_an_error()
    {
        using var folder = new Folder();
        await File.WriteAllTextAsync(folder["exit.ps1"], "'shown'\nexit 4\n'not shown'\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder["throw.ps1"], "'one'\n\nthrow 'broken'\n", TestContext.Current.CancellationToken);
        HostResult exit = await HostProcess.RunAsync("-File", folder["exit.ps1"]);
        Assert.Equal((4, "shown\n"), (exit.ExitCode, exit.Output));
        HostResult thrown = await HostProcess.RunAsync("-File", folder["throw.ps1"]);
        Assert.Equal((2, "one\n"), (thrown.ExitCode, thrown.Output));
        Assert.Contains("throw.ps1: line 3", thrown.Error, StringComparison.Ordinal);
        HostResult missing = await HostProcess.RunAsync("-File", folder["none.ps1"]);
        Assert.Equal(2, missing.ExitCode);
        Assert.Contains("[ScriptNotFound]", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_question_that_nobody_can_answer_is_an_error_and_no_wait()
    {
        HostResult result = await HostProcess.RunAsync("-NonInteractive", "-Command", "New-ClairFeedSigner");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("Path", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task A_command_can_come_from_standard_input()
    {
        HostResult result = await HostProcess.RunAsync(new Dictionary<string, string?>(), "'one'\n'two'\n", "-Command", "-");
        Assert.Equal((0, "one\ntwo\n"), (result.ExitCode, result.Output));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-Frobnicate")]
    [InlineData("-File")]
    [InlineData("-OutputFormat Xml -Command 1")]
    public async Task A_command_line_that_means_nothing_shows_the_usage(string line)
    {
        HostResult result = await HostProcess.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("-Command <text>", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task Version_and_help_are_told()
    {
        Assert.Equal(new HostResult(0, Built.Version + "\n", ""), await HostProcess.RunAsync("-Version"));
        Assert.StartsWith("quayairgap", (await HostProcess.RunAsync("--help")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupt_stops_a_command_within_a_second()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A signal cannot be sent to a single process there.");
        foreach ((int signal, int code) in new[] { (2, 130), (15, 143) })
        {
            using Process process = HostProcess.Start(new Dictionary<string, string?>(), "-Command", "'started'; while ($true) { }");
            process.StandardInput.Close();
            Assert.Equal("started", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
            long start = TimeProvider.System.GetTimestamp();
            Assert.Equal(0, SendSignal(process.Id, signal));
            HostResult result = await HostProcess.EndAsync(process);
            Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(2));
            Assert.Equal(code, result.ExitCode);
            Assert.Empty(result.Error);
        }
    }

    [Fact]
    public async Task Help_is_there_without_a_network()
    {
        HostResult result = await HostProcess.RunAsync("-Command", "Get-Help Save-ClairFeed -Examples");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("Example 1: Every day, outside", result.Output, StringComparison.Ordinal);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int processId, int signal);
}
