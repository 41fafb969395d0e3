import CLibcrypto
import FxferProtocol

/// A public key on P-256 as it judges signatures of receipts.
package final class PublicKey: Sendable {
    /// By which people know the key.
    package let fingerprint: KeyFingerprint
    /// The key as statements name it.
    package let receiptKey: ReceiptKey
    // An EVP_PKEY may be used by several threads at once while none changes it, and nothing does.
    private nonisolated(unsafe) let object: CryptoObject

    /// Reads a SubjectPublicKeyInfo (RFC 5480) in DER, from anywhere: P-256 by its name, the point not compressed, in
    /// ``FxferProtocol/ReceiptKey/encodedSize`` bytes. Nil for anything else, a point that is not on the curve included.
    package init?(subjectPublicKeyInfo bytes: [UInt8]) {
        guard bytes.count == ReceiptKey.encodedSize, let object = Self.read(bytes) else { return nil }
        self.object = object
        self.fingerprint = KeyFingerprint(subjectPublicKeyInfo: bytes)
        self.receiptKey = ReceiptKey(
            fingerprint: self.fingerprint.description,
            encoded: String(decoding: Base64.encodePadded(bytes), as: UTF8.self)
        )
    }

    /// The key of a statement; nil where it is none on P-256, or the fingerprint beside it is another key's.
    package convenience init?(_ key: ReceiptKey) {
        guard let bytes = Base64.decodePadded(Array(key.encoded.utf8), count: ReceiptKey.encodedSize) else {
            return nil
        }
        self.init(subjectPublicKeyInfo: bytes)
        guard self.receiptKey == key else { return nil }
    }

    /// What begins the DER of such a key (RFC 5480 section 2): a sequence of 89 bytes, in it id-ecPublicKey and
    /// secp256r1, and a bit string of 65 bytes, the first 0x04 for a point that is not compressed.
    private static let header: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
        0xCE,
        0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ]

    private static func read(_ bytes: [UInt8]) -> CryptoObject? {
        guard bytes.starts(with: self.header) else { return nil }
        defer { ERR_clear_error() }
        let pointer = bytes.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            return d2i_PUBKEY(nil, &next, buffer.count)
        }
        guard let object = CryptoObject(pointer, freedBy: EVP_PKEY_free),
            let check = CryptoObject(EVP_PKEY_CTX_new_from_pkey(nil, object.pointer, nil), freedBy: EVP_PKEY_CTX_free),
            EVP_PKEY_public_check(check.pointer) == 1
        else { return nil }
        return object
    }

    /// Whether `signature` (ECDSA-Sig-Value in DER) is that of `message` with SHA-256, made by this key.
    package func isSignature(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        defer { ERR_clear_error() }
        guard ReceiptAttestation.signatureSizes.contains(signature.count),
            let context = CryptoObject(EVP_MD_CTX_new(), freedBy: EVP_MD_CTX_free),
            EVP_DigestVerifyInit(context.pointer, nil, EVP_sha256(), nil, self.object.pointer) == 1
        else { return false }
        return EVP_DigestVerify(context.pointer, signature, signature.count, message, message.count) == 1
    }

    /// The bytes of the statement that `receipt` makes by this key and has signed; nil where that is not so.
    package func statement(of receipt: Receipt) -> [UInt8]? {
        guard let attestation = receipt.attestation,
            let bytes = ReceiptStatement(receipt, by: self.receiptKey)?.bytes,
            self.isSignature(attestation.signature, of: bytes)
        else { return nil }
        return bytes
    }
}
