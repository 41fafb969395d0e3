import NIOCore

/// FINISH (0x17): the sender has sent everything; this is the whole file.
///
/// ```
///  0                               4                              12
///  +-------------------------------+-------------------------------+
///  | file id                       | size, bytes (8)               |
///  +-------------------------------+-------------------------------+
///  | SHA-256 of the file, 32 bytes ...                             |
///  +---------------------------------------------------------------+ 44
///  | fields ...
/// ```
package struct Finish: Hashable, Sendable {
    package var file: FileID
    package var content: FilePrefix

    package init(file: FileID, content: FilePrefix) {
        self.file = file
        self.content = content
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(self.file, self.content.length)
        buffer.writeDigest(self.content.digest)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.file = try body.integer()
        self.content = FilePrefix(length: try body.integer(), digest: try body.digest())
        try body.fields()
    }
}
