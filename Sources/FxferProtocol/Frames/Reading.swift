import NIOCore

/// READING (0x81, optional): the receiver reads so many bytes that it has of an offered file, to state their digest in
/// ACCEPT. The sender may read and hash the same beginning of its own meanwhile.
///
/// ```
///  0                               4                              12
///  +-------------------------------+-------------------------------+
///  | file id                       | length, bytes (8)             |
///  +-------------------------------+-------------------------------+
///  | fields ...
/// ```
package struct Reading: Hashable, Sendable {
    package var file: FileID
    package var length: UInt64

    package init(file: FileID, length: UInt64) {
        self.file = file
        self.length = length
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(self.file, self.length)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.file = try body.integer()
        self.length = try body.integer()
        try body.fields()
    }
}
