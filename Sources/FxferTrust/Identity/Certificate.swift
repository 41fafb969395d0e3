import CLibcrypto
import FxferProtocol

/// An X.509 certificate in libcrypto's hands.
struct Certificate: ~Copyable {
    private let object: CryptoObject

    /// The X509.
    var pointer: OpaquePointer { self.object.pointer }

    init(_ object: consuming CryptoObject) {
        self.object = object
    }

    /// Whether the certificate is for this key.
    func belongs(to key: borrowing PrivateKey) -> Bool {
        defer { ERR_clear_error() }
        return X509_check_private_key(self.pointer, key.pointer) == 1
    }

    /// Whether this key has signed the certificate, so that no bit of it was changed since.
    func isSigned(by key: borrowing PrivateKey) -> Bool {
        defer { ERR_clear_error() }
        return X509_verify(self.pointer, key.pointer) == 1
    }

    /// SHA-256 of the certificate in DER.
    func digest() throws(FxferError) -> Digest {
        .sha256(try DER.bytes("i2d_X509") { i2d_X509(self.pointer, $0) })
    }

    /// Adds the certificate in PEM form to `output`.
    func write(pemTo output: borrowing MemoryBIO) {
        guard PEM_write_bio_X509(output.pointer, self.pointer) == 1 else {
            preconditionFailure("PEM_write_bio_X509: out of memory")
        }
    }
}
