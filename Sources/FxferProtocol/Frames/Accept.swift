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
package struct Accept: Hashable, Sendable {
    package var file: FileID
    package var prefix: FilePrefix

    package init(file: FileID, prefix: FilePrefix) {
        self.file = file
        self.prefix = prefix
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(self.file, self.prefix.length)
        buffer.writeDigest(self.prefix.digest)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.file = try body.integer()
        self.prefix = FilePrefix(length: try body.integer(), digest: try body.digest())
        try body.fields()
    }
}
