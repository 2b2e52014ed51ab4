using System.Text;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Tests.Settings;

/// <summary>A site with a sources.yaml of the test's own.</summary>
internal sealed class SettingsSite : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("settings").FullName;

    public SettingsSite(string? text = null)
    {
        Site = Site.OpenOrCreate(_folder);
        if (text is not null)
        {
            Text = text;
        }
    }

    public Site Site { get; }

    public string Text
    {
        get => Encoding.UTF8.GetString(File.ReadAllBytes(Site.SettingsFile));
        set => File.WriteAllBytes(Site.SettingsFile, Encoding.UTF8.GetBytes(value));
    }

    public SourceSettings this[string name] => SiteSettings.Load(Site).Sources.Single(s => s.Name == name);

    public bool Apply(string name, SourceSettingsChange change) => SourceSettingsEditor.Apply(Site, name, change);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
