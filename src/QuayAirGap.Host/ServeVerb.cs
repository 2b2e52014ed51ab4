using QuayAirGap.Server.Commands;

namespace QuayAirGap.Host;

/// <summary>Hands "serve" over to the web server, which handles signals itself; no PowerShell engine is started for it.</summary>
internal static class ServeVerb
{
    public static Task<int> RunAsync(IReadOnlyList<string> arguments) => ServeCommand.RunAsync([.. arguments], CancellationToken.None);
}
