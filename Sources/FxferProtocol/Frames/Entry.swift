import NIOCore

/// ENTRY (0x22): one file or folder of a listing.
///
/// ```
///  0                               4       5       6               8
///  +-------------------------------+-------+-------+---------------+
///  | listing id                    | kind  | zero  | permissions   |
///  +-------------------------------+-------+-------+---------------+
///  | size, bytes                                                   |
///  +---------------------------------------------------------------+ 16
///  | modified, seconds since 1970, signed                          |
///  +-------------------------------+---------------+---------------+ 24
///  | modified, nanoseconds         | name length   | name ...      |
///  +-------------------------------+---------------+---------------+
///  | fields ...
/// ```
package struct Entry: Hashable, Sendable {
    /// What the name stands for.
    package enum Kind: UInt8, Sendable {
        case file = 0
        case folder = 1
    }

    package var listing: UInt32
    package var kind: Kind
    package var permissions: UInt16
    /// 0 for a folder.
    package var size: UInt64
    package var modified: FileTime
    /// One component as it came: the client judges it.
    package var name: [UInt8]

    package init(
        listing: UInt32,
        kind: Kind,
        permissions: UInt16,
        size: UInt64,
        modified: FileTime,
        name: [UInt8]
    ) {
        self.listing = listing
        self.kind = kind
        self.permissions = permissions
        self.size = size
        self.modified = modified
        self.name = name
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(
            self.listing,
            self.kind.rawValue,
            UInt8(0),
            self.permissions & FileAttributes.permissionMask,
            self.size,
            self.modified.seconds,
            self.modified.nanoseconds
        )
        buffer.writeShortBytes(self.name)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.listing = try body.integer()
        let number: UInt8 = try body.integer()
        let zero: UInt8 = try body.integer()
        guard let kind = Kind(rawValue: number), zero == 0 else {
            throw FxferError(.protocolViolation, "ENTRY has an unknown kind")
        }
        self.kind = kind
        self.permissions = try body.integer() & FileAttributes.permissionMask
        self.size = try body.integer()
        self.modified = FileTime(seconds: try body.integer(), nanoseconds: try body.integer())
        self.name = try body.shortBytes()
        try body.fields()
    }
}
