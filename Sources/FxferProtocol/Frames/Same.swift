import NIOCore

/// SAME (0x19): the receiver has a file of this name, size and modification time, and did not read it; nothing is sent.
///
/// ```
///  0                               4
///  +-------------------------------+
///  | file id                       | fields ...
/// ```
package struct Same: Hashable, Sendable {
    package var file: FileID

    package init(file: FileID) {
        self.file = file
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(self.file)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.file = try body.integer()
        try body.fields()
    }
}
