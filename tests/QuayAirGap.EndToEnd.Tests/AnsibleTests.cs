using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>The Ansible role, run by the real ansible-playbook against this machine.</summary>
public sealed partial class AnsibleTests : IAsyncLifetime
{
    private const string Secret = "s3cret of the collector";
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    private readonly string _folder = Directory.CreateTempSubdirectory("quayairgap-ansible-").FullName;
    private UpstreamServer _upstream = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream = await SampleUpstream.StartAsync();
        Core.Trust.SignerFactory.Create(In("collector.pfx"), "CN=Collector", Secret, TimeSpan.FromDays(365), TimeProvider.System);
        Directory.CreateDirectory(In("handover"));

        // Quotes, blanks and an umlaut: what a playbook hands over must arrive as it is.
        string executable = Path.ChangeExtension(Executable.Path, null);
        File.WriteAllText(In("vars.yml"), $"""
            quayairgap_executable: {executable}
            quayairgap_signer: {In("collector.pfx")}
            quayairgap_signer_password: "{Secret}"
            quayairgap_destination: {In("handover")}
            quayairgap_upstream_root: {_upstream.Root}
            quayairgap_trusted_certificates: ["{In("collector.cer")}"]
            quayairgap_bundles: ["{In("handover")}/*.tar"]
            quayairgap_unit: {In("quayairgap.service")}
            quayairgap_manage_service: false
            quayairgap_manage_user: false
            outside: "{In("outside")}"
            inside: "{In("inside 'ü")}"
            """);
        File.WriteAllText(In("save.yml"), Play("save"));
        File.WriteAllText(In("inside.yml"), Play("trust", "import", "serve", "freshness"));
        File.WriteAllText(In("freshness.yml"), Play("freshness"));
    }

    [Fact]
    public async Task The_role_changes_once_and_tells_the_truth()
    {
        await SkipWithoutAnsibleAsync();

        // Check mode on a machine where nothing is: it says what would be, and leaves nothing.
        (int code, string output) = await PlayAsync("save.yml", "--check");
        Assert.True(code == 0 && Changed(output) == 1, output);
        Assert.False(Directory.Exists(In("outside")));
        Assert.Empty(Directory.GetFiles(In("handover")));

        (code, output) = await PlayAsync("save.yml", "-vvv");
        Assert.True(code == 0 && Changed(output) == 1, output);
        Assert.DoesNotContain(Secret, output, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(In("handover"), "*.tar"));
        (code, output) = await PlayAsync("save.yml");
        Assert.True(code == 0 && Changed(output) == 0, output);
        Assert.Single(Directory.GetFiles(In("handover"), "*.tar"));

        (code, output) = await PlayAsync("inside.yml", "--check");
        Assert.True(code == 0 && Changed(output) == 3, output); // trust, import, the unit
        Assert.False(Directory.Exists(In("inside 'ü")));
        (code, output) = await PlayAsync("inside.yml");
        Assert.True(code == 0 && Changed(output) == 3, output);
        Assert.Contains($"--site '{In("inside 'ü").Replace("'", "'\"'\"'", StringComparison.Ordinal)}'", File.ReadAllText(In("quayairgap.service")), StringComparison.Ordinal);
        (code, output) = await PlayAsync("inside.yml");
        Assert.True(code == 0 && Changed(output) == 0, output);

        // Stale feeds fail the play, and say which.
        string settings = Path.Combine(In("inside 'ü"), "sources.yaml");
        File.WriteAllText(settings, "version: 1\nsources:\n  alpine:\n    warnAfter: 0.00:00:01\n    criticalAfter: 0.00:00:02\n    expireAfter: 0.00:00:03\n");
        (code, output) = await PlayAsync("freshness.yml");
        Assert.True(code != 0 && output.Contains("alpine: Expired", StringComparison.Ordinal) && Changed(output) == 0, output);

        // A damaged bundle fails the play with its error id, and changes nothing but the trust that was told before. At a site that has the bundle already, its
        // content would not be read again.
        string bundle = Directory.GetFiles(In("handover"), "*.tar")[0];
        byte[] bytes = File.ReadAllBytes(bundle);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(In("damaged.tar"), bytes);
        (code, output) = await PlayAsync("inside.yml", "-e", $"quayairgap_bundles={In("damaged.tar")}", "-e", $"inside={In("second")}");
        Assert.True(code != 0 && DamagedId().IsMatch(output) && Changed(output) == 1, output);
        Assert.Contains("bundle.refused", File.ReadAllText(Path.Combine(In("second"), "ledger.jsonl")), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(In("second"), "mirror", "current")));

        // Where a signer's password is wrong, the reason is seen, and the password is not.
        (code, output) = await PlayAsync("save.yml", "-vvv", "-e", "quayairgap_save_interval_hours=0", "-e", "@" + WrongPassword());
        Assert.True(code != 0 && output.Contains("SignerPassword", StringComparison.Ordinal), output);
        Assert.DoesNotContain("anOtherSecret", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_example_playbooks_are_sound()
    {
        await SkipWithoutAnsibleAsync();
        string[] examples = Directory.GetFiles(Path.Combine(Repository.Root, "packaging", "ansible", "examples"), "*.yml");
        Assert.Equal(3, examples.Length);
        (int code, string output) = await RunAsync(["--syntax-check", .. examples]);
        Assert.True(code == 0, output);
    }

    public async ValueTask DisposeAsync()
    {
        await _upstream.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [GeneratedRegex(@"\[Bundle(Altered|Truncated|Invalid|SignatureInvalid)")]
    private static partial Regex DamagedId();

    [GeneratedRegex(@"changed=(\d+)")]
    private static partial Regex ChangedCount();

    private static int Changed(string output) => int.Parse(ChangedCount().Match(output).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);

    private static string Play(params string[] tasks) => "- hosts: localhost\n  gather_facts: false\n  tasks:\n" + string.Concat(tasks.Select(t => $$$"""
            - include_role:
                name: quayairgap
                tasks_from: {{{t}}}
              vars:
                quayairgap_site: "{{ {{{(t == "save" ? "outside" : "inside")}}} }}"

        """));

    private static async Task SkipWithoutAnsibleAsync()
    {
        try
        {
            Assert.Equal(0, (await RunAsync(["--version"])).Code);
        }
        catch (Win32Exception)
        {
            Assert.Skip("ansible-playbook is not installed (Debian: ansible-core).");
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(string[] arguments)
    {
        var start = new ProcessStartInfo("ansible-playbook", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["ANSIBLE_ROLES_PATH"] = Path.Combine(Repository.Root, "packaging", "ansible", "roles");
        start.Environment["ANSIBLE_LOCALHOST_WARNING"] = "False";
        start.Environment["ANSIBLE_NOCOLOR"] = "1";
        start.Environment["LC_ALL"] = "C.UTF-8"; // Ansible refuses a locale that is not UTF-8
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(s_limit);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            Task<string> error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output + await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"ansible-playbook took longer than {s_limit}.");
        }
    }

    private string In(string name) => Path.Combine(_folder, name);

    private string WrongPassword()
    {
        File.WriteAllText(In("wrong.yml"), "quayairgap_signer_password: anOtherSecret\n");
        return In("wrong.yml");
    }

    private Task<(int Code, string Output)> PlayAsync(string playbook, params string[] more) =>
        RunAsync(["-i", "localhost,", "-c", "local", "-e", "@" + In("vars.yml"), In(playbook), .. more]);
}
