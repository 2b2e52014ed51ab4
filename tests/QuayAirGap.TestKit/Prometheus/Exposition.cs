using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace QuayAirGap.TestKit.Prometheus;

/// <summary>
/// Prometheus' text format, version 0.0.4, read as strictly as its documentation has it and more so than Prometheus itself: HELP, then TYPE,
/// then the samples, each metric in one piece; no sample twice, none with a time; counters end in _total, times in _timestamp_seconds.
/// </summary>
public sealed class Exposition
{
    private readonly string _text;
    private int _at;
    private int _line = 1;

    private Exposition(string text) => _text = text;

    /// <summary>Value by "name{label="value",…}" as it stands there.</summary>
    public Dictionary<string, double> Samples { get; } = new(StringComparer.Ordinal);

    /// <summary>Type by name.</summary>
    public Dictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    /// <exception cref="FormatException">What is wrong, and in which line.</exception>
    public static Exposition Read(string text)
    {
        var read = new Exposition(text);
        read.ReadAll();
        return read;
    }

    /// <summary>What Prometheus' own checker says; null where it is not installed.</summary>
    public static async Task<(int Code, string Text)?> PromtoolAsync(string text)
    {
        string? tool = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(f => Path.Combine(f, "promtool")).FirstOrDefault(File.Exists);
        if (tool is null)
        {
            return null;
        }

        using var process = Process.Start(new ProcessStartInfo(tool, ["check", "metrics"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(text));
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    private void ReadAll()
    {
        Demand(_text.Length == 0 || _text[^1] == '\n', "the last line has no end");
        Demand(!_text.Contains('\r', StringComparison.Ordinal), "a line ends in a carriage return");
        string? help = null;
        string? metric = null;
        while (_at < _text.Length)
        {
            if (Take("# HELP "))
            {
                help = Name(colons: true);
                Demand(!Types.ContainsKey(help), $"'{help}' is described twice, or in two pieces");
                Demand(Take(" "), "HELP has no text");
                string words = Rest();
                Demand(words.Length > 0 && Unescaped(words), "HELP is empty, or has an escape that is none");
            }
            else if (Take("# TYPE "))
            {
                metric = Name(colons: true);
                Demand(metric == help, $"TYPE of '{metric}' does not follow its HELP");
                Demand(Take(" "), "TYPE has no type");
                string type = Rest();
                Demand(type is "counter" or "gauge", $"'{type}' is no type that is used here");
                Demand(type == "counter" == metric.EndsWith("_total", StringComparison.Ordinal), $"'{metric}' is a {type}");
                Demand(Types.TryAdd(metric, type), $"'{metric}' has two types");
            }
            else
            {
                ReadSample(metric);
                continue;
            }

            EndLine();
        }
    }

    private void ReadSample(string? metric)
    {
        int begin = _at;
        string name = Name(colons: true);
        Demand(name == metric, $"a sample of '{name}' stands where '{metric}' is told");
        if (Take("{"))
        {
            var labels = new HashSet<string>(StringComparer.Ordinal);
            do
            {
                string label = Name(colons: false);
                Demand(!label.StartsWith("__", StringComparison.Ordinal) && labels.Add(label), $"the label '{label}' is there twice, or Prometheus' own");
                Demand(Take("=\""), $"the label '{label}' has no value");
                while (Demand(_at < _text.Length && _text[_at] != '\n', "a label's value has no end") && _text[_at] != '"')
                {
                    Demand(_text[_at] != '\\' || _text[_at + 1] is '\\' or '"' or 'n', "a label's value has an escape that is none");
                    _at += _text[_at] == '\\' ? 2 : 1;
                }

                _at++;
            }
            while (Take(","));
            Demand(Take("}"), "the labels have no end");
        }

        string key = _text[begin.._at];
        Demand(Take(" "), "a sample has no value");
        string number = Rest();
        Demand(!number.Contains(' ', StringComparison.Ordinal), "a sample has a time");
        Demand(
            double.TryParse(number, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double value)
            && double.IsFinite(value), $"'{number}' is no number");
        Demand(Types[name] != "counter" || value >= 0, $"the counter '{key}' is negative");
        Demand(!name.EndsWith("_timestamp_seconds", StringComparison.Ordinal) || value is > 1e9 and < 1e11, $"'{key}' is no time in seconds since 1970");
        Demand(Samples.TryAdd(key, value), $"'{key}' is there twice");
        EndLine();
    }

    private string Name(bool colons)
    {
        int begin = _at;
        while (_at < _text.Length && (char.IsAsciiLetter(_text[_at]) || _text[_at] == '_' || (colons && _text[_at] == ':') || (_at > begin && char.IsAsciiDigit(_text[_at]))))
        {
            _at++;
        }

        Demand(_at > begin, "a name is missing");
        return _text[begin.._at];
    }

    private static bool Unescaped(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && (++i == text.Length || text[i] is not ('\\' or 'n')))
            {
                return false;
            }
        }

        return true;
    }

    private bool Take(string expected)
    {
        bool isThere = string.CompareOrdinal(_text, _at, expected, 0, expected.Length) == 0;
        _at += isThere ? expected.Length : 0;
        return isThere;
    }

    private string Rest()
    {
        int begin = _at;
        _at = _text.IndexOf('\n', _at);
        return _text[begin.._at];
    }

    private void EndLine()
    {
        Demand(Take("\n"), "a line goes on");
        _line++;
    }

    private bool Demand(bool holds, string what) => holds ? true : throw new FormatException($"Line {_line}: {what}.");
}
