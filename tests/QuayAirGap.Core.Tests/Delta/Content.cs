namespace QuayAirGap.Core.Tests.Delta;

/// <summary>Content of every texture, the same on every machine: made by a generator that is written down here.</summary>
internal static class Content
{
    private static readonly string[] s_words =
        "buffer overflow in the parser of a crafted header allows remote attackers to cause denial service via unchecked length field memory leak".Split(' ');

    public static byte[] Text(int length, uint seed)
    {
        var random = new Generator(seed);
        var content = new List<byte>(length + 64);
        while (content.Count < length)
        {
            content.AddRange(Encoding(s_words[random.Next(s_words.Length)] + " "));
            if (random.Next(9) == 0)
            {
                content.AddRange(Encoding($"\"CVE-20{random.Next(27):00}-{random.Next(99999)}\",\n"));
            }
        }

        return [.. content.Take(length)];
    }

    public static byte[] Noise(int length, uint seed)
    {
        var random = new Generator(seed);
        byte[] content = new byte[length];
        for (int i = 0; i < length; i++)
        {
            content[i] = (byte)random.Next(256);
        }

        return content;
    }

    /// <summary>Copies of every length from every distance, some beyond what deflate reaches.</summary>
    public static byte[] Copies(int length, uint seed)
    {
        var random = new Generator(seed);
        var content = new List<byte>(Noise(5000, seed + 1));
        while (content.Count < length)
        {
            int count = 3 + random.Next(300);
            int distance = 1 + random.Next(Math.Min(content.Count, 33000));
            int start = content.Count - distance;
            for (int i = 0; i < count; i++)
            {
                content.Add(content[start + (i % distance)]);
            }

            if (random.Next(3) == 0)
            {
                content.AddRange(Noise(random.Next(20), random.State));
            }
        }

        return [.. content.Take(length)];
    }

    /// <summary>An older or a newer form: some lines other, some new.</summary>
    public static byte[] Edited(byte[] content, uint seed, int edits)
    {
        var random = new Generator(seed);
        var edited = new List<byte>(content);
        for (int i = 0; i < edits; i++)
        {
            edited.InsertRange(random.Next(edited.Count), Encoding($"\"CVE-2026-{random.Next(99999)}\",\n"));
        }

        return [.. edited];
    }

    private static byte[] Encoding(string text) => System.Text.Encoding.ASCII.GetBytes(text);

    private sealed class Generator(uint seed)
    {
        public uint State { get; private set; } = seed;

        public int Next(int below)
        {
            State = (State * 1664525) + 1013904223;
            return (int)((State >> 8) % (uint)below);
        }
    }
}
