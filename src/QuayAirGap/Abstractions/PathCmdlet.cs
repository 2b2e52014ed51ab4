using System.Management.Automation;
using QuayAirGap.Core;

namespace QuayAirGap.Commands;

/// <summary>A command that reads files: -Path takes wildcards, -LiteralPath takes names as they are and the pipeline's objects.</summary>
public abstract class PathCmdlet : ClairFeedCmdlet
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";

    /// <summary>The files; wildcards are allowed.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>The files, named literally: brackets are brackets.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The error for a name that matches nothing.</summary>
    protected virtual string NotFoundId => ErrorIds.BundleNotFound;

    /// <inheritdoc/>
    protected sealed override void Process()
    {
        if (ParameterSetName is not (PathSet or LiteralPathSet))
        {
            ProcessOther();
            return;
        }

        foreach (string path in ParameterSetName == LiteralPathSet ? LiteralPath : Path)
        {
            ForOne(() =>
            {
                foreach (string file in Resolve(path))
                {
                    ForOne(() => ProcessFile(file));
                }
            });
        }
    }

    /// <param name="path">An absolute path; without wildcards in what was given, the file need not exist.</param>
    protected abstract void ProcessFile(string path);

    /// <summary>The order in which what a wildcard found is processed.</summary>
    protected virtual IReadOnlyList<string> Arrange(IReadOnlyList<string> found) => found;

    /// <summary>What a command does whose input is no file.</summary>
    protected virtual void ProcessOther()
    {
    }

    private IReadOnlyList<string> Resolve(string path)
    {
        if (ParameterSetName == LiteralPathSet || !WildcardPattern.ContainsWildcardCharacters(path))
        {
            return [FilePath(path)];
        }

        IReadOnlyList<string> found;
        try
        {
            found = SessionState.Path.GetResolvedProviderPathFromPSPath(path, out ProviderInfo provider);
            if (!IsFileSystem(provider))
            {
                found = [];
            }
        }
        catch (ItemNotFoundException)
        {
            found = []; // a folder in front of the wildcard is not there
        }

        return found.Count > 0
            ? Arrange(found)
            : throw new FeedException(
                NotFoundId, $"No file matches '{path}'.", path, "Check the name; where brackets belong to it, use -LiteralPath.");
    }
}
