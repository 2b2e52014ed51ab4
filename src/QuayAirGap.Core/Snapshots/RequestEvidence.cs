namespace QuayAirGap.Core.Snapshots;

/// <summary>A request of a capture that no file stands for: a look at headers, something that is not there, a try that failed.</summary>
/// <param name="Method">GET or HEAD.</param>
/// <param name="Url">The address that was really asked, which a cache or another mirror may stand in for.</param>
/// <param name="Status">The status answered; 0 where the connection broke before one.</param>
/// <param name="ETag">The header as sent.</param>
/// <param name="LastModified">UTC, whole seconds.</param>
/// <param name="Error">The id of what went wrong, or null.</param>
public sealed record RequestEvidence(string Method, string Url, int Status, string? ETag = null, DateTimeOffset? LastModified = null, string? Error = null);

/// <summary>Who answered for a host.</summary>
/// <param name="Host">As in the addresses.</param>
/// <param name="Subject">Of the certificate.</param>
/// <param name="Issuer">Of the certificate.</param>
/// <param name="Sha256">Of the certificate, 64 lower-case hexadecimal digits.</param>
/// <param name="Protocol">"Tls13".</param>
public sealed record TlsPeer(string Host, string Subject, string Issuer, string Sha256, string Protocol);
