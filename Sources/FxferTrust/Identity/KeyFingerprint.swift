import FxferProtocol

/// By which a server's key is known: the SHA-256 of its SubjectPublicKeyInfo (RFC 5280 section 4.1) in DER.
///
/// Written `SHA256:` and 43 characters of base64 without padding. To compute it with other tools:
/// `openssl pkey -in key.pem -pubout -outform DER | openssl dgst -sha256 -binary | base64`.
public struct KeyFingerprint: Hashable, Sendable {
    /// The SHA-256 itself.
    package let digest: Digest

    private static let prefix = "SHA256:"

    /// The fingerprint of the key that is encoded so.
    public init(subjectPublicKeyInfo: some Collection<UInt8>) {
        self.digest = .sha256(Array(subjectPublicKeyInfo))
    }

    /// Reads `SHA256:` and 43 characters of base64, after which one `=` may stand; nil for anything else.
    public init?(_ text: String) {
        let text = Array(text.utf8)
        guard text.starts(with: Self.prefix.utf8) else { return nil }
        var characters = Array(text.dropFirst(Self.prefix.utf8.count))
        if characters.last == UInt8(ascii: "=") { characters.removeLast() }
        guard let digest = Base64.decode32(characters).flatMap({ Digest(bytes: $0) }) else { return nil }
        self.digest = digest
    }
}

extension KeyFingerprint: CustomStringConvertible {
    /// `SHA256:` and 43 characters of base64.
    public var description: String {
        Self.prefix + String(decoding: Base64.encode(self.digest.bytes), as: UTF8.self)
    }
}
