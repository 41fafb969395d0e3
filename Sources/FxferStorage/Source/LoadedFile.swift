import FxferProtocol
import NIOCore

/// A small file, read whole: it holds no descriptor, and what it says was true of the file at one moment.
package struct LoadedFile: Sendable {
    /// Size, modification time and permissions.
    package let attributes: FileAttributes
    /// The whole content: the very bytes that were hashed.
    package let bytes: ByteBuffer
    /// SHA-256 of ``bytes``.
    package let digest: Digest

    let source: SourceName

    /// The path by which it was found, escaped, for messages.
    package var name: String { self.source.text }
}
