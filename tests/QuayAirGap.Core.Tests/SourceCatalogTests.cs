using QuayAirGap.Core;
using QuayAirGap.Core.Sources;
using Xunit;

namespace QuayAirGap.Core.Tests;

public sealed class SourceCatalogTests
{
    [Fact]
    public void An_unknown_source_is_answered_with_the_nearest_known_one()
    {
        FeedException e = Assert.Throws<FeedException>(() => SourceCatalog.Get("orcale"));

        Assert.Equal(ErrorIds.SourceUnknown, e.ErrorId);
        Assert.Contains("'oracle'", e.Remedy);
    }
}
