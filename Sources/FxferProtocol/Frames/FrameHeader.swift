import NIOCore

/// The first 12 bytes of every frame, big-endian:
///
/// ```
///  0               4       5               8               12
///  +---------------+-------+---------------+---------------+
///  | body length   | type  | zero          | CRC-32 of 0-7 |
///  +---------------+-------+---------------+---------------+
/// ```
///
/// The header has a checksum of its own, so that a damaged length is noticed before anything waits for it.
package struct FrameHeader: Hashable, Sendable {
    static let byteCount = 12
    /// The longest body of a frame in bytes; a chunk's payload is not part of the body.
    package static let maxBodyLength: UInt32 = 65_536
    /// The checksum behind the body in bytes.
    static let trailerByteCount = 4

    var bodyLength: UInt32
    var type: FrameType

    func write(into buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeInteger(self.bodyLength)
        buffer.writeInteger(self.type.rawValue)
        buffer.writeRepeatingByte(0, count: 3)
        buffer.writeInteger(buffer.checksum(at: start, length: 8))
    }

    /// Reads a header of ``byteCount`` bytes.
    ///
    /// - Throws: `damaged` where the checksum differs, `protocolViolation` where the reserved bytes are not zero,
    ///   `limitExceeded` where the body would be longer than `maxBodyLength`.
    static func read(from bytes: ByteBuffer, maxBodyLength: UInt32) throws(FxferError) -> FrameHeader {
        var bytes = bytes
        let checksum = CRC32.checksum(of: bytes.readableBytesView.prefix(8))
        guard
            let (length, type, zero8, zero16, sum) = bytes.readMultipleIntegers(
                as: (UInt32, UInt8, UInt8, UInt16, UInt32).self
            )
        else {
            preconditionFailure("a frame header is read from \(Self.byteCount) bytes")
        }
        guard sum == checksum else {
            throw FxferError(.damaged, "a frame header was damaged on the way")
        }
        guard zero8 == 0, zero16 == 0 else {
            throw FxferError(.protocolViolation, "the reserved bytes of a frame header are not zero")
        }
        guard length <= maxBodyLength else {
            throw FxferError(.limitExceeded, "a frame of \(length) bytes is over the limit of \(maxBodyLength)")
        }
        return FrameHeader(bodyLength: length, type: FrameType(rawValue: type))
    }
}
