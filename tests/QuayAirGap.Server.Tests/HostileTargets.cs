using System.Text;

namespace QuayAirGap.Server.Tests;

/// <summary>Request targets that try to get out of what is served, or to break the reader of targets. The same ones in every run.</summary>
internal static class HostileTargets
{
    private static readonly string[] s_ups =
    [
        "..", "%2e%2e", ".%2e", "%2E.", "%252e%252e", "..%00", "..;", "...", "%c0%ae%c0%ae", "%uff0e%uff0e", "..%5c",
        "..\\", "%e0%80%ae%e0%80%ae", ". .", "~", ".. ",
    ];

    private static readonly string[] s_separators = ["/", "//", "%2f", "%2F", "%5c", "\\", "%255c", "/./", "%c0%af", ";/", "/%00/", ":"];

    private static readonly string[] s_goals =
    [
        "etc/passwd", "etc/passwd%00.json", "windows/win.ini", "proc/self/environ", "C:/boot.ini",
        "CON", "NUL", "aux.json", "file.txt::$DATA", "index.html", ".git/config",
    ];

    public static IEnumerable<string> Generate(int count, IReadOnlyList<string> files)
    {
        var random = new Random(20261101);
        for (int i = 0; i < count; i++)
        {
            yield return (i % 4) switch
            {
                0 or 1 => Traversal(random, files),
                2 => Noise(random),
                _ => Odd(random, files),
            };
        }
    }

    private static string Traversal(Random random, IReadOnlyList<string> files)
    {
        var target = new StringBuilder(Pick(random, ["/", "/secdb.alpinelinux.org/", "/secdb.alpinelinux.org/v3.3/", "//", "/nowhere/"]));
        int ups = random.Next(1, 12);
        for (int i = 0; i < ups; i++)
        {
            target.Append(Pick(random, s_ups)).Append(Pick(random, s_separators));
        }

        string goal = random.Next(2) == 0 ? Pick(random, s_goals) : Pick(random, files).TrimStart('/');
        return Wire(target.Append(goal).ToString());
    }

    /// <summary>Any bytes that a request line can have, and broken escapes.</summary>
    private static string Noise(Random random)
    {
        var target = new StringBuilder("/");
        int length = random.Next(1, 200);
        for (int i = 0; i < length; i++)
        {
            _ = random.Next(5) switch
            {
                0 => target.Append('%').Append((char)random.Next('!', 127)),
                1 => target.Append('%').Append(random.Next(256).ToString("x2")),
                2 => target.Append((char)random.Next(128, 256)),
                _ => target.Append((char)random.Next('!', 127)),
            };
        }

        return Wire(target.ToString());
    }

    private static string Odd(Random random, IReadOnlyList<string> files) => random.Next(8) switch
    {
        0 => "/" + new string('a', random.Next(1, 20_000)),
        1 => "/" + string.Concat(Enumerable.Repeat("a/", random.Next(1, 3000))),
        2 => "/" + Wire(Pick(random, files)),
        3 => Wire(Pick(random, files)),
        4 => "http://127.0.0.1" + Wire(Pick(random, files)),
        5 => "file://" + Wire(Pick(random, files)),
        6 => "/" + Convert.ToHexStringLower(Encoding.UTF8.GetBytes(Pick(random, files))) + "?" + Wire(Pick(random, files)),
        _ => Pick(
            random,
            [
                "*", "", "?", "#", "/#/../..", "/%", "/%%", "/%2", "http://", "http:///etc/passwd", "://", "/\\\\host\\share", "/%ff%fe",
                "/..", "/../", "/.",
            ]),
    };

    /// <summary>As one word: a space would end the target.</summary>
    private static string Wire(string text) => text.Replace(" ", "%20", StringComparison.Ordinal);

    private static T Pick<T>(Random random, IReadOnlyList<T> list) => list[random.Next(list.Count)];
}
