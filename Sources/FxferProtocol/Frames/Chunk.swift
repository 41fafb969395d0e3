import NIOCore

/// CHUNK (0x14): announces the next piece of a file. The body is followed, outside the frame, by the payload itself
/// and by the running digest of the file up to the payload's end.
///
/// ```
///  0                               4                              12              16
///  +-------------------------------+-------------------------------+---------------+
///  | file id                       | offset, bytes (8)             | length, bytes |
///  +-------------------------------+-------------------------------+---------------+
///  behind the frame's checksum:
///  +---------------------------------------------------------------+
///  | payload, length bytes ...                                     |
///  +---------------------------------------------------------------+
///  | running digest, 32 bytes                                      |
///  +---------------------------------------------------------------+
/// ```
package struct Chunk: Hashable, Sendable {
    /// The smallest value that may be agreed on as the largest chunk: 64 KiB.
    package static let sizes: ClosedRange<UInt32> = 65_536...16_777_216
    /// The largest chunk where nothing else is asked for: 1 MiB.
    package static let defaultSize: UInt32 = 1_048_576

    package var file: FileID
    package var offset: UInt64
    package var length: UInt32

    package init(file: FileID, offset: UInt64, length: UInt32) {
        self.file = file
        self.offset = offset
        self.length = length
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(self.file, self.offset, self.length)
    }

    /// - Throws: beside what every frame throws, `limitExceeded` where the length is over 16 MiB or the end over
    ///   ``FileAttributes/maxSize``, and `protocolViolation` where the length is 0.
    init(from body: consuming FrameBody) throws(FxferError) {
        self.file = try body.integer()
        self.offset = try body.integer()
        self.length = try body.integer()
        try body.fields()
        guard self.length > 0 else {
            throw FxferError(.protocolViolation, "a chunk of 0 bytes")
        }
        guard self.length <= Self.sizes.upperBound, self.offset <= FileAttributes.maxSize else {
            throw FxferError(.limitExceeded, "a chunk of \(self.length) bytes at \(self.offset) is over the limit")
        }
    }

    /// The offset behind the last byte.
    package var end: UInt64 { self.offset + UInt64(self.length) }
}
