import NIOCore

/// The CRC-32 of PNG and zlib (polynomial 0x04C11DB7 reflected, start and final value all ones). It guards frame
/// headers and control frames against damage on the way; content is guarded by SHA-256.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320
        }
    }

    /// The checksum of `bytes`; 0 for none.
    static func checksum(of bytes: some Sequence<UInt8>) -> UInt32 {
        let value = bytes.withContiguousStorageIfAvailable { Self.advance(~0, over: $0) }
        return ~(value ?? Self.advance(~0, over: bytes))
    }

    @inline(__always)
    private static func advance(_ start: UInt32, over bytes: some Sequence<UInt8>) -> UInt32 {
        Self.table.withUnsafeBufferPointer { table in
            bytes.reduce(start) { value, byte in
                value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ byte)]
            }
        }
    }
}

extension ByteBuffer {
    /// The checksum of `length` readable bytes from index `start` on. A view of them would keep the memory shared, and
    /// the next write would copy all of it.
    func checksum(at start: Int, length: Int) -> UInt32 {
        self.withUnsafeReadableBytes { bytes in
            let first = start - self.readerIndex
            return CRC32.checksum(of: UnsafeRawBufferPointer(rebasing: bytes[first..<first + length]))
        }
    }
}
