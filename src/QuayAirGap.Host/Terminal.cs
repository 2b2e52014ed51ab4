#pragma warning disable RS0030 // the one file that talks to the console
using System.Security;
using System.Text;

namespace QuayAirGap.Host;

/// <summary>Standard input, output and error: UTF-8 without a byte order mark, and what is known of the terminal behind them.</summary>
internal sealed class Terminal : IDisposable
{
    private const int WidthWithoutTerminal = 120;

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly Lock _lock = new();
    private readonly TextWriter _output;
    private readonly TextWriter _error;

    public Terminal()
    {
        if (OperatingSystem.IsWindows() && !Console.IsOutputRedirected)
        {
            Console.OutputEncoding = s_utf8;
        }

        _output = new StreamWriter(Console.OpenStandardOutput(), s_utf8) { AutoFlush = true };
        _error = new StreamWriter(Console.OpenStandardError(), s_utf8) { AutoFlush = true };
        bool plain = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } || Environment.GetEnvironmentVariable("TERM") == "dumb";
        OutputHasColor = !Console.IsOutputRedirected && !plain;
        ErrorHasColor = !Console.IsErrorRedirected && !plain;
    }

    public bool OutputHasColor { get; }

    /// <summary>Standard error is a terminal that understands escape sequences: progress may be drawn there.</summary>
    public bool ErrorHasColor { get; }

    public static bool CanAsk => !Console.IsInputRedirected;

    /// <summary>True while somebody is asked something: the pipeline then waits for the terminal and cannot be stopped.</summary>
    public bool IsAsking { get; private set; }

    public static int Width => SizeOf(static () => Console.WindowWidth, WidthWithoutTerminal);

    public static int Height => SizeOf(static () => Console.WindowHeight, 50);

    /// <summary>What is drawn below the text and must go before anything else is written.</summary>
    public ProgressDisplay? Progress { get; set; }

    /// <summary>Gets a copy of everything that is written; null for none.</summary>
    public RunLog? Copy { get; set; }

    public void WriteOutput(string text) => Write(_output, text);

    public void WriteError(string text) => Write(_error, text);

    public void WriteError(string text, string color) => Write(_error, ErrorHasColor ? $"\e[{color}m{text}\e[0m\n" : text + "\n");

    /// <summary>Draws on standard error without asking the progress display, which is the caller.</summary>
    public void Draw(string text)
    {
        lock (_lock)
        {
            _error.Write(text);
        }
    }

    public static string ReadAll()
    {
        using var reader = new StreamReader(Console.OpenStandardInput(), s_utf8);
        return reader.ReadToEnd();
    }

    public string? ReadLine() => Ask(Console.ReadLine);

    public SecureString ReadSecret() => Ask(static () =>
    {
        var secret = new SecureString();
        while (true)
        {
            ConsoleKeyInfo key = Console.ReadKey(intercept: true);
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    secret.MakeReadOnly();
                    return secret;
                case ConsoleKey.Backspace when secret.Length > 0:
                    secret.RemoveAt(secret.Length - 1);
                    break;
                default:
                    if (!char.IsControl(key.KeyChar))
                    {
                        secret.AppendChar(key.KeyChar);
                    }

                    break;
            }
        }
    });

    public ConsoleKeyInfo ReadKey(bool intercept) => Ask(() => Console.ReadKey(intercept));

    public static void OnInterrupt(ConsoleCancelEventHandler handler) => Console.CancelKeyPress += handler;

    public static void OffInterrupt(ConsoleCancelEventHandler handler) => Console.CancelKeyPress -= handler;

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    private T Ask<T>(Func<T> read)
    {
        Progress?.Hide();
        IsAsking = true;
        try
        {
            return read();
        }
        finally
        {
            IsAsking = false;
        }
    }

    private void Write(TextWriter writer, string text)
    {
        lock (_lock)
        {
            Progress?.Hide();
            writer.Write(text);
            Copy?.Add(text);
        }
    }

    private static int SizeOf(Func<int> read, int otherwise)
    {
        if (Console.IsOutputRedirected)
        {
            return otherwise;
        }

        try
        {
            int size = read();
            return size > 0 ? size : otherwise;
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException)
        {
            return otherwise; // a terminal that does not tell its size
        }
    }
}
