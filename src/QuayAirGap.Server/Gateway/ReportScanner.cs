using System.Text.Json;

namespace QuayAirGap.Server.Gateway;

/// <summary>Where a member of the report's value is, in bytes from the report's beginning.</summary>
internal struct ReportMember
{
    /// <summary>Of its value; 0 where it was not seen.</summary>
    public long Start;

    /// <summary>Behind its value.</summary>
    public long End;

    public JsonTokenType Kind;

    public bool IsEmpty;

    /// <summary>Whether its end was seen too.</summary>
    public bool IsWhole;

    public readonly bool WasSeen => Start > 0;
}

/// <summary>
/// Reads a report as it arrives: whether it is one whole JSON document, and where the members are that matter. What is in them is
/// not looked at, but for the keys that a warning would have.
/// </summary>
internal sealed class ReportScanner(string warningId)
{
    public const int ManifestHash = 0;
    public const int Packages = 1;
    public const int Distributions = 2;
    public const int Repository = 3;
    public const int Environments = 4;
    public const int Vulnerabilities = 5;
    public const int PackageVulnerabilities = 6;

    private const int MaxDepth = 128;

    private static readonly string[] s_names = ["manifest_hash", "packages", "distributions", "repository", "environments", "vulnerabilities", "package_vulnerabilities"];

    private static readonly int[] s_indexPart = [ManifestHash, Packages, Distributions, Repository, Environments];

    private readonly ReportMember[] _members = new ReportMember[s_names.Length];
    private JsonReaderState _state = new(new JsonReaderOptions { MaxDepth = MaxDepth });

    /// <summary>The value of a member that holds nothing of interest, which is most of a report; null outside of one.</summary>
    private JsonInside? _inside;

    private int _current = -1;
    private bool _valueFollows;
    private bool _layerFollows;

    /// <summary>How much of the report is read.</summary>
    public long Consumed { get; private set; }

    /// <summary>Whether a member came twice: then nobody can say which one a reader takes.</summary>
    public bool HasDuplicates { get; private set; }

    /// <summary>Whether there is a package with the warning's id already.</summary>
    public bool HasWarning { get; private set; }

    /// <summary>The first layer that a package was introduced in; null where no package says.</summary>
    public string? Layer { get; private set; }

    /// <summary>Whether everything is there that an index report has too: Clair writes it before the rest, which is the larger part.</summary>
    public bool HasIndexPart => Array.TrueForAll(s_indexPart, m => _members[m].IsWhole);

    public ref readonly ReportMember this[int member] => ref _members[member];

    /// <summary>Reads on.</summary>
    /// <param name="report">From its beginning to what has arrived.</param>
    /// <param name="isWhole">Whether nothing more comes.</param>
    /// <exception cref="JsonException">It is not JSON, or ends too early.</exception>
    public void Read(ReadOnlySpan<byte> report, bool isWhole)
    {
        do
        {
            if (_inside is not null)
            {
                Consumed += _inside.Read(report[(int)Consumed..]);
                if (!_inside.IsAtEnd)
                {
                    if (isWhole)
                    {
                        throw new JsonException("It ends within a value.");
                    }

                    return;
                }

                if (_current >= 0)
                {
                    _members[_current].IsEmpty = _inside.IsEmpty;
                }

                _inside = null; // to the reader of tokens it was empty: it goes on with the closing bracket
            }

            ReadTokens(report, isWhole);
        }
        while (_inside is not null);
    }

    private void ReadTokens(ReadOnlySpan<byte> report, bool isWhole)
    {
        var reader = new Utf8JsonReader(report[(int)Consumed..], isWhole, _state);
        while (_inside is null && reader.Read())
        {
            int depth = reader.CurrentDepth;
            if (depth <= 1)
            {
                ReadTop(ref reader, depth);
                if (depth == 1 && _current is not (Packages or Environments) && reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                {
                    _inside = new JsonInside(reader.TokenType == JsonTokenType.StartArray, MaxDepth - 2);
                }
            }
            else if (reader.TokenType == JsonTokenType.PropertyName)
            {
                if (depth == 2 && _current >= 0)
                {
                    _members[_current].IsEmpty = false;
                    HasWarning |= _current == Packages && reader.ValueTextEquals(warningId);
                }
                else if (depth == 4 && _current == Environments && Layer is null)
                {
                    _layerFollows = reader.ValueTextEquals("introduced_in"u8);
                }
            }
            else if (_layerFollows)
            {
                Layer = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                _layerFollows = false;
            }
        }

        Consumed += reader.BytesConsumed;
        _state = reader.CurrentState;
    }

    private void ReadTop(ref Utf8JsonReader reader, int depth)
    {
        if (depth == 0)
        {
            // An answer that is JSON but no object has no member, which is found out at the end.
            return;
        }

        if (reader.TokenType == JsonTokenType.PropertyName)
        {
            _current = -1;
            for (int i = 0; i < s_names.Length; i++)
            {
                if (reader.ValueTextEquals(s_names[i]))
                {
                    _current = i;
                    HasDuplicates |= _members[i].WasSeen;
                    _valueFollows = true;
                }
            }

            return;
        }

        if (_current < 0)
        {
            return;
        }

        ref ReportMember member = ref _members[_current];
        if (_valueFollows)
        {
            _valueFollows = false;
            member = new ReportMember { Start = Consumed + reader.TokenStartIndex, Kind = reader.TokenType, IsEmpty = true };
        }

        member.End = Consumed + reader.BytesConsumed;
        member.IsWhole = reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray);
    }
}
