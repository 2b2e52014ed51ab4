using QuayAirGap.Core.Bundles.Registry;
using Xunit;

namespace QuayAirGap.Core.Tests.Registry;

public sealed class RegistryReferenceTests
{
    [Theory]
    [InlineData("quay.example/feeds/clair", "quay.example", "feeds/clair", null, null, false)]
    [InlineData("quay.example:8443/feeds/clair:latest", "quay.example:8443", "feeds/clair", "latest", null, false)]
    [InlineData("localhost:5000/a", "localhost:5000", "a", null, null, true)]
    [InlineData("127.0.0.1/a-b__c.d/e:V1.0_x-y", "127.0.0.1", "a-b__c.d/e", "V1.0_x-y", null, true)]
    [InlineData("[::1]:5000/a", "[::1]:5000", "a", null, null, true)]
    [InlineData("127.evil.example/a", "127.evil.example", "a", null, null, false)]
    public void A_place_is_read_as_people_write_it(string text, string host, string repository, string? tag, string? digest, bool loopback)
    {
        RegistryReference reference = RegistryReference.Parse(text);
        Assert.Equal(new RegistryReference(host, repository, tag, digest), reference);
        Assert.Equal(loopback, reference.IsLoopback);
        Assert.Equal(text, reference.ToString());
    }

    [Fact]
    public void A_digest_goes_before_a_tag()
    {
        string digest = "sha256:" + new string('a', 64);
        Assert.Equal(digest, RegistryReference.Parse($"h/r:t@{digest}").Version);
        Assert.Equal("latest", RegistryReference.Parse("h/r").Version);
    }

    [Theory]
    [InlineData("")]
    [InlineData("quay.example")]
    [InlineData("https://quay.example/a")]
    [InlineData("quay.example/A")]
    [InlineData("quay.example/a/../b")]
    [InlineData("quay.example//a")]
    [InlineData("quay.example/a:")]
    [InlineData("quay.example/a:x/y")]
    [InlineData("quay.example/a@sha256:abc")]
    [InlineData("user@quay.example/a")]
    [InlineData("quay.example/a?x=y")]
    [InlineData("quay.example/a\n")]
    public void Anything_else_is_refused(string text) =>
        Assert.Equal(ErrorIds.RegistryReference, Assert.Throws<FeedException>(() => RegistryReference.Parse(text)).ErrorId);
}
