import CLibcrypto
import FxferProtocol

/// What shows that a side knows a token, on this one connection and to this one certificate only:
///
///     HMAC-SHA256(key: the token's ASCII characters, message:
///         "fxfer proof 1" | 0x00 | role, "C" or "S" | client's nonce | server's nonce | digest of the certificate)
///
/// Nonces and digest have 32 bytes each, so the message has 111. In the clear, where there is no certificate, its digest
/// is 32 zeros.
package enum Proof {
    /// Who proves. A proof of one side is none of the other: it cannot be sent back to who made it.
    package enum Role: Hashable, Sendable {
        case client, server

        fileprivate var byte: UInt8 {
            switch self {
            case .client: UInt8(ascii: "C")
            case .server: UInt8(ascii: "S")
            }
        }
    }

    private static let label = Array("fxfer proof 1\0".utf8)

    /// The proof of the side `role`.
    package static func make(
        token: Token,
        role: Role,
        nonces: Nonces,
        certificate: Digest
    ) -> Digest {
        let message = Self.label + [role.byte] + nonces.client.bytes + nonces.server.bytes + certificate.bytes
        var code = [UInt8](repeating: 0, count: Digest.byteCount)
        let result = HMAC(
            EVP_sha256(),
            token.bytes,
            CInt(token.bytes.count),
            message,
            message.count,
            &code,
            nil
        )
        guard result != nil, let digest = Digest(bytes: code) else {
            preconditionFailure("HMAC failed: out of memory, or libcrypto has no SHA-256")
        }
        return digest
    }

    /// Whether two proofs are the same, in a time that does not tell where they differ (CRYPTO_memcmp).
    package static func equal(_ a: Digest, _ b: Digest) -> Bool {
        CRYPTO_memcmp(a.bytes, b.bytes, Digest.byteCount) == 0
    }
}
