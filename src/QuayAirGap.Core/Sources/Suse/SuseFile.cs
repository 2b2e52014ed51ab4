using System.Globalization;
using System.Text.RegularExpressions;

namespace QuayAirGap.Core.Sources.Suse;

/// <summary>
/// One of SUSE's documents that Clair builds an updater from: SUSE Linux Enterprise Server 11 to 99 and openSUSE Leap from 15.5
/// (claircore suse/factory.go). Unlike Clair's, these patterns hold for the whole name: a checksum beside a document is none.
/// </summary>
/// <param name="Name">In the listing: "suse.linux.enterprise.server.15.xml.gz".</param>
/// <param name="Release">The updater's own name: "suse.linux.enterprise.server.15".</param>
internal sealed partial record SuseFile(string Name, string Release)
{
    private static readonly Version s_firstLeap = new(15, 5);

    public string Updater => "suse-updater-" + Release;

    public static SuseFile? Parse(string name)
    {
        if (Server().Match(name) is { Success: true } server)
        {
            return new SuseFile(name, "suse.linux.enterprise.server." + server.Groups[1].Value);
        }

        return Leap().Match(name) is { Success: true } leap
            && new Version(Number(leap.Groups[1]), Number(leap.Groups[2])) >= s_firstLeap
                ? new SuseFile(name, $"opensuse.leap.{leap.Groups[1].Value}.{leap.Groups[2].Value}")
                : null;
    }

    private static int Number(Group digits) => int.Parse(digits.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex("^suse\\.linux\\.enterprise\\.server\\.([1-9][1-9])\\.xml\\.gz$", RegexOptions.CultureInvariant)]
    private static partial Regex Server();

    [GeneratedRegex("^opensuse\\.leap\\.(1[0-9])\\.([0-9]{1,4})\\.xml\\.gz$", RegexOptions.CultureInvariant)]
    private static partial Regex Leap();
}
