using System.Text.Json;

namespace QuayAirGap.Core.Sources.Json;

/// <summary>Holds the tokens of one document against its shape, buffer by buffer.</summary>
internal sealed class JsonShapeWalker(JsonShape root)
{
    private readonly Stack<Frame> _open = new();
    private JsonReaderState _state;
    private JsonShape _expected = root;
    private int _ignored;
    private long _passed;

    /// <returns>How many bytes were used up; the rest comes again with more behind it.</returns>
    /// <exception cref="JsonException">Not JSON, or not of the shape.</exception>
    public int Consume(ReadOnlySpan<byte> bytes, bool isFinal)
    {
        var reader = new Utf8JsonReader(bytes, isFinal, _state);
        while (reader.Read())
        {
            Take(ref reader);
        }

        _state = reader.CurrentState;
        _passed += reader.BytesConsumed;
        return (int)reader.BytesConsumed;
    }

    private void Take(ref Utf8JsonReader reader)
    {
        JsonTokenType token = reader.TokenType;
        if (_ignored > 0)
        {
            _ignored += token switch
            {
                JsonTokenType.StartObject or JsonTokenType.StartArray => 1,
                JsonTokenType.EndObject or JsonTokenType.EndArray => -1,
                _ => 0,
            };
        }
        else if (token is JsonTokenType.EndObject or JsonTokenType.EndArray)
        {
            Close(ref reader);
        }
        else if (token is JsonTokenType.PropertyName)
        {
            Name(ref reader);
        }
        else
        {
            Value(ref reader);
        }
    }

    private void Name(ref Utf8JsonReader reader)
    {
        Frame frame = _open.Peek();
        frame.Items++;
        if (frame.Shape.Kind == JsonShapeKind.Map)
        {
            frame.Shape.OnKey?.Invoke(TextOf(ref reader));
            _expected = frame.Shape.Item;
            return;
        }

        string name = TextOf(ref reader);
        frame.HasRequired |= string.Equals(name, frame.Shape.Required, StringComparison.OrdinalIgnoreCase);
        _expected = frame.Shape.Members.GetValueOrDefault(name, JsonShape.Any);
    }

    private void Value(ref Utf8JsonReader reader)
    {
        JsonShape shape = _expected;
        if (_open.TryPeek(out Frame? list) && list.Shape.Kind == JsonShapeKind.List)
        {
            list.Items++;
            shape = list.Shape.Item;
        }

        switch (shape.Kind, reader.TokenType)
        {
            case (JsonShapeKind.Any, JsonTokenType.StartObject or JsonTokenType.StartArray):
                _ignored = 1;
                return;
            case (JsonShapeKind.Text, JsonTokenType.String):
                if (shape.OnText is { } told)
                {
                    told(TextOf(ref reader));
                }

                return;
            case (JsonShapeKind.Any, _):
            case (JsonShapeKind.Text or JsonShapeKind.List or JsonShapeKind.Map, JsonTokenType.Null) when _open.Count > 0:
                return;
            case (JsonShapeKind.List, JsonTokenType.StartArray):
            case (JsonShapeKind.Map or JsonShapeKind.Record, JsonTokenType.StartObject):
                _open.Push(new Frame(shape));
                return;
            default:
                throw new JsonException($"at byte {Position(ref reader)} stands a value of the kind {reader.TokenType} where {Called(shape)} belongs.");
        }
    }

    private void Close(ref Utf8JsonReader reader)
    {
        Frame frame = _open.Pop();
        if (frame.Shape.Required is { } required && !frame.HasRequired)
        {
            throw new JsonException($"the object that ends at byte {Position(ref reader)} has no member \"{required}\".");
        }

        frame.Shape.OnEnd?.Invoke(frame.Items);
    }

    private long Position(ref Utf8JsonReader reader) => _passed + reader.TokenStartIndex;

    private static string TextOf(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("it has a name or text that is not valid UTF-8.", e);
        }
    }

    private static string Called(JsonShape shape) => shape.Kind switch
    {
        JsonShapeKind.Text => "a text",
        JsonShapeKind.List => "a list",
        _ => "an object",
    };

    private sealed class Frame(JsonShape shape)
    {
        public JsonShape Shape { get; } = shape;

        public long Items { get; set; }

        public bool HasRequired { get; set; }
    }
}
