import NIOCore

/// AUTH (0x03): a side proves that it knows the token. The client's comes first; the server's is its answer.
///
/// ```
///  0                               8
///  +-------------------------------+
///  | proof, 32 bytes ...           |
///  +-------------------------------+ 32
///  | fields ...
/// ```
package struct Auth: Hashable, Sendable {
    /// HMAC-SHA256 by the token over the role, both nonces and the digest of the server's certificate.
    package var proof: Digest

    package init(proof: Digest) {
        self.proof = proof
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeDigest(self.proof)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.proof = try body.digest()
        try body.fields()
    }
}
