using System.Management.Automation;
using System.Net;
using QuayAirGap.Core;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Quay;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Set-ClairAirGap: plans all files first, then asks for each and writes it.</summary>
[Cmdlet(VerbsCommon.Set, "ClairAirGap", SupportsShouldProcess = true, DefaultParameterSetName = StandaloneSet)]
[OutputType(typeof(ClairAirGapChange), ParameterSetName = [StandaloneSet, OperatorSet, QuayConfigSet])]
[OutputType(typeof(string), ParameterSetName = [PipelineSet])]
public sealed class SetClairAirGapCommand : ClairFeedCmdlet
{
    private const string StandaloneSet = "Standalone";
    private const string OperatorSet = "Operator";
    private const string PipelineSet = "Pipeline";
    private const string QuayConfigSet = "QuayConfig";

    private readonly List<string> _lines = [];

    /// <summary>Mirror, Upstream, Offline or Connected.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = StandaloneSet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = OperatorSet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = PipelineSet)]
    [ValidateSet("Mirror", "Upstream", "Offline", "Connected")]
    public string Mode { get; set; } = "";

    /// <summary>The configuration of a Clair that no operator manages.</summary>
    [Parameter(Mandatory = true, ParameterSetName = StandaloneSet)]
    [ValidateNotNullOrEmpty]
    public string ConfigPath { get; set; } = "";

    /// <summary>The file that gets the proxy variables; without it they are told.</summary>
    [Parameter(ParameterSetName = StandaloneSet)]
    [ValidateNotNullOrEmpty]
    public string? EnvironmentPath { get; set; }

    /// <summary>The manifest of the operator's config bundle secret.</summary>
    [Parameter(Mandatory = true, ParameterSetName = OperatorSet)]
    [ValidateNotNullOrEmpty]
    public string ConfigBundleSecret { get; set; } = "";

    /// <summary>Where the changed secret is written; without it, in place.</summary>
    [Parameter(ParameterSetName = OperatorSet)]
    [ValidateNotNullOrEmpty]
    public string? Destination { get; set; }

    /// <summary>The lines of a Secret's or QuayRegistry's manifest.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = PipelineSet)]
    [AllowEmptyString]
    public string[] InputObject { get; set; } = [];

    /// <summary>The manifest of the QuayRegistry.</summary>
    [Parameter(ParameterSetName = OperatorSet)]
    [Parameter(ParameterSetName = PipelineSet)]
    [Parameter(ParameterSetName = QuayConfigSet)]
    [ValidateNotNullOrEmpty]
    public string? QuayRegistry { get; set; }

    /// <summary>The operator's version, which decides whether Clair must be restarted by hand.</summary>
    [Parameter(ParameterSetName = OperatorSet)]
    [Parameter(ParameterSetName = PipelineSet)]
    [ValidateNotNullOrEmpty]
    public string? OperatorVersion { get; set; }

    /// <summary>Quay's own config.yaml.</summary>
    [Parameter(Mandatory = true, ParameterSetName = QuayConfigSet)]
    [ValidateNotNullOrEmpty]
    public string QuayConfigPath { get; set; } = "";

    /// <summary>Clair's address as Quay reaches it.</summary>
    [Parameter(Mandatory = true, ParameterSetName = QuayConfigSet)]
    [ValidateNotNull]
    public Uri ClairUri { get; set; } = new("http://localhost/");

    /// <summary>The mirror's address as Clair reaches it.</summary>
    [Parameter(ParameterSetName = StandaloneSet)]
    [Parameter(ParameterSetName = OperatorSet)]
    [Parameter(ParameterSetName = PipelineSet)]
    [ValidateNotNull]
    public Uri? MirrorUri { get; set; }

    /// <summary>The mirror's address as a proxy.</summary>
    [Parameter(ParameterSetName = StandaloneSet)]
    [Parameter(ParameterSetName = OperatorSet)]
    [Parameter(ParameterSetName = PipelineSet)]
    [ValidateNotNull]
    public Uri? ProxyUri { get; set; }

    /// <summary>What Clair asks directly: Quay, its object storage, the targets of webhooks.</summary>
    [Parameter(ParameterSetName = StandaloneSet)]
    [Parameter(ParameterSetName = OperatorSet)]
    [Parameter(ParameterSetName = PipelineSet)]
    [ValidateNotNull]
    public string[] NoProxy { get; set; } = [];

    /// <summary>The certificate of the mirror's CA, PEM.</summary>
    [Parameter(ParameterSetName = StandaloneSet)]
    [Parameter(ParameterSetName = OperatorSet)]
    [Parameter(ParameterSetName = PipelineSet)]
    [ValidateNotNullOrEmpty]
    public string? CaPath { get; set; }

    /// <summary>The folder of the two mapping files as Clair sees it.</summary>
    [Parameter(ParameterSetName = StandaloneSet)]
    [Parameter(ParameterSetName = OperatorSet)]
    [Parameter(ParameterSetName = PipelineSet)]
    [ValidateNotNullOrEmpty]
    public string? MappingFolder { get; set; }

    /// <summary>indexer.airgap; without it, and without -RegistryHost, it stays as it is.</summary>
    [Parameter(ParameterSetName = StandaloneSet)]
    [Parameter(ParameterSetName = OperatorSet)]
    [Parameter(ParameterSetName = PipelineSet)]
    public bool IndexerAirGap { get; set; }

    /// <summary>Hosts that Clair fetches images from: they are looked up to decide indexer.airgap.</summary>
    [Parameter(ParameterSetName = StandaloneSet)]
    [Parameter(ParameterSetName = OperatorSet)]
    [Parameter(ParameterSetName = PipelineSet)]
    [ValidateNotNullOrEmpty]
    public string[] RegistryHost { get; set; } = [];

    /// <inheritdoc/>
    protected override void Process() => _lines.AddRange(InputObject);

    /// <inheritdoc/>
    protected override void End()
    {
        if (ParameterSetName == PipelineSet)
        {
            AirGapChange change = PlanManifest();
            Warn(change);
            if (change.IsChange)
            {
                WriteVerbose(change.Diff);
            }

            WriteObject(change.After!.TrimEnd('\n'));
            return;
        }

        IReadOnlyList<AirGapChange> plan = Plan();
        foreach (AirGapChange change in plan)
        {
            Apply(change);
        }
    }

    private IReadOnlyList<AirGapChange> Plan()
    {
        if (ParameterSetName == QuayConfigSet)
        {
            string path = FilePath(QuayConfigPath);
            return [QuayConfig.Plan(path, ReadText(path), ClairUri, Registry())];
        }

        AirGapRequest request = Request(out IReadOnlyList<string> notes);
        return ParameterSetName == StandaloneSet ? PlanStandalone(request, notes) : PlanOperator(request, notes);
    }

    private IReadOnlyList<AirGapChange> PlanStandalone(AirGapRequest request, IReadOnlyList<string> notes)
    {
        string config = FilePath(ConfigPath);
        AirGapChange dropIn = StandaloneClair.Plan(config, request);
        dropIn = dropIn with { Notes = [.. notes, .. dropIn.Notes] };
        ProxySettings? proxy = request.Mode == AirGapMode.Upstream
            ? ProxySettings.For(ProxyUri, NoProxy, inCluster: false, ClairConfiguration.Load(config).Merged, quay: null)
            : null;
        string? ca = CaPath is null ? null : FilePath(CaPath);
        if (EnvironmentPath is not null)
        {
            return [dropIn, StandaloneClair.PlanEnvironment(FilePath(EnvironmentPath), proxy, ca)];
        }

        return proxy is null
            ? [dropIn]
            : [dropIn with
            {
                NextSteps =
                [
                    "Start Clair with these variables: " + string.Join(' ', proxy.Variables.Select(v => $"{v.Name}={v.Value}")),
                    $"and with the mirror's CA: -v {ca ?? "<the CA's certificate>"}:/var/run/certs/quayairgap.crt:ro,Z",
                    .. dropIn.NextSteps,
                ],
            }];
    }

    private IReadOnlyList<AirGapChange> PlanOperator(AirGapRequest request, IReadOnlyList<string> notes)
    {
        string path = FilePath(ConfigBundleSecret);
        string manifest = ReadText(path);
        AirGapChange secret = OperatorClair.PlanSecret(path, manifest, request, Registry(), Ca(), OperatorVersion);
        secret = secret with { Notes = [.. notes, .. secret.Notes] };
        if (Destination is not null)
        {
            string destination = FilePath(Destination);
            secret = secret with { Path = destination, Before = ConfigFile.ReadIfThere(destination) };
        }

        if (QuayRegistry is not null)
        {
            string registry = FilePath(QuayRegistry);
            return [secret, OperatorClair.PlanRegistry(registry, ReadText(registry), Proxy(request, OperatorClair.QuayConfigOf(path, manifest)))];
        }

        if (Proxy(request, OperatorClair.QuayConfigOf(path, manifest)) is not { } proxy)
        {
            return [secret];
        }

        return [secret with
        {
            NextSteps =
            [
                "Set these variables for the component clair in the QuayRegistry (spec.components[].overrides.env), or name its manifest with -QuayRegistry: " +
                string.Join(' ', proxy.Variables.Select(v => $"{v.Name}={v.Value}")),
                .. secret.NextSteps,
            ],
        }];
    }

    private AirGapChange PlanManifest()
    {
        string manifest = string.Join('\n', _lines) + "\n";
        const string Name = "the manifest from the pipeline";
        if (OperatorClair.IsRegistry(manifest))
        {
            AirGapMode mode = Enum.Parse<AirGapMode>(Mode, ignoreCase: true);
            return OperatorClair.PlanRegistry(
                Name, manifest, mode == AirGapMode.Upstream ? ProxySettings.For(ProxyUri, NoProxy, inCluster: true, clair: null, quay: null) : null);
        }

        AirGapRequest request = Request(out IReadOnlyList<string> notes);
        AirGapChange change = OperatorClair.PlanSecret(Name, manifest, request, Registry(), Ca(), OperatorVersion);
        return change with { Notes = [.. notes, .. change.Notes] };
    }

    private ProxySettings? Proxy(AirGapRequest request, System.Text.Json.Nodes.JsonNode? quay) => request.Mode == AirGapMode.Upstream
        ? ProxySettings.For(ProxyUri, NoProxy, inCluster: true, clair: null, quay)
        : null;

    private AirGapRequest Request(out IReadOnlyList<string> notes)
    {
        AirGapMode mode = Enum.Parse<AirGapMode>(Mode, ignoreCase: true);
        bool? airgap = MyInvocation.BoundParameters.ContainsKey(nameof(IndexerAirGap)) ? IndexerAirGap : null;
        notes = [];
        if (airgap is null && RegistryHost.Length > 0 && mode != AirGapMode.Connected)
        {
            string[] hosts = [.. RegistryHost, .. (MirrorUri ?? ProxyUri) is { } mirror ? [mirror.Host] : (string[])[]];
            (bool isPrivate, IReadOnlyList<string> said) = Await((_, token) => RegistryAddresses.DecideAsync(hosts, Dns.GetHostAddressesAsync, token));
            airgap = isPrivate;
            notes = said;
        }

        int year = TimeProvider.System.GetUtcNow().Year;
        return new AirGapRequest
        {
            Mode = mode,
            MirrorUri = MirrorUri,
            Served = mode == AirGapMode.Mirror || (mode == AirGapMode.Upstream && ParameterSetName != StandaloneSet) ? Served(mode, year) : null,
            Year = year,
            IndexerAirGap = airgap,
            MappingFolder = MappingFolder ?? (mode == AirGapMode.Offline && ParameterSetName != StandaloneSet ? "/data" : null),
        };
    }

    /// <summary>The site's current generation where there is a site; else the mirror is asked, which may be another machine.</summary>
    private ServedFeeds? Served(AirGapMode mode, int year)
    {
        bool named = MyInvocation.BoundParameters.ContainsKey(nameof(SitePath));
        if (named || Site.Exists(ResolvedSitePath))
        {
            Site site = OpenSite();
            var store = new GenerationStore(site);
            return store.CurrentNumber is { } number ? ServedFeeds.Of(Generation.LoadIndex(store.FolderOf(number)), site.Store) : null;
        }

        Uri? mirror = MirrorUri ?? (mode == AirGapMode.Upstream ? ProxyUri : null);
        return mirror is null ? null : Await((_, token) => ServedFeeds.AskAsync(mirror, year, token));
    }

    private QuayRegistry? Registry()
    {
        if (QuayRegistry is null)
        {
            return null;
        }

        string path = FilePath(QuayRegistry);
        return Core.Quay.QuayRegistry.Parse(path, ReadText(path));
    }

    private string? Ca() => CaPath is null ? null : ReadText(FilePath(CaPath));

    private static string ReadText(string path) => ConfigFile.ReadIfThere(path) ?? throw new FeedException(
        ErrorIds.ClairConfigNotFound, $"There is no file '{path}'.", path, "Check the name.");

    private void Apply(AirGapChange change)
    {
        Warn(change);
        string? backup = null;
        bool applied = false;
        if (change.IsChange && ShouldProcess(
            $"{(change.After is null ? "Delete" : "Change")} '{change.Path}':\n{change.Diff}", $"{(change.After is null ? "Delete" : "Change")} '{change.Path}'?\n{change.Diff}",
            $"Set-ClairAirGap -Mode {Mode}"))
        {
            backup = ConfigFile.Apply(change, TimeProvider.System);
            applied = true;
            if (backup is not null)
            {
                WriteVerbose($"What was there is in '{backup}'.");
            }
        }

        WriteObject(new ClairAirGapChange
        {
            Path = change.Path,
            Kind = change.Kind,
            Mode = Mode,
            Changed = change.IsChange,
            Applied = applied,
            Backup = backup,
            Diff = change.Diff,
            Notes = [.. change.Notes],
            NextSteps = [.. change.NextSteps],
        });
    }

    private void Warn(AirGapChange change)
    {
        foreach (string note in change.Notes)
        {
            WriteWarning(note);
        }
    }
}
