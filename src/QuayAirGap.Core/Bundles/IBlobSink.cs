namespace QuayAirGap.Core.Bundles;

/// <summary>Takes content out of a bundle while it is verified. Called by one thread at a time.</summary>
public interface IBlobSink
{
    /// <summary>
    /// Where to write content that is about to come, or null where it is not wanted. Until <see cref="Accept"/> it is not known to be
    /// what it says. The stream is disposed before either way.
    /// </summary>
    /// <param name="sha256">What the signed snapshot says that it is.</param>
    /// <param name="size">Bytes.</param>
    Stream? Open(string sha256, long size);

    /// <summary>Says that what was written has this digest and size.</summary>
    void Accept(string sha256, long size);
}
