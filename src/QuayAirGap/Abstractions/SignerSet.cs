using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>The signers of a command, from files and from certificate objects, for as long as it runs.</summary>
internal sealed class SignerSet : IDisposable
{
    private readonly List<BundleSigner> _signers = [];

    public SignerSet(IEnumerable<string> files, string? password, IEnumerable<X509Certificate2> certificates)
    {
        try
        {
            foreach (string file in files)
            {
                _signers.Add(BundleSigner.Load(file, password));
            }

            foreach (X509Certificate2 certificate in certificates)
            {
                _signers.Add(BundleSigner.FromCertificate(certificate));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IReadOnlyList<BundleSigner> All => _signers;

    public void Dispose() => _signers.ForEach(s => s.Dispose());
}
