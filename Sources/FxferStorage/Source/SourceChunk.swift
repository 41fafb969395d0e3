import FxferProtocol
import NIOCore

/// A piece of a source file, ready to be sent.
package struct SourceChunk: Sendable {
    /// The piece's bytes: the very ones that were hashed.
    package let bytes: ByteBuffer
    /// The running digest: SHA-256 of the file from its start to the end of this piece.
    package let digest: Digest

    package init(bytes: ByteBuffer, digest: Digest) {
        self.bytes = bytes
        self.digest = digest
    }
}
