using System.Text;

namespace QuayAirGap.TestKit.Clair.Go;

/// <summary>
/// Go's <c>net/url</c>, as far as the updaters use it. Unlike <see cref="Uri"/> it refuses control characters and a colon in the first
/// segment of a relative reference, and keeps surrounding blanks.
/// </summary>
internal static class GoUrl
{
    /// <summary>An absolute URL.</summary>
    public static Uri Parse(string url)
    {
        Check(url);
        return new Uri(Escape(url), UriKind.Absolute);
    }

    /// <summary>URL.Parse: a reference resolved against a base.</summary>
    public static Uri Resolve(Uri root, string reference)
    {
        Check(reference);
        return new Uri(root, Escape(reference));
    }

    /// <summary>As <see cref="Resolve"/>; false where Go would give an error, or a URL without a host.</summary>
    public static bool TryResolve(Uri root, string reference, out Uri resolved)
    {
        resolved = root;
        try
        {
            Check(reference);
        }
        catch (ClairException)
        {
            return false;
        }

        // After path.Join "https://x" is "https:/x", which has a scheme and no host.
        if (HasScheme(reference))
        {
            return false;
        }

        resolved = new Uri(root, Escape(reference));
        return true;
    }

    /// <summary>URL.JoinPath: the parts are cleaned with the URL's path.</summary>
    public static Uri JoinPath(Uri root, params string[] parts)
    {
        var path = GoPath.Join([root.AbsolutePath, .. parts]);
        return new Uri(root.GetLeftPart(UriPartial.Authority) + Escape(path));
    }

    private static void Check(string url)
    {
        var fragment = url.IndexOf('#', StringComparison.Ordinal);
        var reference = fragment < 0 ? url : url[..fragment];
        if (reference.Any(c => c is < ' ' or '\x7f'))
        {
            throw ClairException.Failed($"parse \"{url.ReplaceLineEndings("\\n")}\": net/url: invalid control character in URL");
        }

        var path = reference.Split('?', 2)[0];
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == '%' && (i + 2 >= path.Length || !char.IsAsciiHexDigit(path[i + 1]) || !char.IsAsciiHexDigit(path[i + 2])))
            {
                throw ClairException.Failed($"parse \"{url}\": invalid URL escape");
            }
        }

        if (!HasScheme(path) && path.Split('/')[0].Contains(':', StringComparison.Ordinal))
        {
            throw ClairException.Failed($"parse \"{url}\": first path segment in URL cannot contain colon");
        }
    }

    private static bool HasScheme(string reference)
    {
        var colon = reference.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && char.IsAsciiLetter(reference[0])
            && reference[..colon].All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.');
    }

    private static string Escape(string text)
    {
        var escaped = new StringBuilder();
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            var c = (char)octet;
            if (char.IsAsciiLetterOrDigit(c) || "-_.~$&+,/:;=@%?#!'()*[]".Contains(c, StringComparison.Ordinal))
            {
                escaped.Append(c);
            }
            else
            {
                escaped.Append('%').Append(Convert.ToHexString([octet]));
            }
        }

        return escaped.ToString();
    }
}
