/// The key that signs a server's receipts, in the two ways that a statement writes it.
///
/// It is text here: what it means, and whether the two belong together, is judged where there is cryptography.
package struct ReceiptKey: Hashable, Sendable {
    /// The size in bytes of the key's SubjectPublicKeyInfo (RFC 5480) in DER: P-256, the point not compressed.
    package static let encodedSize = 91

    /// `SHA256:` and 43 characters of base64: the SHA-256 of the DER.
    package let fingerprint: String
    /// The DER in base64 with padding, 124 characters.
    package let encoded: String

    package init(fingerprint: String, encoded: String) {
        self.fingerprint = fingerprint
        self.encoded = encoded
    }
}
