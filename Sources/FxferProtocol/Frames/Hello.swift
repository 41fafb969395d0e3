import NIOCore

/// HELLO (0x01), the client's first frame: the versions it speaks and what it would like.
///
/// ```
///  0               2               4                               8
///  +---------------+---------------+-------------------------------+
///  | lowest version| highest       | largest chunk wanted, bytes   |
///  +---------------+---------------+-------------------------------+
///  | capabilities                                                  |
///  +---------------------------------------------------------------+ 16
///  | nonce, 32 bytes ...                                           |
///  +---------------------------------------------------------------+ 48
///  | fields ...
/// ```
package struct Hello: Hashable, Sendable {
    package var versions: ClosedRange<UInt16>
    package var chunkSize: UInt32
    package var capabilities: UInt64
    package var nonce: Nonce

    package init(versions: ClosedRange<UInt16>, chunkSize: UInt32, capabilities: UInt64 = 0, nonce: Nonce) {
        self.versions = versions
        self.chunkSize = chunkSize
        self.capabilities = capabilities
        self.nonce = nonce
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(
            self.versions.lowerBound,
            self.versions.upperBound,
            self.chunkSize,
            self.capabilities
        )
        buffer.writeBytes(self.nonce.bytes)
    }

    init(from body: consuming FrameBody) throws(FxferError) {
        let lowest: UInt16 = try body.integer()
        let highest: UInt16 = try body.integer()
        guard lowest <= highest else {
            throw FxferError(.protocolViolation, "HELLO names versions \(lowest) to \(highest)")
        }
        self.versions = lowest...highest
        self.chunkSize = try body.integer()
        self.capabilities = try body.integer()
        self.nonce = try body.nonce()
        try body.fields()
    }
}
