import NIOCore

/// Decay as a field of ACCEPT: the digest that the file was stored with (32 bytes), and for each range its first byte
/// and the one behind its last (8 bytes each).
extension Decay {
    private static let rangeByteCount = 16

    func write(into buffer: inout ByteBuffer, tag: UInt16) {
        let length = Digest.byteCount + self.ranges.count * Self.rangeByteCount
        buffer.writeMultipleIntegers(tag, UInt16(length))
        buffer.writeDigest(self.digest)
        for range in self.ranges { buffer.writeMultipleIntegers(range.lowerBound, range.upperBound) }
    }

    /// - Throws: `protocolViolation` where there are no such ranges.
    init(field: [UInt8]) throws(FxferError) {
        var bytes = ByteBuffer(bytes: field)
        let malformed = FxferError(.protocolViolation, "ACCEPT tells of damage that cannot be")
        guard let digest = bytes.readDigest() else { throw malformed }
        var ranges: [Range<UInt64>] = []
        while let (first, end) = bytes.readMultipleIntegers(as: (UInt64, UInt64).self) {
            guard first < end else { throw malformed }
            ranges.append(first..<end)
        }
        guard bytes.readableBytes == 0, let decay = Decay(digest: digest, ranges: ranges) else { throw malformed }
        self = decay
    }
}
