import NIOCore

/// REPAIR (0x1A): the sender has the file as it was stored, and sends what is damaged; the receiver takes all else from
/// what it has. The answer to ACCEPT with ``Decay``.
///
/// ```
///  0                               4
///  +-------------------------------+
///  | file id                       | fields ...
/// ```
package struct Repair: Hashable, Sendable {
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
