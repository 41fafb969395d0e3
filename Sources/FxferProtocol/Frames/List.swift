import NIOCore

/// LIST (0x21): a client asks what is in a folder, or what a name stands for. The server answers with any number of
/// ENTRY and one LISTED.
///
/// ```
///  0                               4               6
///  +-------------------------------+---------------+---------------+
///  | listing id                    | path length   | path ...      |
///  +-------------------------------+---------------+---------------+
///  | fields ...
/// ```
///
/// An empty path stands for the server's directory itself.
package struct List: Hashable, Sendable {
    package var listing: UInt32
    /// The path's bytes as they came: the server judges them.
    package var path: [UInt8]

    package init(listing: UInt32, path: [UInt8]) {
        self.listing = listing
        self.path = path
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(self.listing)
        buffer.writeShortBytes(self.path)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.listing = try body.integer()
        self.path = try body.shortBytes()
        try body.fields()
    }
}
