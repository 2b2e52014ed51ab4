using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using QuayAirGap.Server.Contents;

namespace QuayAirGap.Server.Http;

internal enum Precondition
{
    Send,
    NotModified,
    Failed,
}

/// <summary>
/// Conditional requests, in the order of RFC 9110, section 13.2.2. The framework's own file results are not used, because they take a
/// date that is *older or equal* for a match, in If-Modified-Since and in If-Range: after a revert to an earlier generation, a
/// client would keep what was taken back, or join the halves of two files.
/// </summary>
internal static class Preconditions
{
    public static Precondition Evaluate(IHeaderDictionary request, Resource resource)
    {
        if (!resource.HasValidators)
        {
            return Precondition.Send;
        }

        if (request.IfMatch.Count > 0)
        {
            if (!Matches(request.IfMatch, resource.ETag, strong: true))
            {
                return Precondition.Failed;
            }
        }
        else if (Date(request.IfUnmodifiedSince) is { } limit && resource.LastModified > limit)
        {
            return Precondition.Failed;
        }

        if (request.IfNoneMatch.Count > 0)
        {
            return Matches(request.IfNoneMatch, resource.ETag, strong: false) ? Precondition.NotModified : Precondition.Send;
        }

        return resource.LastModified is { } modified && Date(request.IfModifiedSince) == modified ? Precondition.NotModified : Precondition.Send;
    }

    /// <summary>Whether a Range header counts: without If-Range always, else only for exactly the content that the client has a part of.</summary>
    public static bool AllowRange(IHeaderDictionary request, Resource resource)
    {
        StringValues condition = request.IfRange;
        if (condition.Count == 0)
        {
            return true;
        }

        if (condition.Count > 1)
        {
            return false;
        }

        return EntityTagHeaderValue.TryParse(condition.ToString(), out EntityTagHeaderValue? tag)
            ? resource.ETag is { } own && !tag.IsWeak && tag.Tag.Equals(own, StringComparison.Ordinal)
            : resource.LastModified is { } modified && Date(condition) == modified;
    }

    private static bool Matches(StringValues header, string? etag, bool strong) =>
        EntityTagHeaderValue.TryParseList(header, out IList<EntityTagHeaderValue>? tags)
        && tags.Any(t => t.Tag == "*" || (etag is not null && !(strong && t.IsWeak) && t.Tag.Equals(etag, StringComparison.Ordinal)));

    private static DateTimeOffset? Date(StringValues header) =>
        header.Count == 1 && HeaderUtilities.TryParseDate(header.ToString(), out DateTimeOffset date) ? date : null;
}
