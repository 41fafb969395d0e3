/// How a stored file has decayed: its content is not what it was stored with, though nobody has written to it.
package struct Decay: Hashable, Sendable {
    /// Of more ranges the last ones are told as one.
    package static let maxRanges = 500

    /// The SHA-256 that it was stored with.
    package let digest: Digest
    /// Which of its bytes are damaged: one range or more, none empty, in ascending order, with gaps between them.
    package let ranges: [Range<UInt64>]

    /// Nil where the ranges are not like that, or too many.
    package init?(digest: Digest, ranges: [Range<UInt64>]) {
        guard !ranges.isEmpty, ranges.count <= Self.maxRanges, !ranges.contains(where: \.isEmpty),
            zip(ranges, ranges.dropFirst()).allSatisfy({ $0.upperBound < $1.lowerBound })
        else { return nil }
        self.digest = digest
        self.ranges = ranges
    }

    /// Nil where a file of that size cannot have such damage.
    ///
    /// - Parameter damaged: in ascending order, with gaps between them; all bytes where there are none.
    package init?(of size: UInt64, digest: Digest, damaged: [Range<UInt64>]) {
        var ranges = damaged.isEmpty ? [0..<size] : damaged
        if ranges.count > Self.maxRanges {
            let rest = ranges[Self.maxRanges - 1].lowerBound..<ranges[ranges.count - 1].upperBound
            ranges = ranges.prefix(Self.maxRanges - 1) + [rest]
        }
        guard let last = ranges.last, last.upperBound <= size else { return nil }
        self.init(digest: digest, ranges: ranges)
    }

    /// How many chunks of the usual size are damaged.
    package var chunkCount: UInt32 {
        let count = self.ranges.reduce(0) { $0 + Self.chunkCount(of: $1.upperBound - $1.lowerBound) }
        return UInt32(clamping: count)
    }

    /// How many chunks of the usual size make `length` bytes; one at least.
    package static func chunkCount(of length: UInt64) -> UInt64 {
        let size = UInt64(Chunk.defaultSize)
        return max(1, length / size + (length % size == 0 ? 0 : 1))
    }
}
