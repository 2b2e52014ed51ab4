namespace QuayAirGap.Tests;

/// <summary>A folder for one test.</summary>
internal sealed class Folder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("quayairgap-tests-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    /// <summary>Every file and folder in it, with sizes, to tell whether anything was written.</summary>
    public string Listing => string.Join(
        '\n', Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(e => $"{e} {(File.Exists(e) ? new FileInfo(e).Length : -1)}"));

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
