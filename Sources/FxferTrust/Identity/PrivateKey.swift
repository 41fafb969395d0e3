import CLibcrypto
import FxferProtocol

/// A private key in libcrypto's hands.
struct PrivateKey: ~Copyable {
    private let object: CryptoObject

    /// The EVP_PKEY.
    var pointer: OpaquePointer { self.object.pointer }

    private init(_ object: consuming CryptoObject) {
        self.object = object
    }

    /// A new key on the curve P-256 (FIPS 186-5).
    static func makeP256() throws(FxferError) -> PrivateKey {
        guard let object = CryptoObject(clibcrypto_make_p256_key(), freedBy: EVP_PKEY_free) else {
            throw .libcrypto("EVP_EC_gen")
        }
        return PrivateKey(object)
    }

    /// Reads the first private key in `text`, of any kind that libcrypto knows.
    static func read(pem text: [UInt8]) throws(PEMFailure) -> PrivateKey {
        let input = MemoryBIO(text)
        var isEncrypted = false
        let pointer = PEM_read_bio_PrivateKey(input.pointer, nil, noPassword, &isEncrypted)
        guard let object = CryptoObject(pointer, freedBy: EVP_PKEY_free) else {
            ERR_clear_error()
            if isEncrypted { throw .encrypted }
            // libcrypto's reasons do not tell these apart where it tries several kinds of keys.
            throw text.firstRange(of: "PRIVATE KEY-----".utf8) == nil ? .missing : .broken
        }
        return PrivateKey(object)
    }

    /// The key in PEM form: PKCS #8, not encrypted (RFC 5958).
    func pem() throws(FxferError) -> [UInt8] {
        let output = MemoryBIO()
        try FxferError.expect(
            PEM_write_bio_PKCS8PrivateKey(output.pointer, self.pointer, nil, nil, 0, nil, nil),
            "PEM_write_bio_PKCS8PrivateKey"
        )
        return output.content()
    }

    /// The public half in DER: SubjectPublicKeyInfo (RFC 5280 section 4.1).
    func subjectPublicKeyInfo() throws(FxferError) -> [UInt8] {
        try DER.bytes("i2d_PUBKEY") { i2d_PUBKEY(self.pointer, $0) }
    }

    /// The public half in PEM form: `PUBLIC KEY` (RFC 7468 section 13).
    func publicPEM() throws(FxferError) -> [UInt8] {
        let output = MemoryBIO()
        try FxferError.expect(PEM_write_bio_PUBKEY(output.pointer, self.pointer), "PEM_write_bio_PUBKEY")
        return output.content()
    }

    /// The fingerprint of the public half.
    func fingerprint() throws(FxferError) -> KeyFingerprint {
        KeyFingerprint(subjectPublicKeyInfo: try self.subjectPublicKeyInfo())
    }

    /// A further owner of the same key.
    func shared() throws(FxferError) -> PrivateKey {
        try FxferError.expect(EVP_PKEY_up_ref(self.pointer), "EVP_PKEY_up_ref")
        guard let object = CryptoObject(self.pointer, freedBy: EVP_PKEY_free) else {
            throw .libcrypto("EVP_PKEY_up_ref")
        }
        return PrivateKey(object)
    }

    /// The signature of `message` with SHA-256: for a key on P-256 ECDSA (FIPS 186-5), ECDSA-Sig-Value in DER.
    func sign(_ message: [UInt8]) throws(FxferError) -> [UInt8] {
        guard let context = CryptoObject(EVP_MD_CTX_new(), freedBy: EVP_MD_CTX_free) else {
            throw .libcrypto("EVP_MD_CTX_new")
        }
        try FxferError.expect(
            EVP_DigestSignInit(context.pointer, nil, EVP_sha256(), nil, self.pointer),
            "EVP_DigestSignInit"
        )
        var size = Int(EVP_PKEY_get_size(self.pointer))
        var signature = [UInt8](repeating: 0, count: size)
        try FxferError.expect(
            EVP_DigestSign(context.pointer, &signature, &size, message, message.count),
            "EVP_DigestSign"
        )
        return Array(signature.prefix(size))
    }

    /// Whether the two halves belong together, and the public one is a point of its curve. Quick for a curve, not for RSA.
    var isWhole: Bool {
        defer { ERR_clear_error() }
        let context = EVP_PKEY_CTX_new_from_pkey(nil, self.pointer, nil)
        guard let check = CryptoObject(context, freedBy: EVP_PKEY_CTX_free) else { return false }
        return EVP_PKEY_check(check.pointer) == 1
    }

    /// Whether clients take signatures by it: RSA, and the curves of ECDSA. Nothing else is usual in TLS.
    var isUsual: Bool {
        EVP_PKEY_is_a(self.pointer, "RSA") == 1 || EVP_PKEY_is_a(self.pointer, "EC") == 1
    }

    /// Whether it is a key on the curve P-256.
    var isP256: Bool {
        // The longest name of a curve in libcrypto is shorter; one that is cut is not this one.
        var name = [CChar](repeating: 0, count: 80)
        guard EVP_PKEY_is_a(self.pointer, "EC") == 1,
            EVP_PKEY_get_group_name(self.pointer, &name, name.count, nil) == 1
        else {
            ERR_clear_error()
            return false
        }
        // SN_X9_62_prime256v1 of obj_mac.h.
        return name.prefix { $0 != 0 }.elementsEqual("prime256v1".utf8.map { CChar(bitPattern: $0) })
    }
}
