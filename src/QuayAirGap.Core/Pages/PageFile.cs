using System.Text;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Pages;

/// <summary>Writes pages and reports as files: a reader sees the whole old one or the whole new one.</summary>
public static class PageFile
{
    /// <summary>How far into a file its generator is looked for.</summary>
    private const int Head = 4096;

    /// <param name="path">An absolute path.</param>
    /// <param name="content">The whole file.</param>
    /// <param name="force">Whether a file that this program has not written is replaced too; an earlier page of its own always is.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.DestinationInvalid"/> or <see cref="ErrorIds.DiskFull"/></exception>
    public static void Write(string path, ReadOnlySpan<byte> content, bool force)
    {
        ThrowIfForeign(path, force);
        try
        {
            Durable.ReplaceFile(path, content);
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.DestinationInvalid, $"'{path}' cannot be written: {e.Message}", path, "Name a file in a folder that is there and that this account may write to.", e);
        }
    }

    /// <exception cref="FeedException"><see cref="ErrorIds.DestinationInvalid"/>: something else lies there.</exception>
    public static void ThrowIfForeign(string path, bool force)
    {
        if (Directory.Exists(path))
        {
            throw new FeedException(ErrorIds.DestinationInvalid, $"'{path}' is a folder.", path, "Name a file.");
        }

        if (!force && File.Exists(path) && !IsOwn(path))
        {
            throw new FeedException(
                ErrorIds.DestinationInvalid, $"'{path}' is there, and was not written by this command.", path, "Name another file, or replace it with -Force.");
        }
    }

    private static bool IsOwn(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] head = new byte[Head];
            int length = file.ReadAtLeast(head, Head, throwOnEndOfStream: false);
            return Encoding.UTF8.GetString(head, 0, length).Contains(PageDocument.Generator, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
