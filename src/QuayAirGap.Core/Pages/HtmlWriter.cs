using System.Globalization;
using System.Text;

namespace QuayAirGap.Core.Pages;

/// <summary>
/// Writes HTML in which text cannot become markup: whatever goes in as text or as an attribute's value is encoded here and nowhere else,
/// so that no caller can forget it. Elements close in the order in which they were opened.
/// </summary>
internal sealed class HtmlWriter
{
    /// <summary>Longer texts are cut: an upstream's answer may be of any length, a page may not.</summary>
    private const int MaxText = 4000;

    private static readonly HashSet<string> s_void = ["meta", "link", "br", "input", "use", "rect", "line", "path", "polyline", "circle", "col"];

    private readonly StringBuilder _html = new();
    private readonly Stack<string> _open = new();

    public int Length => _html.Length;

    /// <param name="attributes">A null value leaves the attribute out, an empty one writes its name alone.</param>
    public HtmlWriter Open(string tag, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        _html.Append('<').Append(tag);
        foreach ((string name, string? value) in attributes)
        {
            // The page's own policy would ignore them, and there is no other use for them here.
            if (name.StartsWith("on", StringComparison.OrdinalIgnoreCase) || name.Equals("style", StringComparison.OrdinalIgnoreCase))
            {
                throw new ArgumentException($"'{name}' is not written.", nameof(attributes));
            }

            if (value is null)
            {
                continue;
            }

            _html.Append(' ').Append(name);
            if (value.Length > 0)
            {
                _html.Append("=\"");
                Encode(_html, value, int.MaxValue);
                _html.Append('"');
            }
        }

        _html.Append('>');
        if (!s_void.Contains(tag))
        {
            _open.Push(tag);
        }
        else if (tag is "use" or "rect" or "line" or "path" or "polyline" or "circle")
        {
            _html.Insert(_html.Length - 1, '/'); // within SVG, an element without content is closed by itself
        }

        return this;
    }

    public HtmlWriter Close(int count = 1)
    {
        for (int i = 0; i < count; i++)
        {
            _html.Append("</").Append(_open.Pop()).Append('>');
        }

        return this;
    }

    public HtmlWriter Text(string? text)
    {
        Encode(_html, text ?? "", MaxText);
        return this;
    }

    public HtmlWriter Text(long number) => Text(number.ToString("N0", CultureInfo.InvariantCulture));

    /// <summary>An element with nothing but text in it.</summary>
    public HtmlWriter Element(string tag, string? text, params ReadOnlySpan<(string Name, string? Value)> attributes) => Open(tag, attributes).Text(text).Close();

    public HtmlWriter Line()
    {
        _html.Append('\n');
        return this;
    }

    /// <summary>The program's own markup, script or style sheet: never anything that came from outside.</summary>
    public HtmlWriter Own(string markup)
    {
        _html.Append(markup);
        return this;
    }

    public override string ToString() =>
        _open.Count == 0 ? _html.ToString() : throw new InvalidOperationException($"<{_open.Peek()}> is still open.");

    /// <summary>
    /// What could break out of text or attribute is escaped; what could mislead a reader is made visible: characters that reverse the
    /// direction of a line, control characters, halves of a surrogate pair.
    /// </summary>
    private static void Encode(StringBuilder html, string text, int max)
    {
        bool cut = text.Length > max;
        ReadOnlySpan<char> rest = cut ? text.AsSpan(0, max) : text;
        foreach (Rune rune in rest.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '&' => html.Append("&amp;"),
                '<' => html.Append("&lt;"),
                '>' => html.Append("&gt;"),
                '"' => html.Append("&quot;"),
                '\'' => html.Append("&#39;"),
                '\t' or '\n' or '\r' or 0x2028 or 0x2029 => html.Append(' '),
                < 0x20 or (>= 0x7F and < 0xA0) or 0x200E or 0x200F or 0x061C or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) or 0xFEFF =>
                    html.Append('\uFFFD'),
                _ => html.Append(rune.ToString()),
            };
        }

        if (cut)
        {
            html.Append('…');
        }
    }
}
