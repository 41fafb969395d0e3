import NIOCore

/// WELCOME (0x02), the server's answer to HELLO: what holds for this connection.
///
/// ```
///  0               2               4                               8
///  +---------------+---------------+-------------------------------+
///  | version       | files at once | largest chunk, bytes          |
///  +---------------+---------------+-------------------------------+
///  | capabilities                                                  |
///  +---------------------------------------------------------------+ 16
///  | nonce, 32 bytes ...                                           |
///  +---------------------------------------------------------------+ 48
///  | fields ...
/// ```
package struct Welcome: Hashable, Sendable {
    package var version: UInt16
    package var filesInFlight: UInt16
    package var chunkSize: UInt32
    package var capabilities: UInt64
    package var nonce: Nonce

    package init(version: UInt16, filesInFlight: UInt16, chunkSize: UInt32, capabilities: UInt64 = 0, nonce: Nonce) {
        self.version = version
        self.filesInFlight = filesInFlight
        self.chunkSize = chunkSize
        self.capabilities = capabilities
        self.nonce = nonce
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(self.version, self.filesInFlight, self.chunkSize, self.capabilities)
        buffer.writeBytes(self.nonce.bytes)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        self.version = try body.integer()
        self.filesInFlight = try body.integer()
        self.chunkSize = try body.integer()
        self.capabilities = try body.integer()
        self.nonce = try body.nonce()
        try body.fields()
    }
}
