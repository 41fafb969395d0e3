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
/// Flags: bit 0 the size is known, bit 1 the time, bit 2 the permissions; what is unknown is zero. Bit 3: it is a folder,
/// of size 0. Bit 4: the sender waits for the answer, whatever the size. Bit 5, only with bits 0, 1 and 4: a file that
/// has the same size and time need not be compared further.
///
/// Field 0x8001, 1 byte: the level of ``Durability`` that the sender requires; left out where that is `durable`.
package struct Offer: Hashable, Sendable {
    package var file: FileID
    /// The path's bytes as they came: the receiver judges them.
    package var path: [UInt8]
    package var attributes: FileAttributes
    /// What the sender asks about a file that the receiver may have already.
    package var comparison: Comparison
    /// How durable the file has to become.
    package var level: Durability

    private static let levelTag: UInt16 = 0x8001

    package init(
        file: FileID,
        path: [UInt8],
        attributes: FileAttributes,
        comparison: Comparison = .afterwards,
        level: Durability = .durable
    ) {
        self.file = file
        self.path = path
        self.attributes = attributes
        self.comparison = comparison
        self.level = level
    }

    /// The path for a person's eyes, escaped, and cut where it is longer than any path may be.
    package var pathText: String { EscapedText.escape(self.path.prefix(RelativePath.maxBytes)) }

    private enum Flag {
        static let size: UInt8 = 1
        static let modified: UInt8 = 2
        static let permissions: UInt8 = 4
        static let folder: UInt8 = 8
        static let waits: UInt8 = 16
        static let quick: UInt8 = 32
        static let all: UInt8 = 63
    }

    private var comparisonFlags: UInt8 {
        switch self.comparison {
        case .afterwards: 0
        case .byDigest: Flag.waits
        case .bySizeAndTime: Flag.waits | Flag.quick
        }
    }

    func write(into buffer: inout ByteBuffer) {
        let flags =
            (self.attributes.size == nil ? 0 : Flag.size)
            | (self.attributes.modified == nil ? 0 : Flag.modified)
            | (self.attributes.permissions == nil ? 0 : Flag.permissions)
            | (self.attributes.isFolder ? Flag.folder : 0)
            | self.comparisonFlags
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
        self.level.write(into: &buffer, tag: Self.levelTag)
    }

    /// - Throws: beside what every frame throws, `limitExceeded` for a size over ``FileAttributes/maxSize``.
    init(from body: consuming FrameBody) throws(FxferError) {
        self.file = try body.integer()
        let flags: UInt8 = try body.integer()
        let zero: UInt8 = try body.integer()
        guard flags & ~Flag.all == 0, zero == 0 else {
            throw FxferError(.protocolViolation, "OFFER has unknown flags")
        }
        self.comparison = try Self.comparison(flags)
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
            permissions: flags & Flag.permissions == 0 ? nil : permissions & FileAttributes.permissionMask,
            isFolder: flags & Flag.folder != 0
        )
        guard flags & Flag.folder == 0 || (flags & Flag.size != 0 && size == 0) else {
            throw FxferError(.protocolViolation, "OFFER of a folder with content")
        }
        self.level = try Durability(field: body.fields(known: Self.levelTag), of: "OFFER")
    }

    private static func comparison(_ flags: UInt8) throws(FxferError) -> Comparison {
        guard flags & Flag.quick != 0 else { return flags & Flag.waits == 0 ? .afterwards : .byDigest }
        let needed = Flag.size | Flag.modified | Flag.waits
        guard flags & needed == needed else {
            throw FxferError(.protocolViolation, "OFFER asks for a comparison by size and time and lacks one of them")
        }
        return .bySizeAndTime
    }
}
