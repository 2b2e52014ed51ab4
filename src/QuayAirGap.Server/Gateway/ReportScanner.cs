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
/// Reads a report as it arrives, as far as it takes to say where the members are that matter: whether it is an object, and which members it has. What is in them is
/// skipped.
/// </summary>
internal sealed class ReportScanner
{
    public const int ManifestHash = 0;
    public const int Packages = 1;
    public const int Distributions = 2;
    public const int Repository = 3;
    public const int Environments = 4;
    public const int Vulnerabilities = 5;
    public const int PackageVulnerabilities = 6;

    /// <summary>The members that are maps, each of which a warning has a member for.</summary>
    public static readonly IReadOnlyList<int> Maps = [Packages, Environments, Vulnerabilities, PackageVulnerabilities];

    private static readonly string[] s_names = ["manifest_hash", "packages", "distributions", "repository", "environments", "vulnerabilities", "package_vulnerabilities"];

    private static readonly int[] s_indexPart = [ManifestHash, Packages, Distributions, Repository, Environments];

    private readonly ReportMember[] _members = new ReportMember[s_names.Length];
    private JsonReaderState _state;

    /// <summary>The value that is being skipped; null outside of one.</summary>
    private BracketSkipper? _inside;

    private int _current = -1;
    private bool _valueFollows;

    /// <summary>How much of the report is read.</summary>
    public long Consumed { get; private set; }

    /// <summary>Whether a member came twice: then nobody can say which one a reader takes.</summary>
    public bool HasDuplicates { get; private set; }

    /// <summary>Whether everything is there that an index report has too: Clair writes it before the rest, which is the larger part.</summary>
    public bool HasIndexPart => Array.TrueForAll(s_indexPart, m => _members[m].IsWhole);

    public ref readonly ReportMember this[int member] => ref _members[member];

    /// <summary>Reads on.</summary>
    /// <param name="rest">What follows <see cref="Consumed"/>, as far as it has arrived.</param>
    /// <param name="isWhole">Whether nothing more comes.</param>
    /// <exception cref="JsonException">It is not JSON, or ends too early.</exception>
    public void Read(ReadOnlySpan<byte> rest, bool isWhole)
    {
        do
        {
            if (_inside is not null)
            {
                int read = _inside.Read(rest);
                Consumed += read;
                rest = rest[read..];
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

            rest = rest[ReadTokens(rest, isWhole)..];
        }
        while (_inside is not null);
    }

    /// <returns>How many bytes were read.</returns>
    private int ReadTokens(ReadOnlySpan<byte> rest, bool isWhole)
    {
        var reader = new Utf8JsonReader(rest, isWhole, _state);
        while (_inside is null && reader.Read())
        {
            ReadTop(ref reader);
            if (reader is { CurrentDepth: 1, TokenType: JsonTokenType.StartObject or JsonTokenType.StartArray })
            {
                _inside = new BracketSkipper();
            }
        }

        Consumed += reader.BytesConsumed;
        _state = reader.CurrentState;
        return (int)reader.BytesConsumed;
    }

    private void ReadTop(ref Utf8JsonReader reader)
    {
        if (reader.CurrentDepth == 0)
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
