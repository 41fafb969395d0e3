import NIOCore

/// CONFIRM (0x15): everything before the offset is verified. REWIND (0x16): send again from the offset on, which is
/// the one that was confirmed last.
///
/// ```
///  0                               4                              12
///  +-------------------------------+-------------------------------+
///  | file id                       | offset, bytes (8)             |
///  +-------------------------------+-------------------------------+
///  | fields ...
/// ```
package struct FilePosition: Hashable, Sendable {
    package var file: FileID
    package var offset: UInt64

    package init(file: FileID, offset: UInt64) {
        self.file = file
        self.offset = offset
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(self.file, self.offset)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.file = try body.integer()
        self.offset = try body.integer()
        try body.fields()
    }
}
