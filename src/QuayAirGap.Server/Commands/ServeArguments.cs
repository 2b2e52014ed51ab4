using System.Globalization;
using QuayAirGap.Core;

namespace QuayAirGap.Server.Commands;

/// <summary>The command line of serve.</summary>
internal sealed record ServeArguments
{
    private const string Usage = """
        Usage: quayairgap serve [--site <dir> | --folder <dir>] [--urls <url>[;<url>…]] [--quiet]

        Serves the current generation of a site to Clair, by path: http://this-host:8080/<upstream host>/<path>.

          --site <dir>            The site. Default: the environment variable QUAYAIRGAP_SITE, else the platform's usual place.
          --folder <dir>          Instead of a site, a folder laid out <host>/<path>: a stand-in for the upstreams, in a lab.
          --last-modified <time>  With --folder: the modification time of every file, UTC, like 2026-11-01T00:00:00Z.
          --urls <url>            Where to listen. Default: http://127.0.0.1:8080. Port 0 takes a free one; * is every address of this host.
          --quiet                 No line for each request.
          --help                  This text.

        Exit codes: 0 stopped by SIGTERM or Ctrl+C; 2 not started.
        """;

    private static readonly string[] s_options = ["--site", "--folder", "--last-modified", "--urls", "--quiet", "--help"];

    public static string Help => Usage;

    public string? Site { get; private init; }

    public string? Folder { get; private init; }

    public DateTimeOffset? LastModified { get; private init; }

    public IReadOnlyList<string> Urls { get; private init; } = ["http://127.0.0.1:8080"];

    public bool Quiet { get; private init; }

    public bool WantsHelp { get; private init; }

    /// <exception cref="FeedException"><see cref="ErrorIds.ServeOptionInvalid"/></exception>
    public static ServeArguments Parse(IReadOnlyList<string> args)
    {
        var parsed = new ServeArguments();
        var given = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < args.Count; i++)
        {
            string argument = args[i];
            int equals = argument.StartsWith("--", StringComparison.Ordinal) ? argument.IndexOf('=') : -1;
            string option = equals < 0 ? argument : argument[..equals];
            if (option is "-h" or "-?" or "/?")
            {
                option = "--help";
            }

            if (!s_options.Contains(option))
            {
                throw Invalid($"serve has no option '{option}'.", option, $"Did you mean '{Nearest.To(option, s_options)}'? serve --help lists all.");
            }

            if (!given.Add(option))
            {
                throw Invalid($"{option} is given twice.", option, "Give it once; several addresses go into one --urls, separated by semicolons.");
            }

            if (option is "--quiet" or "--help")
            {
                if (equals >= 0)
                {
                    throw Invalid($"{option} takes no value.", option, $"Write {option} alone.");
                }

                parsed = option == "--quiet" ? parsed with { Quiet = true } : parsed with { WantsHelp = true };
                continue;
            }

            string value = equals >= 0 ? argument[(equals + 1)..] : i + 1 < args.Count ? args[++i] : "";
            if (value.Length == 0)
            {
                throw Invalid($"{option} needs a value.", option, "serve --help shows what each option takes.");
            }

            parsed = option switch
            {
                "--site" => parsed with { Site = value },
                "--folder" => parsed with { Folder = value },
                "--last-modified" => parsed with { LastModified = ParseTime(value) },
                _ => parsed with { Urls = value.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) },
            };
        }

        if (parsed.Site is not null && parsed.Folder is not null)
        {
            throw Invalid("--site and --folder exclude each other.", "--folder", "Serve a site to Clair, or a folder to a lab.");
        }

        if (parsed.LastModified is not null && parsed.Folder is null)
        {
            throw Invalid("--last-modified needs --folder.", "--last-modified", "A site's files have the times that their upstreams gave them.");
        }

        return parsed.Urls.Count > 0 ? parsed : throw Invalid("--urls names no address.", "--urls", "Write it as http://127.0.0.1:8080.");
    }

    private static DateTimeOffset ParseTime(string text) =>
        DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time)
            ? time
            : throw Invalid($"'{text}' is not a time.", text, "Write it like 2026-11-01T00:00:00Z.");

    private static FeedException Invalid(string message, string target, string remedy) => new(ErrorIds.ServeOptionInvalid, message, target, remedy);
}
