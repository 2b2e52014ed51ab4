using System.Text.Json;

namespace QuayAirGap.Server.Tests.Gateway;

/// <summary>
/// What Quay requires of a report before it shows it: the fields and types of its schema (util/secscan/v4/clair-v4.openapi.json), and what its
/// transformation (features_for in data/secscan_model/secscan_v4_model.py) and its old UI take for granted.
/// </summary>
internal static class QuayReportRules
{
    private static readonly string[] s_severities = ["Unknown", "Negligible", "Low", "Medium", "High", "Critical"];

    private static readonly string[] s_distribution = ["id", "did", "name", "version", "version_code_name", "version_id", "arch", "cpe", "pretty_name"];

    private static readonly string[] s_vulnerability = ["id", "updater", "name", "description", "links", "severity", "normalized_severity", "fixed_in_version"];

    /// <summary>Every rule that the report breaks.</summary>
    public static IReadOnlyList<string> Broken(byte[] report)
    {
        List<string> broken = [];
        using var json = JsonDocument.Parse(report);
        JsonElement root = json.RootElement;
        Strings(root, "report", ["manifest_hash"]);
        foreach (JsonProperty package in Map(root, "packages"))
        {
            Package(package.Value, $"package {package.Name}");
            Same(package.Name, package.Value, $"package {package.Name}");

            // Quay takes the first environment of each package without asking.
            if (!Has(root, "environments", package.Name, out JsonElement environments) || environments.ValueKind != JsonValueKind.Array || environments.GetArrayLength() == 0)
            {
                broken.Add($"package {package.Name} has no environment");
            }
        }

        foreach (JsonProperty distribution in Map(root, "distributions"))
        {
            Strings(distribution.Value, $"distribution {distribution.Name}", s_distribution);
        }

        foreach (JsonProperty environment in Map(root, "environments"))
        {
            foreach (JsonElement one in environment.Value.ValueKind == JsonValueKind.Array ? environment.Value.EnumerateArray().ToArray() : Fault($"environment {environment.Name} is no list"))
            {
                Strings(one, $"environment {environment.Name}", ["package_db", "introduced_in", "distribution_id"]);
            }

            if (!Has(root, "packages", environment.Name, out _))
            {
                broken.Add($"environment {environment.Name} has no package");
            }
        }

        foreach (JsonProperty vulnerability in Map(root, "vulnerabilities"))
        {
            string what = $"vulnerability {vulnerability.Name}";
            Strings(vulnerability.Value, what, s_vulnerability);
            Same(vulnerability.Name, vulnerability.Value, what);
            if (vulnerability.Value.TryGetProperty("normalized_severity", out JsonElement severity) && !s_severities.Contains(severity.GetString()))
            {
                broken.Add($"{what} has the severity '{severity}'");
            }

            if (vulnerability.Value.TryGetProperty("package", out JsonElement package))
            {
                Package(package, $"{what}'s package");
            }

            // "dict" and not null: Quay asks it for "name".
            foreach (string part in new[] { "distribution", "repository" })
            {
                if (vulnerability.Value.TryGetProperty(part, out JsonElement value) && value.ValueKind != JsonValueKind.Object)
                {
                    broken.Add($"{what}'s {part} is no object");
                }
            }
        }

        foreach (JsonProperty of in Map(root, "package_vulnerabilities"))
        {
            if (!Has(root, "packages", of.Name, out _))
            {
                broken.Add($"vulnerabilities of {of.Name}, which is no package");
            }

            foreach (JsonElement id in of.Value.ValueKind == JsonValueKind.Array ? of.Value.EnumerateArray().ToArray() : Fault($"vulnerabilities of {of.Name} are no list"))
            {
                if (id.ValueKind != JsonValueKind.String || !Has(root, "vulnerabilities", id.GetString()!, out _))
                {
                    broken.Add($"{of.Name} has the vulnerability {id}, which is not there");
                }
            }
        }

        return broken;

        JsonElement[] Fault(string what)
        {
            broken.Add(what);
            return [];
        }

        JsonProperty[] Map(JsonElement element, string name)
        {
            if (!element.TryGetProperty(name, out JsonElement map) || map.ValueKind != JsonValueKind.Object)
            {
                broken.Add($"{name} is no object");
                return [];
            }

            JsonProperty[] members = [.. map.EnumerateObject()];
            broken.AddRange(members.GroupBy(m => m.Name).Where(g => g.Count() > 1).Select(g => $"{name} has {g.Key} more than once"));
            return members;
        }

        void Package(JsonElement element, string what) => Strings(element, what, ["id", "name", "version"]);

        void Same(string key, JsonElement element, string what)
        {
            if (element.TryGetProperty("id", out JsonElement id) && id.GetString() != key)
            {
                broken.Add($"{what} calls itself {id}");
            }
        }

        void Strings(JsonElement element, string what, string[] names)
        {
            foreach (string name in names)
            {
                if (!element.TryGetProperty(name, out JsonElement value) || value.ValueKind != JsonValueKind.String)
                {
                    broken.Add($"{what} has no text '{name}'");
                }
            }
        }

        static bool Has(JsonElement root, string map, string key, out JsonElement value)
        {
            value = default;
            return root.TryGetProperty(map, out JsonElement found) && found.ValueKind == JsonValueKind.Object && found.TryGetProperty(key, out value);
        }
    }
}
