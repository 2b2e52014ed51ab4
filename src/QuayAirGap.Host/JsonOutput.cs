using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace QuayAirGap.Host;

/// <summary>
/// Results for machines: one JSON array, one object a line. Times are ISO 8601 in UTC, durations "d.hh:mm:ss", enumerations their names,
/// all independent of the culture.
/// </summary>
internal sealed class JsonOutput(Terminal terminal)
{
    private const int MaxDepth = 4;
    private const string OwnTypes = "QuayAirGap";

    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private bool _any;

    public void Write(PSObject? value)
    {
        var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            WriteValue(json, value, 0);
        }

        terminal.WriteOutput((_any ? ",\n" : "[\n") + Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
        _any = true;
    }

    public void End() => terminal.WriteOutput(_any ? "\n]\n" : "[]\n");

    private static void WriteValue(Utf8JsonWriter json, object? value, int depth)
    {
        object? bare = value is PSObject wrapped ? wrapped.BaseObject : value;
        switch (bare)
        {
            case null:
                json.WriteNullValue();
                break;
            case string or char or Uri or Version or Guid or Type:
                json.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"{bare}"));
                break;
            case bool b:
                json.WriteBooleanValue(b);
                break;
            case SwitchParameter s:
                json.WriteBooleanValue(s);
                break;
            case Enum e:
                json.WriteStringValue(e.ToString());
                break;
            case DateTimeOffset time:
                json.WriteStringValue(Iso(time));
                break;
            case DateTime time:
                json.WriteStringValue(Iso(time.Kind == DateTimeKind.Unspecified ? new DateTimeOffset(time, TimeSpan.Zero) : new DateTimeOffset(time)));
                break;
            case TimeSpan span:
                json.WriteStringValue(span.ToString("c", CultureInfo.InvariantCulture));
                break;
            case byte or sbyte or short or ushort or int or uint or long:
                json.WriteNumberValue(Convert.ToInt64(bare, CultureInfo.InvariantCulture));
                break;
            case ulong number:
                json.WriteNumberValue(number);
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            case double or float when double.IsFinite(Convert.ToDouble(bare, CultureInfo.InvariantCulture)):
                json.WriteNumberValue(Convert.ToDouble(bare, CultureInfo.InvariantCulture));
                break;
            case byte[] bytes:
                json.WriteBase64StringValue(bytes);
                break;
            case IDictionary or IEnumerable or PSCustomObject when depth >= MaxDepth:
                json.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"{bare}"));
                break;
            case IDictionary table:
                json.WriteStartObject();
                foreach (DictionaryEntry entry in table)
                {
                    json.WritePropertyName(string.Create(CultureInfo.InvariantCulture, $"{entry.Key}"));
                    WriteValue(json, entry.Value, depth + 1);
                }

                json.WriteEndObject();
                break;
            case IEnumerable list:
                json.WriteStartArray();
                foreach (object? item in list)
                {
                    WriteValue(json, item, depth + 1);
                }

                json.WriteEndArray();
                break;
            case var _ when depth >= MaxDepth || (depth > 0 && bare is not PSCustomObject && bare.GetType().Namespace != OwnTypes):
                // An object of others within an object: its text. Walking into the runtime's own types never ends.
                json.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"{bare}"));
                break;
            default:
                WriteProperties(json, value is PSObject o ? o : PSObject.AsPSObject(bare), depth);
                break;
        }
    }

    private static void WriteProperties(Utf8JsonWriter json, PSObject value, int depth)
    {
        json.WriteStartObject();
        foreach (PSPropertyInfo property in value.Properties.Where(p => p.IsGettable))
        {
            object? content;
            try
            {
                content = property.Value;
            }
            catch (GetValueException)
            {
                content = null; // a property that throws has no value; PowerShell's own tables show it empty
            }

            json.WritePropertyName(property.Name);
            WriteValue(json, content, depth + 1);
        }

        json.WriteEndObject();
    }

    private static string Iso(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}
