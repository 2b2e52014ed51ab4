using System.Diagnostics;
using System.Text;
using QuayAirGap.Docs.Tests.Running;
using QuayAirGap.TestKit.PowerShell;
using QuayAirGap.TestKit.Registry;
using QuayAirGap.TestKit.Samples;
using YamlDotNet.RepresentationModel;

namespace QuayAirGap.Docs.Tests;

/// <summary>What the examples for CI have a runner do, up to the registry: their own lines, run as a runner runs them.</summary>
public sealed class PipelineExampleTests(DocStage stage)
{
    private const string Password = "s3cret of the runner";

    private static readonly string s_examples = Path.Combine(RepositoryFolders.Root, "docs", "examples");

    [Fact]
    public async Task GitHubs_steps_collect_verify_and_leave_no_key_behind()
    {
        YamlMappingNode[] steps = [.. ((YamlSequenceNode)Document("github-actions.yml")["jobs"]["collect"]["steps"]).Cast<YamlMappingNode>().Where(s => s.Children.ContainsKey("run"))];
        string work = await PrepareAsync("github");
        string temp = Directory.CreateDirectory(Path.Combine(work, "temp")).FullName;
        string pfx = Convert.ToBase64String(await File.ReadAllBytesAsync(Path.Combine(work, "signer.pfx"), TestContext.Current.CancellationToken));
        foreach (YamlMappingNode step in steps.Take(2))
        {
            await RunAsync(work, Scalar(step["run"]), ("RUNNER_TEMP", temp), ("GITHUB_ENV", Path.Combine(temp, "env")), ("SIGNER_PFX", pfx));
        }

        Assert.Equal("INCOMPLETE=0", (await File.ReadAllTextAsync(Path.Combine(temp, "env"), TestContext.Current.CancellationToken)).Trim());
        Assert.Single(Directory.GetFiles(Path.Combine(temp, "media"), "*.tar"));
        Assert.False(File.Exists(Path.Combine(temp, "signer.pfx")));
        await RunAsync(work, Scalar(steps[^1]["run"]), ("RUNNER_TEMP", temp));
        Assert.False(Directory.Exists(Path.Combine(temp, "media")));
    }

    [Fact]
    public async Task GitLabs_jobs_collect_and_verify()
    {
        YamlMappingNode document = Document("gitlab-ci.yml");
        string work = await PrepareAsync("gitlab");
        foreach (string job in new[] { "collect", "verify" })
        {
            string script = string.Join('\n', ((YamlSequenceNode)document[job]["script"]).Select(Scalar));
            await RunAsync(work, script, ("SIGNER_PFX", Path.Combine(work, "signer.pfx")), ("SIGNER_PASSWORD", Password));
        }

        Assert.Single(Directory.GetFiles(Path.Combine(work, "media"), "*.tar"));
    }

    private static string Scalar(YamlNode node) => ((YamlScalarNode)node).Value!;

    private static YamlMappingNode Document(string name)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(File.ReadAllText(Path.Combine(s_examples, name))));
        return (YamlMappingNode)yaml.Documents[0].RootNode;
    }

    /// <summary>A checkout with the pipeline beside the certificate, and the collecting site that stays between runs.</summary>
    private async Task<string> PrepareAsync(string name)
    {
        Assert.SkipWhen(RegistryProcess.Find("bash") is null, "There is no bash.");
        string work = stage.NewFolder(name);
        await stage.MakeCollectorAsync(Path.Combine(work, "site"));
        File.Copy(Path.Combine(s_examples, "pipeline.ps1"), Path.Combine(work, "pipeline.ps1"));
        string script = Path.Combine(work, "keys.ps1");
        await File.WriteAllTextAsync(script, $"""
            $password = [Net.NetworkCredential]::new('', '{Password}').SecurePassword
            New-ClairFeedSigner -Path '{work}/signer.pfx' -Subject CN=Collector -Password $password
            [IO.File]::Move('{work}/signer.cer', '{work}/collector.cer')
            """);
        (int exitCode, _, string error) = await DocStage.StartAsync(DocHost.Executable, script, work);
        Assert.True(exitCode == 0, error);
        return work;
    }

    private static async Task RunAsync(string work, string script, params (string Name, string Value)[] variables)
    {
        string file = Path.Combine(work, "step.sh");
        await File.WriteAllTextAsync(file, script + "\n");
        var start = new ProcessStartInfo("bash", ["-e", file])
        {
            WorkingDirectory = work,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment["PATH"] = Path.GetDirectoryName(DocStage.Executable) + Path.PathSeparator + start.Environment["PATH"];
        start.Environment["QUAYAIRGAP_SITE"] = Path.Combine(work, "site");
        start.Environment["QUAYAIRGAP_SIGNER_PASSWORD"] = Password;
        foreach ((string name, string value) in variables)
        {
            start.Environment[name] = value;
        }

        (int exitCode, string output, string error) = await PowerShellTool.RunAsync(start, TimeSpan.FromMinutes(2));
        Assert.True(exitCode == 0, $"{script}\n{error}{output}");
    }
}
