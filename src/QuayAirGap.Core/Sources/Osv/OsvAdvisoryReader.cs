using System.Text.Json;

namespace QuayAirGap.Core.Sources.Osv;

/// <summary>
/// Decodes an advisory exactly as far as Clair does: a value of another type than Clair's schema says is an error there, and fails the
/// whole ecosystem, so it is one here (claircore: updater/osv/schema.go). What Clair has no field for may be anything.
/// Where a list comes twice, both count: nothing that Clair could trip over is missed.
/// </summary>
internal ref struct OsvAdvisoryReader
{
    private Utf8JsonReader _json;

    private OsvAdvisoryReader(ReadOnlySpan<byte> json) =>
        _json = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = GoJson.MaxDepth });

    /// <summary>Reads the first JSON value; what follows it is not looked at, as Clair does not look at it.</summary>
    /// <exception cref="JsonException">Clair's decoder would return an error.</exception>
    public static OsvAdvisory Read(ReadOnlySpan<byte> json)
    {
        var reader = new OsvAdvisoryReader(json);
        reader._json.Read();
        return reader.ReadAdvisory();
    }

    private OsvAdvisory ReadAdvisory()
    {
        var advisory = new OsvAdvisory();
        for (bool open = EnterObject("the document"); open && NextField();)
        {
            if (TakeIf("id"u8))
            {
                advisory.Id = ReadText("id") ?? advisory.Id;
            }
            else if (TakeIf("summary"u8))
            {
                advisory.Summary = ReadText("summary") ?? advisory.Summary;
            }
            else if (TakeIf("withdrawn"u8))
            {
                advisory.Withdrawn = ReadTime("withdrawn") ?? advisory.Withdrawn;
            }
            else if (TakeIf("modified"u8))
            {
                advisory.Modified = ReadTime("modified") ?? advisory.Modified;
            }
            else if (TakeIf("published"u8))
            {
                ReadTime("published");
            }
            else if (TakeIf("schema_version"u8))
            {
                CheckText("schema_version");
            }
            else if (TakeIf("details"u8))
            {
                CheckText("details");
            }
            else if (TakeIf("aliases"u8))
            {
                ReadTexts("aliases", advisory.Aliases);
            }
            else if (TakeIf("related"u8))
            {
                ReadTexts("related", null);
            }
            else if (TakeIf("severity"u8))
            {
                for (bool list = EnterList("severity"); list && NextElement();)
                {
                    advisory.Severities.Add(ReadPair("severity", "type"u8, "score"u8));
                }
            }
            else if (TakeIf("affected"u8))
            {
                for (bool list = EnterList("affected"); list && NextElement();)
                {
                    advisory.Affected.Add(ReadAffected());
                }
            }
            else if (TakeIf("references"u8))
            {
                for (bool list = EnterList("references"); list && NextElement();)
                {
                    advisory.References.Add(ReadPair("references", "type"u8, "url"u8).Second);
                }
            }
            else if (TakeIf("credits"u8))
            {
                for (bool list = EnterList("credits"); list && NextElement();)
                {
                    ReadCredit();
                }
            }
            else if (TakeIf("database_specific"u8))
            {
                advisory.DatabaseSeverity = ReadDatabaseSeverity();
            }
            else
            {
                SkipField();
            }
        }

        return advisory;
    }

    private OsvAffected ReadAffected()
    {
        var affected = new OsvAffected();
        for (bool open = EnterObject("affected"); open && NextField();)
        {
            if (TakeIf("package"u8))
            {
                ReadPackage(affected);
            }
            else if (TakeIf("ranges"u8))
            {
                for (bool list = EnterList("ranges"); list && NextElement();)
                {
                    affected.Ranges.Add(ReadRange());
                }
            }
            else if (TakeIf("versions"u8))
            {
                ReadTexts("versions", null);
            }
            else
            {
                SkipField();
            }
        }

        return affected;
    }

    private void ReadPackage(OsvAffected affected)
    {
        for (bool open = EnterObject("package"); open && NextField();)
        {
            if (TakeIf("ecosystem"u8))
            {
                affected.Ecosystem = ReadText("ecosystem") ?? affected.Ecosystem;
            }
            else if (TakeIf("name"u8))
            {
                affected.Name = ReadText("name") ?? affected.Name;
            }
            else if (TakeIf("purl"u8))
            {
                affected.Purl = ReadText("purl") ?? affected.Purl;
            }
            else
            {
                SkipField();
            }
        }
    }

    private OsvRange ReadRange()
    {
        var range = new OsvRange();
        for (bool open = EnterObject("ranges"); open && NextField();)
        {
            if (TakeIf("type"u8))
            {
                range.Type = ReadText("type") ?? range.Type;
            }
            else if (TakeIf("repo"u8))
            {
                CheckText("repo");
            }
            else if (TakeIf("events"u8))
            {
                for (bool list = EnterList("events"); list && NextElement();)
                {
                    range.Events.Add(ReadEvent());
                }
            }
            else
            {
                SkipField();
            }
        }

        return range;
    }

    private OsvEvent ReadEvent()
    {
        var step = new OsvEvent();
        for (bool open = EnterObject("events"); open && NextField();)
        {
            if (TakeIf("introduced"u8))
            {
                step.Introduced = ReadText("introduced") ?? step.Introduced;
            }
            else if (TakeIf("fixed"u8))
            {
                step.Fixed = ReadText("fixed") ?? step.Fixed;
            }
            else if (TakeIf("last_affected"u8))
            {
                step.LastAffected = ReadText("last_affected") ?? step.LastAffected;
            }
            else if (TakeIf("limit"u8))
            {
                step.Limit = ReadText("limit") ?? step.Limit;
            }
            else
            {
                SkipField();
            }
        }

        return step;
    }

    private void ReadCredit()
    {
        for (bool open = EnterObject("credits"); open && NextField();)
        {
            if (TakeIf("name"u8))
            {
                CheckText("name");
            }
            else if (TakeIf("contact"u8))
            {
                ReadTexts("contact", null);
            }
            else
            {
                SkipField();
            }
        }
    }

    /// <summary>Clair decodes this part a second time, leniently: only an object with a string "severity", in this case, says anything.</summary>
    private string ReadDatabaseSeverity()
    {
        string severity = "";
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            _json.Skip();
            return severity;
        }

        while (NextField())
        {
            bool named = _json.ValueSpan.SequenceEqual("severity"u8);
            _json.Read();
            if (named && _json.TokenType == JsonTokenType.String)
            {
                severity = GoJson.Text(in _json);
            }
            else
            {
                _json.Skip();
            }
        }

        return severity;
    }

    private (string First, string Second) ReadPair(string what, ReadOnlySpan<byte> firstName, ReadOnlySpan<byte> secondName)
    {
        string first = "";
        string second = "";
        for (bool open = EnterObject(what); open && NextField();)
        {
            if (TakeIf(firstName))
            {
                first = ReadText(what) ?? first;
            }
            else if (TakeIf(secondName))
            {
                second = ReadText(what) ?? second;
            }
            else
            {
                SkipField();
            }
        }

        return (first, second);
    }

    private void ReadTexts(string what, List<string>? texts)
    {
        for (bool list = EnterList(what); list && NextElement();)
        {
            if (texts is null)
            {
                CheckText(what);
            }
            else
            {
                texts.Add(ReadText(what) ?? "");
            }
        }
    }

    private readonly string? ReadText(string what)
    {
        CheckText(what);
        return _json.TokenType == JsonTokenType.Null ? null : GoJson.Text(in _json);
    }

    private readonly void CheckText(string what)
    {
        if (_json.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
        {
            throw Mismatch(what, "a string");
        }
    }

    private readonly DateTime? ReadTime(string what)
    {
        if (_json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        return _json.TokenType == JsonTokenType.String && GoJson.TryReadTime(in _json, out DateTime utc)
            ? utc
            : throw Mismatch(what, "an RFC 3339 time");
    }

    /// <summary>False where null stands in the object's place: Clair takes that for an empty one.</summary>
    private readonly bool EnterObject(string what) => Enter(JsonTokenType.StartObject, what, "an object");

    private readonly bool EnterList(string what) => Enter(JsonTokenType.StartArray, what, "a list");

    private readonly bool Enter(JsonTokenType start, string what, string kind) =>
        _json.TokenType == start || (_json.TokenType == JsonTokenType.Null ? false : throw Mismatch(what, kind));

    private bool NextField()
    {
        _json.Read();
        return _json.TokenType == JsonTokenType.PropertyName;
    }

    private bool NextElement()
    {
        _json.Read();
        return _json.TokenType != JsonTokenType.EndArray;
    }

    /// <summary>Where the property at hand is that field: goes on to its value.</summary>
    private bool TakeIf(ReadOnlySpan<byte> field) => GoJson.IsField(in _json, field) && _json.Read();

    private void SkipField()
    {
        _json.Read();
        _json.Skip();
    }

    private static JsonException Mismatch(string what, string expected) => new($"\"{what}\" is not {expected}");
}
