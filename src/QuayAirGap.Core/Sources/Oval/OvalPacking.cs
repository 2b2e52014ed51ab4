namespace QuayAirGap.Core.Sources.Oval;

/// <summary>How an upstream packs its OVAL documents.</summary>
internal enum OvalPacking
{
    None,

    Gzip,

    Bzip2,
}
