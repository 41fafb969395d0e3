import NIOCore

/// The number of a file within one connection. A sender gives out growing numbers; none is used twice.
package typealias FileID = UInt32

/// ACCEPT (0x11): the receiver takes the file and says which prefix of it, if any, it holds already.
///
/// ```
///  0                               4                              12
///  +-------------------------------+-------------------------------+
///  | file id                       | offset, bytes (8)             |
///  +-------------------------------+-------------------------------+
///  | running digest of the bytes before offset, 32 bytes ...       |
///  +---------------------------------------------------------------+ 44
///  | fields ...
/// ```
///
/// Field 0x8001, 2 bytes: the length in bytes of the beginning of the offered path that leads to a folder which does not
/// exist yet. So nothing beneath that folder has to be asked for.
///
/// Field 0x8002: the prefix is a whole file that was stored and has decayed (``Decay``).
package struct Accept: Hashable, Sendable {
    package var file: FileID
    package var prefix: FilePrefix
    /// The length in bytes of the path of the topmost folder that does not exist yet; nil where that is not told.
    package var newFolderLength: UInt16?
    /// Nil where nothing is known of that.
    package var decay: Decay?

    package init(file: FileID, prefix: FilePrefix, newFolderLength: UInt16? = nil, decay: Decay? = nil) {
        self.file = file
        self.prefix = prefix
        self.newFolderLength = newFolderLength
        self.decay = decay
    }

    private static let newFolderTag: UInt16 = 0x8001
    private static let decayTag: UInt16 = 0x8002

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(self.file, self.prefix.length)
        buffer.writeDigest(self.prefix.digest)
        if let newFolderLength {
            buffer.writeMultipleIntegers(Self.newFolderTag, UInt16(2), newFolderLength)
        }
        self.decay?.write(into: &buffer, tag: Self.decayTag)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.file = try body.integer()
        self.prefix = FilePrefix(length: try body.integer(), digest: try body.digest())
        let fields = try body.fields(known: [Self.newFolderTag, Self.decayTag])
        if let value = fields[Self.newFolderTag], value.count == 2 {
            self.newFolderLength = UInt16(value[0]) << 8 | UInt16(value[1])
        }
        if let value = fields[Self.decayTag] { self.decay = try Decay(field: value) }
    }
}
