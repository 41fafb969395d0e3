import NIOCore

/// GET (0x20): a client asks for a file; the server answers with OFFER under the same id, or with CANCEL.
///
/// ```
///  0                               4               6
///  +-------------------------------+---------------+---------------+
///  | file id                       | path length   | path ...      |
///  +-------------------------------+---------------+---------------+
///  | fields ...
/// ```
package struct Get: Hashable, Sendable {
    package var file: FileID
    /// The path's bytes as they came: the server judges them.
    package var path: [UInt8]

    package init(file: FileID, path: [UInt8]) {
        self.file = file
        self.path = path
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(self.file)
        buffer.writeShortBytes(self.path)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.file = try body.integer()
        self.path = try body.shortBytes()
        try body.fields()
    }
}
