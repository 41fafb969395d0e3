import FxferProtocol
import FxferStorage
import FxferTrust
import NIOSSL

/// What a client has seen of a server's certificate.
struct ServerCertificate: Hashable, Sendable {
    /// The SHA-256 of the certificate's DER.
    let digest: Digest
    /// The fingerprint of its key.
    let fingerprint: KeyFingerprint

    init(_ certificate: NIOSSLCertificate) throws {
        var hash = SHA256()
        try certificate.toDERBytes().withUnsafeBytes { hash.update($0) }
        self.digest = hash.finish()
        self.fingerprint = KeyFingerprint(subjectPublicKeyInfo: try certificate.extractPublicKey().toSPKIBytes())
    }
}
