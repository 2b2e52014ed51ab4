using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// An OVAL document as Clair decodes and walks it (goval-parser:oval/types.go, claircore:pkg/ovalutil/rpm.go, dpkg.go): names without
/// namespaces, references by id, each criterion that leads to a package one vulnerability.
/// </summary>
internal sealed partial class OvalDocument
{
    private readonly XElement _root;
    private readonly Dictionary<string, XElement> _tests;
    private readonly Dictionary<string, XElement> _objects;
    private readonly Dictionary<string, XElement> _states;
    private readonly Dictionary<string, XElement> _variables;

    private OvalDocument(XElement root)
    {
        _root = root;
        _tests = ById("tests");
        _objects = ById("objects");
        _states = ById("states");
        _variables = ById("variables");
    }

    /// <summary>The definitions, in order.</summary>
    public IEnumerable<OvalDefinition> Definitions => Children(_root, "definitions").SelectMany(d => Children(d, "definition")).Select(d => new OvalDefinition(d));

    public static OvalDocument Parse(byte[] xml)
    {
        XDocument document;
        try
        {
            using var stream = new MemoryStream(xml);
            using var reader = XmlReader.Create(stream, new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null });
            document = XDocument.Load(reader, LoadOptions.PreserveWhitespace);
        }
        catch (XmlException error)
        {
            throw ClairException.Failed("unable to decode OVAL document: " + error.Message, error);
        }

        if (document.Root is not { Name.LocalName: "oval_definitions" } root)
        {
            throw ClairException.Failed($"unable to decode OVAL document: expected element type <oval_definitions> but have <{document.Root?.Name.LocalName}>");
        }

        var oval = new OvalDocument(root);
        foreach (var date in oval.Definitions.SelectMany(d => d.Dates))
        {
            CheckDate(date);
        }

        return oval;
    }

    /// <summary>ovalutil.RPMDefsToVulns.</summary>
    /// <param name="distributions">The distributions that a definition speaks for: none leaves it out.</param>
    public IEnumerable<OvalRow> RpmRows(Func<OvalDefinition, IEnumerable<string>> distributions)
    {
        foreach (var definition in Definitions)
        {
            var criteria = definition.Criteria.ToList();
            var modules = criteria.Select(c => Module().Match(Attribute(c, "comment"))).Where(m => m.Success && m.Groups[1].Length > 0)
                .Select(m => m.Groups[1].Value).DefaultIfEmpty(string.Empty).ToList();
            foreach (var criterion in criteria)
            {
                var (thing, state) = Find(criterion, "rpminfo");
                if (thing is null)
                {
                    continue;
                }

                var name = Text(thing, "name");
                var rows =
                    from module in modules
                    from distribution in distributions(definition)
                    select new OvalRow(distribution, definition.Title, definition.Severity, name, module, Text(state, "evr"), Arch(state));
                foreach (var row in rows)
                {
                    yield return row;
                }
            }
        }
    }

    /// <summary>ovalutil.DpkgDefsToVulns with the expansion of names in claircore:ubuntu/updater.go.</summary>
    /// <param name="distribution">Asked for each definition.</param>
    public IEnumerable<OvalRow> DpkgRows(Func<string> distribution)
    {
        foreach (var definition in Definitions)
        {
            var dist = distribution();
            foreach (var criterion in definition.Criteria)
            {
                var (thing, state) = Find(criterion, "dpkginfo");
                if (thing is null)
                {
                    continue;
                }

                var name = Children(thing, "name").LastOrDefault()
                    ?? throw ClairException.Crashed("ubuntu: nil pointer dereference at an object without a name");
                foreach (var package in Packages(name))
                {
                    if (state is not null && !DebianVersion().IsMatch(Text(state, "evr").Trim()))
                    {
                        continue;
                    }

                    if (state is not null && Children(state, "arch").Any())
                    {
                        throw ClairException.Crashed("ubuntu: nil pointer dereference at a state with an architecture");
                    }

                    yield return new OvalRow(dist, definition.Title, definition.Severity, package, string.Empty, Text(state, "evr"), string.Empty);
                }
            }
        }
    }

    internal static IEnumerable<XElement> Children(XElement? element, string name) => element?.Elements().Where(e => e.Name.LocalName == name) ?? [];

    internal static string Attribute(XElement element, string name) => element.Attribute(name)?.Value ?? string.Empty;

    /// <summary>The text of the last child of a name, as encoding/xml leaves it in a string.</summary>
    internal static string Text(XElement? element, string name) =>
        Children(element, name).LastOrDefault() is { } child ? string.Concat(child.Nodes().OfType<XText>().Select(t => t.Value)) : string.Empty;

    [GeneratedRegex("Module (.*) is enabled", RegexOptions.CultureInvariant)]
    private static partial Regex Module();

    [GeneratedRegex(@"\A([0-9]+:)?[-_A-Za-z0-9.+:~]+(-[A-Za-z0-9+.~]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex DebianVersion();

    [GeneratedRegex(@"\A[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2}( [A-Z]{3,5})?)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex DateForm();

    private static string Arch(XElement? state) =>
        Children(state, "arch").LastOrDefault() is { } arch ? Attribute(arch, "operation") + " " + Text(state, "arch") : string.Empty;

    /// <summary>One date that cannot be read fails the document. The forms that feeds use; Go would take RFC 1123 and 3339 as well.</summary>
    private static void CheckDate(XElement date)
    {
        var attribute = date.Attribute("date")?.Value;
        var text = string.Concat(date.Nodes().OfType<XText>().Select(t => t.Value));
        if (attribute is { Length: 0 } || (attribute is not null && text.Length == 0 && DateForm().IsMatch(attribute)))
        {
            return;
        }

        if (!DateForm().IsMatch(text)
            || !DateTime.TryParseExact(text[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
        {
            throw ClairException.Failed($"unable to decode string as datestamp: \"{text}\"");
        }
    }

    private Dictionary<string, XElement> ById(string section)
    {
        var found = new Dictionary<string, XElement>(StringComparer.Ordinal);
        foreach (var element in Children(_root, section).Elements())
        {
            found[Attribute(element, "id")] = element;
        }

        return found;
    }

    /// <summary>The object and the state that a criterion's test names; no object where Clair passes over the criterion.</summary>
    private (XElement? Object, XElement? State) Find(XElement criterion, string kind)
    {
        if (!_tests.TryGetValue(Attribute(criterion, "test_ref"), out var test) || test.Name.LocalName != kind + "_test"
            || Children(test, "object").FirstOrDefault() is not { } objectRef
            || !_objects.TryGetValue(Attribute(objectRef, "object_ref"), out var thing) || thing.Name.LocalName != kind + "_object")
        {
            return default;
        }

        if (Children(test, "state").FirstOrDefault() is not { } stateRef)
        {
            return (thing, null);
        }

        return _states.TryGetValue(Attribute(stateRef, "state_ref"), out var state) && state.Name.LocalName == kind + "_state"
            && Children(state, "evr").Any()
                ? (thing, state)
                : default;
    }

    private IEnumerable<string> Packages(XElement name)
    {
        var reference = Attribute(name, "var_ref");
        if (reference.Length == 0)
        {
            return [string.Concat(name.Nodes().OfType<XText>().Select(t => t.Value))];
        }

        return _variables.TryGetValue(reference, out var variable)
            ? Children(variable, "value").Select(v => string.Concat(v.Nodes().OfType<XText>().Select(t => t.Value)))
            : [];
    }
}

/// <summary>One definition.</summary>
internal sealed class OvalDefinition(XElement element)
{
    private readonly XElement? _metadata = OvalDocument.Children(element, "metadata").LastOrDefault();

    public string Title => OvalDocument.Text(_metadata, "title");

    public string Severity => OvalDocument.Text(Advisory, "severity");

    public IEnumerable<string> Platforms =>
        OvalDocument.Children(_metadata, "affected").SelectMany(a => OvalDocument.Children(a, "platform")).Select(p => p.Value);

    public IEnumerable<string> Cpes =>
        OvalDocument.Children(Advisory, "affected_cpe_list").SelectMany(l => OvalDocument.Children(l, "cpe")).Select(c => c.Value);

    /// <summary>What is decoded as a date.</summary>
    public IEnumerable<XElement> Dates =>
        new[] { "issued", "updated", "public_date" }.SelectMany(name => OvalDocument.Children(Advisory, name));

    /// <summary>All criterions, those of the innermost criteria first.</summary>
    public IEnumerable<XElement> Criteria => OvalDocument.Children(element, "criteria").SelectMany(Walk);

    private XElement? Advisory => OvalDocument.Children(_metadata, "advisory").LastOrDefault();

    private static IEnumerable<XElement> Walk(XElement criteria) =>
        OvalDocument.Children(criteria, "criteria").SelectMany(Walk).Concat(OvalDocument.Children(criteria, "criterion"));
}
