import FxferProtocol
import NIOCore

/// The front of a partial's journal: which file the partial is of. All numbers are big-endian.
///
/// ```
///   0   8  magic        "FXJRNL", 0, version 1
///   8   2  path length  p, 1 to 4,096
///  10   p  path
/// +10  12  created      seconds since 1970 (signed), nanoseconds (32 bits)
/// +22   8  size         bytes that the sender announced
/// +30   1  has time     1 where the next field counts, else 0
/// +31  12  modified     as `created`
/// +43  32  checksum     SHA-256 of everything before
/// ```
struct PartialHeader: Hashable, Sendable {
    let path: RelativePath
    /// When the first try began.
    var created: FileTime
    /// The size that the last sender announced, in bytes.
    var size: UInt64
    /// The modification time that the last sender announced.
    var modified: FileTime?

    /// The largest header in bytes.
    static let maxByteCount = Self.fixedByteCount + RelativePath.maxBytes

    private static let fixedByteCount = 75
    private static let magic: [UInt8] = Array("FXJRNL".utf8) + [0, 1]

    /// Its size on disk in bytes.
    var byteCount: Int { Self.fixedByteCount + self.path.bytes.count }

    var encoded: ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeBytes(Self.magic)
        bytes.writeInteger(UInt16(self.path.bytes.count))
        bytes.writeBytes(self.path.bytes)
        bytes.write(self.created)
        bytes.writeInteger(self.size)
        bytes.writeInteger(self.modified == nil ? 0 : 1, as: UInt8.self)
        bytes.write(self.modified ?? FileTime(seconds: 0, nanoseconds: 0))
        bytes.writeBytes(Self.checksum(of: bytes).bytes)
        return bytes
    }

    private static func checksum(of bytes: ByteBuffer) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.digest()
    }
}

extension PartialHeader {
    /// Reads the header at the front of `journal`; nil where it is damaged or cut off, or another version's.
    init?(_ journal: ByteBuffer) {
        var rest = journal
        guard rest.readBytes(length: Self.magic.count) == Self.magic, let count = rest.readInteger(as: UInt16.self),
            let path = rest.readBytes(length: Int(count)).flatMap({ try? RelativePath(bytes: $0) }),
            let created = rest.readTime(), let size = rest.readInteger(as: UInt64.self),
            let hasTime = rest.readInteger(as: UInt8.self), let modified = rest.readTime()
        else { return nil }
        let covered = journal.readableBytes - rest.readableBytes
        guard let checked = journal.getSlice(at: journal.readerIndex, length: covered),
            let checksum = rest.readBytes(length: Digest.byteCount),
            Digest(bytes: checksum) == Self.checksum(of: checked)
        else { return nil }
        self.init(path: path, created: created, size: size, modified: hasTime == 0 ? nil : modified)
    }
}

extension ByteBuffer {
    fileprivate mutating func write(_ time: FileTime) {
        self.writeInteger(time.seconds)
        self.writeInteger(time.nanoseconds)
    }

    fileprivate mutating func readTime() -> FileTime? {
        guard let seconds = self.readInteger(as: Int64.self), let nanoseconds = self.readInteger(as: UInt32.self)
        else { return nil }
        return FileTime(seconds: seconds, nanoseconds: nanoseconds)
    }
}
