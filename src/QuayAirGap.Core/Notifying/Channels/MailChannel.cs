using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using MimeKit.Text;
using MimeKit.Utils;
using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Notifying.Channels;

/// <summary>
/// Mail, text and HTML, to all addresses in one message. The messages of an incident refer to its first, whose id can be known without
/// having kept it.
/// </summary>
/// <param name="credential">Instead of the account that the settings name; null for that one.</param>
internal sealed class MailChannel(MailSettings settings, NetworkCredential? credential) : IWarningChannel
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    public WarningChannel Channel => WarningChannel.Mail;

    public string Destination => settings.Host is { } host ? $"{settings.To} through {host}" : $"{settings.To} through Quay's mail server";

    public bool IsStanding => false;

    public async Task<bool> SendAsync(FeedWarning warning, CancellationToken token)
    {
        MailAccount account = MailAccount.Of(settings, credential);
        using MimeMessage message = Compose(warning, account.From);
        using var client = new SmtpClient { CheckCertificateRevocation = false, Timeout = (int)s_timeout.TotalMilliseconds };
        if (settings.CaFile is { } file)
        {
            client.ServerCertificateValidationCallback = ServerTrust.Of(Channel, file);
        }

        try
        {
            await client.ConnectAsync(account.Host, account.Port, OptionsOf(account.Security), token);
            if (account.Credential is { } login)
            {
                if (!client.IsSecure && !settings.AllowUnencryptedPassword)
                {
                    throw new FeedException(
                        ErrorIds.WarningUnencrypted, $"Mail: the password of '{login.UserName}' was not sent to {account.Host}: the connection is not encrypted.",
                        nameof(WarningChannel.Mail), "Set 'security: starttls' or 'tls', or say 'allowUnencryptedPassword: true' below 'warnings: mail:'.");
                }

                await client.AuthenticateAsync(login, token);
            }

            await client.SendAsync(message, token);
            await client.DisconnectAsync(quit: true, token);
            return true;
        }
        catch (Exception e) when (e is MailKit.Security.AuthenticationException or ServiceNotAuthenticatedException)
        {
            throw WarningErrors.Refused(this, e.Message, e);
        }
        catch (SmtpCommandException e)
        {
            // 530 and 535: it wants to know who sends; everything else is about this message.
            throw (int)e.StatusCode is 530 or 535 ? WarningErrors.Refused(this, e.Message, e) : WarningErrors.NotSent(this, e.Message, e);
        }
        catch (SslHandshakeException e)
        {
            throw WarningErrors.NotSent(this, $"the certificate of {account.Host} is not trusted, or is not its own", e);
        }
        catch (Exception e) when (e is IOException or SocketException or ProtocolException or ServiceNotConnectedException or NotSupportedException
            or InvalidOperationException or System.Security.Authentication.AuthenticationException or TimeoutException)
        {
            throw WarningErrors.NotSent(this, e.Message, e);
        }
    }

    private static SecureSocketOptions OptionsOf(MailSecurity security) => security switch
    {
        MailSecurity.Tls => SecureSocketOptions.SslOnConnect,
        MailSecurity.None => SecureSocketOptions.None,
        _ => SecureSocketOptions.StartTls,
    };

    private MimeMessage Compose(FeedWarning warning, string from)
    {
        if (!MailboxAddress.TryParse(from, out MailboxAddress? sender) || sender.Domain.Length == 0)
        {
            throw WarningErrors.NotSent(this, $"'{from}' is no address to send from");
        }

        if (!InternetAddressList.TryParse(settings.To, out InternetAddressList? recipients) || !recipients.Mailboxes.Any())
        {
            throw WarningErrors.NotSent(this, $"'{settings.To}' has no address to send to");
        }

        string IdOf(int number) => FormattableString.Invariant($"{warning.Incident}.{number}@{sender.Domain}");
        var message = new MimeMessage
        {
            Subject = "[QuayAirGap] " + WarningText.Plain(WarningText.Summary(warning)),
            MessageId = IdOf(warning.Number),
            Date = warning.At,
            Priority = warning.Kind == WarningKind.Problem && warning.Level >= FreshnessLevel.Critical ? MessagePriority.Urgent : MessagePriority.Normal,
            Body = new MultipartAlternative
            {
                new TextPart(TextFormat.Plain) { Text = WarningText.Body(warning) },
                new TextPart(TextFormat.Html) { Text = WarningText.Html(warning) },
            },
        };
        message.From.Add(sender);
        message.To.AddRange(recipients);
        message.Headers.Add(HeaderId.AutoSubmitted, "auto-generated"); // nobody's holiday answers it
        if (warning.Number > 1)
        {
            message.InReplyTo = IdOf(1);
            message.References.Add(IdOf(1));
        }

        return message;
    }
}
