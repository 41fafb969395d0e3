import FxferProtocol

/// Who a server is: its private key, and the certificate that it shows.
public struct ServerIdentity: Sendable {
    /// The server's certificate and those that vouch for it, in PEM form, its own first.
    package let certificateChainPEM: [UInt8]
    /// The private key in PEM form: PKCS #8, not encrypted. In no log and no error.
    package let privateKeyPEM: [UInt8]
    /// SHA-256 of the server's own certificate in DER.
    package let certificateDigest: Digest
    /// By which clients know the key.
    public let fingerprint: KeyFingerprint
    /// The public key in PEM form, as other tools read it.
    public let publicKeyPEM: [UInt8]
    /// Signs receipts by the key; nil where it is not one on P-256.
    package let signer: ReceiptSigner?

    init(_ chain: borrowing CertificateChain, _ key: borrowing PrivateKey) throws(FxferError) {
        self.certificateChainPEM = chain.pem
        self.privateKeyPEM = try key.pem()
        self.certificateDigest = try chain.leaf.digest()
        self.fingerprint = try key.fingerprint()
        self.publicKeyPEM = try key.publicPEM()
        self.signer = try ReceiptSigner(key)
    }
}

extension ServerIdentity: CustomStringConvertible, CustomReflectable {
    /// Names the fingerprint, and nothing else.
    public var description: String { "identity \(self.fingerprint)" }

    /// Shows the fingerprint, and nothing else.
    public var customMirror: Mirror { Mirror(self, children: ["fingerprint": self.fingerprint.description]) }
}
