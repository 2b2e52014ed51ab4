namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>Upstream's two lists, read together.</summary>
internal sealed record VexLists(Dictionary<string, DateTimeOffset> Changes, Dictionary<string, DateTimeOffset> Deletions)
{
    /// <summary>
    /// Whether upstream has withdrawn a document. Where it is in both lists the later row counts, and with equal times the document is
    /// there: a vulnerability too many is seen, one too few is not.
    /// </summary>
    public bool IsDeleted(string path) =>
        Deletions.TryGetValue(path, out DateTimeOffset deleted) && !(Changes.TryGetValue(path, out DateTimeOffset changed) && changed >= deleted);
}
