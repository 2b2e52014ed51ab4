using System.Text.Json.Nodes;

namespace QuayAirGap.Core.Quay;

/// <summary>Quay's own config.yaml: the keys that say where its scanner is.</summary>
public static class QuayConfig
{
    /// <summary>Points Quay at a Clair that the operator does not manage.</summary>
    /// <param name="path">Quay's config.yaml.</param>
    /// <param name="text">What it says.</param>
    /// <param name="clair">Clair's address as Quay reaches it.</param>
    /// <param name="registry">The QuayRegistry where an operator runs Quay; or null.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.ClairConfigConflict"/>: Clair is managed, and the operator refuses these keys.</exception>
    public static AirGapChange Plan(string path, string text, Uri clair, QuayRegistry? registry)
    {
        if (registry is { IsClairManaged: true })
        {
            throw new FeedException(
                ErrorIds.ClairConfigConflict, "The operator manages Clair here, sets these keys itself and refuses a config.yaml that has them.", path,
                "Leave out -QuayConfigPath.");
        }

        YamlText config = YamlText.Parse(path, text);
        if (config.Content is not (null or JsonObject))
        {
            throw new FeedException(ErrorIds.ClairConfigInvalid, $"'{path}' is no configuration of Quay.", path, "Name Quay's config.yaml.");
        }

        YamlText edited = config.Set(["FEATURE_SECURITY_SCANNER"], true).Set(["SECURITY_SCANNER_V4_ENDPOINT"], clair.AbsoluteUri.TrimEnd('/'));
        return new AirGapChange
        {
            Kind = "QuayConfig",
            Path = path,
            Before = text,
            After = edited.Text,
            Diff = edited.Text == text ? "" : TextDiff.Of(text, edited.Text),
            Notes = edited.Find("SECURITY_SCANNER_V4_PSK") is null
                ? ["SECURITY_SCANNER_V4_PSK is not set: a Clair with auth.psk refuses Quay. Set it to the same key."]
                : [],
            NextSteps = edited.Text == text ? [] : ["Restart Quay: it reads config.yaml when it starts."],
        };
    }
}
