import NIOCore

/// LISTED (0x23): a listing is complete, or could not be made.
///
/// ```
///  0                               4               6               8
///  +-------------------------------+---------------+---------------+
///  | listing id                    | code          | message length|
///  +-------------------------------+---------------+---------------+
///  | message, UTF-8, one line ...  | fields ...
/// ```
///
/// Code 0: complete; the message is empty. Field 0x8001, 14 bytes: what the folder itself is like.
///
/// ```
///  0               2                                              10              14
///  +---------------+---------------------------------------------+---------------+
///  | permissions   | modified, seconds since 1970, signed (8)    | nanoseconds   |
///  +---------------+---------------------------------------------+---------------+
/// ```
package struct Listed: Hashable, Sendable {
    package var listing: UInt32
    package var code: WireCode
    package var message: String
    /// Permissions and time of the folder itself, where they are told.
    package var folder: FileAttributes?

    private static let folderTag: UInt16 = 0x8001

    /// - Parameter folder: permissions and time of the folder itself, both of them.
    package init(listing: UInt32, folder: FileAttributes? = nil, _ error: FxferError? = nil) {
        self.folder = folder
        self.listing = listing
        self.code = error.map { WireCode($0.code) } ?? WireCode(rawValue: 0)
        self.message = error?.message ?? ""
    }

    /// Why there is no listing, in the peer's words made safe; nil where it is complete.
    package var error: FxferError? {
        self.code.rawValue == 0 ? nil : self.code.error(saying: self.message)
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(self.listing, self.code.rawValue)
        buffer.writeMessage(self.message)
        if let folder, let permissions = folder.permissions, let modified = folder.modified {
            buffer.writeMultipleIntegers(
                Self.folderTag,
                UInt16(14),
                permissions,
                modified.seconds,
                modified.nanoseconds
            )
        }
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.listing = try body.integer()
        self.code = WireCode(rawValue: try body.integer())
        self.message = try body.shortText()
        self.folder = try body.fields(known: Self.folderTag).flatMap { Self.attributes($0) }
    }

    private static func attributes(_ value: [UInt8]) -> FileAttributes? {
        var bytes = ByteBuffer(bytes: value)
        guard value.count == 14,
            let (permissions, seconds, nanoseconds) = bytes.readMultipleIntegers(as: (UInt16, Int64, UInt32).self)
        else { return nil }
        return FileAttributes(
            modified: FileTime(seconds: seconds, nanoseconds: nanoseconds),
            permissions: permissions & FileAttributes.permissionMask,
            isFolder: true
        )
    }
}
