import CLibcrypto

@testable import FxferTrust

/// Keys and certificates in PEM form of the kinds that other tools make.
struct TestKey {
    enum Kind: String, CaseIterable, Sendable {
        case rsa = "RSA"
        case p256 = "P-256"
        case p384 = "P-384"
        case ed25519 = "ED25519"
    }

    /// The private key, PKCS #8.
    let pem: [UInt8]

    init(_ kind: Kind) throws {
        let isCurve = [.p256, .p384].contains(kind)
        let context = EVP_PKEY_CTX_new_from_name(nil, isCurve ? "EC" : kind.rawValue, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        defer { EVP_PKEY_free(key) }
        try PreparationFailure.expect(EVP_PKEY_keygen_init(context))
        if isCurve { try PreparationFailure.expect(EVP_PKEY_CTX_set_group_name(context, kind.rawValue)) }
        try PreparationFailure.expect(EVP_PKEY_generate(context, &key))
        let output = MemoryBIO()
        try PreparationFailure.expect(PEM_write_bio_PKCS8PrivateKey(output.pointer, key, nil, nil, 0, nil, nil))
        self.pem = output.content()
    }

    /// The private key, encrypted with a password.
    func encrypted() throws -> [UInt8] {
        let key = try PrivateKey.read(pem: self.pem)
        let output = MemoryBIO()
        let password = Array("password".utf8CString)
        try PreparationFailure.expect(
            PEM_write_bio_PKCS8PrivateKey(
                output.pointer,
                key.pointer,
                EVP_aes_256_cbc(),
                password,
                CInt(password.count - 1),
                nil,
                nil
            )
        )
        return output.content()
    }

    /// A certificate for this key, signed by a key on P-256.
    func certificate(by issuer: TestKey) throws -> [UInt8] {
        let key = try PrivateKey.read(pem: self.pem)
        let issuerKey = try PrivateKey.read(pem: issuer.pem)
        let certificate = try Certificate.selfSigned(by: issuerKey)
        try PreparationFailure.expect(X509_set_pubkey(certificate.pointer, key.pointer))
        try PreparationFailure.expect(X509_sign(certificate.pointer, issuerKey.pointer, EVP_sha256()) > 0 ? 1 : 0)
        let output = MemoryBIO()
        certificate.write(pemTo: output)
        return output.content()
    }
}

/// A call of libcrypto failed in a test's own preparations.
struct PreparationFailure: Error {
    static func expect(_ result: CInt) throws {
        guard result == 1 else { throw PreparationFailure() }
    }
}
