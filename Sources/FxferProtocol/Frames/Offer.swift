import NIOCore

/// OFFER (0x10): a sender names a file that it would like to send.
///
/// ```
///  0                               4       5       6               8
///  +-------------------------------+-------+-------+---------------+
///  | file id                       | flags | zero  | permissions   |
///  +-------------------------------+-------+-------+---------------+
///  | size, bytes                                                   |
///  +---------------------------------------------------------------+ 16
///  | modified, seconds since 1970, signed                          |
///  +-------------------------------+---------------+---------------+ 24
///  | modified, nanoseconds         | path length   | path ...      |
///  +-------------------------------+---------------+---------------+
///  | fields ...
/// ```
///
/// Flags: bit 0 the size is known, bit 1 the time, bit 2 the permissions; what is unknown is zero.
package struct Offer: Hashable, Sendable {
    package var file: FileID
    /// The path's bytes as they came: the receiver judges them.
    package var path: [UInt8]
    package var attributes: FileAttributes

    package init(file: FileID, path: [UInt8], attributes: FileAttributes) {
        self.file = file
        self.path = path
        self.attributes = attributes
    }

    /// The path for a person's eyes, escaped, and cut where it is longer than any path may be.
    package var pathText: String { EscapedText.escape(self.path.prefix(RelativePath.maxBytes)) }

    private enum Flag {
        static let size: UInt8 = 1
        static let modified: UInt8 = 2
        static let permissions: UInt8 = 4
        static let all: UInt8 = 7
    }

    func write(into buffer: inout ByteBuffer) {
        let flags =
            (self.attributes.size == nil ? 0 : Flag.size)
            | (self.attributes.modified == nil ? 0 : Flag.modified)
            | (self.attributes.permissions == nil ? 0 : Flag.permissions)
        buffer.writeMultipleIntegers(
            self.file,
            flags,
            UInt8(0),
            (self.attributes.permissions ?? 0) & FileAttributes.permissionMask,
            self.attributes.size ?? 0,
            self.attributes.modified?.seconds ?? 0,
            self.attributes.modified?.nanoseconds ?? 0
        )
        buffer.writeShortBytes(self.path)
    }

    /// - Throws: beside what every frame throws, `limitExceeded` for a size over ``FileAttributes/maxSize``.
    init(from body: consuming FrameBody) throws(FxferError) {
        self.file = try body.integer()
        let flags: UInt8 = try body.integer()
        let zero: UInt8 = try body.integer()
        guard flags & ~Flag.all == 0, zero == 0 else {
            throw FxferError(.protocolViolation, "OFFER has unknown flags")
        }
        let permissions: UInt16 = try body.integer()
        let size: UInt64 = try body.integer()
        let seconds: Int64 = try body.integer()
        let nanoseconds: UInt32 = try body.integer()
        self.path = try body.shortBytes()
        guard size <= FileAttributes.maxSize else {
            throw FxferError(.limitExceeded, "a file is announced with \(size) bytes, over the limit of 2^60")
        }
        self.attributes = FileAttributes(
            size: flags & Flag.size == 0 ? nil : size,
            modified: flags & Flag.modified == 0 ? nil : FileTime(seconds: seconds, nanoseconds: nanoseconds),
            permissions: flags & Flag.permissions == 0 ? nil : permissions & FileAttributes.permissionMask
        )
        try body.fields()
    }
}
