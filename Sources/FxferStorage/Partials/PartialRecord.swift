import FxferProtocol
import NIOCore

/// One entry of a partial's journal: so many bytes were verified, and this is their digest.
///
/// ```
///  0   8  length    bytes from the file's start, big-endian
///  8  32  digest    SHA-256 of those bytes
/// ```
struct PartialRecord: Hashable, Sendable {
    /// Its size on disk in bytes.
    static let byteCount = 40

    let length: UInt64
    let digest: Digest

    var encoded: ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeInteger(self.length)
        bytes.writeBytes(self.digest.bytes)
        return bytes
    }
}

extension PartialRecord {
    /// Takes a record from the front of `bytes`; nil, and nothing taken, where fewer than 40 are left.
    init?(from bytes: inout ByteBuffer) {
        guard var record = bytes.readSlice(length: Self.byteCount), let length = record.readInteger(as: UInt64.self),
            let digest = Digest(bytes: record.readableBytesView)
        else { return nil }
        self.init(length: length, digest: digest)
    }
}
