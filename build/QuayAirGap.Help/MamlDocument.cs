using System.Globalization;
using System.Management.Automation;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace QuayAirGap.Help;

/// <summary>Makes the MAML that Get-Help reads, out of the pages (what people are told) and the cmdlets (what is so).</summary>
public static class MamlDocument
{
    private static readonly XNamespace s_maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace s_command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace s_dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    private static readonly Dictionary<string, string> s_common = new(StringComparer.Ordinal)
    {
        ["WhatIf"] = "Shows what would be done, and does nothing of it.",
        ["Confirm"] = "Asks before doing it.",
    };

    /// <summary>Whether a parameter is one that every cmdlet has, and that no page describes.</summary>
    public static bool IsCommon(string parameter) =>
        s_common.ContainsKey(parameter) || Cmdlet.CommonParameters.Contains(parameter) || Cmdlet.OptionalCommonParameters.Contains(parameter);

    /// <exception cref="FormatException">A page lacks something that its cmdlet has.</exception>
    public static string Create(IEnumerable<CmdletInfo> cmdlets, IReadOnlyDictionary<string, CmdletPage> pages)
    {
        var root = new XElement(
            "helpItems",
            new XAttribute("schema", "maml"),
            new XAttribute("xmlns", "http://msh"),
            cmdlets.Select(c => Command(c, pages.TryGetValue(c.Name, out CmdletPage? page) ? page : throw new FormatException($"{c.Name} has no page."))));
        foreach (XElement element in root.DescendantsAndSelf().Where(e => e.Name.Namespace == XNamespace.None))
        {
            element.Name = XNamespace.Get("http://msh") + element.Name.LocalName;
        }

        var text = new StringBuilder();
        using (var writer = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, NewLineChars = "\n", OmitXmlDeclaration = true }))
        {
            root.Save(writer);
        }

        return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- Generated from docs/cmdlets by build/QuayAirGap.Help; do not edit. -->\n" + text + "\n";
    }

    private static XElement Command(CmdletInfo cmdlet, CmdletPage page) => new(
        s_command + "command",
        new XAttribute(XNamespace.Xmlns + "maml", s_maml.NamespaceName),
        new XAttribute(XNamespace.Xmlns + "command", s_command.NamespaceName),
        new XAttribute(XNamespace.Xmlns + "dev", s_dev.NamespaceName),
        new XElement(
            s_command + "details",
            new XElement(s_command + "name", cmdlet.Name),
            new XElement(s_command + "verb", cmdlet.Verb),
            new XElement(s_command + "noun", cmdlet.Noun),
            Text("description", [page.Synopsis])),
        Text("description", page.Description),
        new XElement(s_command + "syntax", cmdlet.ParameterSets.Select(s => SyntaxItem(cmdlet, s, page))),
        new XElement(
            s_command + "parameters",
            cmdlet.ParameterSets.SelectMany(s => s.Parameters).Where(IsShown).DistinctBy(p => p.Name)
                .OrderBy(p => s_common.ContainsKey(p.Name)).ThenBy(p => p.Name, StringComparer.Ordinal).Select(p => Parameter(p, page))),
        new XElement(s_command + "inputTypes", page.Inputs.Select(i => Typed("inputType", i))),
        new XElement(s_command + "returnValues", page.Outputs.Select(o => Typed("returnValue", o))),
        new XElement(s_maml + "alertSet", new XElement(s_maml + "title", "Errors"), new XElement(s_maml + "alert", Paras(page.Errors))),
        new XElement(s_command + "examples", page.Examples.Select(Example)),
        new XElement(
            s_command + "relatedLinks",
            page.Related.Select(r => new XElement(s_maml + "navigationLink", new XElement(s_maml + "linkText", r), new XElement(s_maml + "uri")))));

    private static XElement SyntaxItem(CmdletInfo cmdlet, CommandParameterSetInfo set, CmdletPage page) => new(
        s_command + "syntaxItem",
        new XElement(s_maml + "name", cmdlet.Name),
        set.Parameters.Where(IsShown)
            .OrderBy(p => p.Position < 0 ? int.MaxValue : p.Position).ThenBy(p => !p.IsMandatory).ThenBy(p => s_common.ContainsKey(p.Name))
            .ThenBy(p => p.Name, StringComparer.Ordinal)
            .Select(p => Parameter(p, page)));

    private static XElement Parameter(CommandParameterInfo parameter, CmdletPage page)
    {
        IReadOnlyList<string> text = s_common.TryGetValue(parameter.Name, out string? common)
            ? [common]
            : page.Parameters.FirstOrDefault(p => p.Name == parameter.Name)?.Paragraphs
                ?? throw new FormatException($"The page of {page.Name} does not describe -{parameter.Name}.");
        bool isSwitch = parameter.ParameterType == typeof(SwitchParameter);
        string type = TypeName(parameter.ParameterType);
        return new XElement(
            s_command + "parameter",
            new XAttribute("required", parameter.IsMandatory ? "true" : "false"),
            new XAttribute("variableLength", parameter.ParameterType.IsArray ? "true" : "false"),
            new XAttribute("globbing", parameter.Attributes.OfType<SupportsWildcardsAttribute>().Any() ? "true" : "false"),
            new XAttribute("pipelineInput", Pipeline(parameter)),
            new XAttribute("position", parameter.Position < 0 ? "named" : parameter.Position.ToString(CultureInfo.InvariantCulture)),
            new XAttribute("aliases", parameter.Aliases.Count == 0 ? "none" : string.Join(", ", parameter.Aliases)),
            new XElement(s_maml + "name", parameter.Name),
            Text("description", text),
            isSwitch ? null : new XElement(s_command + "parameterValue", new XAttribute("required", "true"), type),
            new XElement(s_dev + "type", new XElement(s_maml + "name", type), new XElement(s_maml + "uri")));
    }

    private static string Pipeline(CommandParameterInfo parameter) => (parameter.ValueFromPipeline, parameter.ValueFromPipelineByPropertyName) switch
    {
        (true, true) => "True (ByValue, ByPropertyName)",
        (true, false) => "True (ByValue)",
        (false, true) => "True (ByPropertyName)",
        _ => "False",
    };

    private static string TypeName(Type type) =>
        Nullable.GetUnderlyingType(type) is { } inner ? inner.Name : type.IsArray ? TypeName(type.GetElementType()!) + "[]" : type.Name;

    private static XElement Typed(string element, PageItem item) => new(
        s_command + element,
        new XElement(s_dev + "type", new XElement(s_maml + "name", item.Name)),
        Text("description", item.Paragraphs));

    private static XElement Example(PageExample example, int index) => new(
        s_command + "example",
        new XElement(s_maml + "title", string.Create(CultureInfo.InvariantCulture, $"Example {index + 1}: {example.Title}")),
        new XElement(s_dev + "code", example.Code),
        new XElement(s_dev + "remarks", Paras([.. example.Remarks, ""]))); // the empty one parts it from the next example

    private static XElement Text(string element, IEnumerable<string> paragraphs) => new(s_maml + element, Paras(paragraphs));

    private static IEnumerable<XElement> Paras(IEnumerable<string> paragraphs) => paragraphs.Select(p => new XElement(s_maml + "para", p));

    private static bool IsShown(CommandParameterInfo parameter) => s_common.ContainsKey(parameter.Name) || !IsCommon(parameter.Name);
}
