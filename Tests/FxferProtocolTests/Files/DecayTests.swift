import FxferProtocol
import Testing

@Suite("What is said of a file that has decayed")
struct DecayTests {
    private static let digest = Digest.standIn(at: 1)

    static let impossibleRanges: [[Range<UInt64>]] = [
        [],
        [0..<0],
        [5..<5],
        [0..<1, 1..<2],
        [0..<2, 1..<3],
        [0..<9, 1..<3],
        [5..<6, 1..<2],
        [0..<1, 0..<1],
        [0..<1, 3..<3],
        (0..<501).map { $0 * 2..<$0 * 2 + 1 },
    ]

    @Test(
        "ranges are not empty, in ascending order, with gaps between them, and at most 500",
        arguments: Self.impossibleRanges
    )
    func impossible(ranges: [Range<UInt64>]) {
        #expect(Decay(digest: Self.digest, ranges: ranges) == nil)
    }

    @Test(
        "any others are taken as they are",
        arguments: [
            [0..<1], [0..<UInt64.max], [0..<1, 2..<3], [UInt64.max - 1..<UInt64.max],
            (0..<500).map { $0 * 2..<$0 * 2 + 1 },
        ] as [[Range<UInt64>]]
    )
    func possible(ranges: [Range<UInt64>]) throws {
        let decay = try #require(Decay(digest: Self.digest, ranges: ranges))
        #expect(decay.ranges == ranges)
        #expect(decay.digest == Self.digest)
    }

    @Test("where it is not known what is damaged, that is all")
    func unknown() {
        #expect(Decay(of: 7, digest: Self.digest, damaged: [])?.ranges == [0..<7])
        #expect(Decay(of: 7, digest: Self.digest, damaged: [3..<4])?.ranges == [3..<4])
    }

    @Test("a file does not have damage where it has no bytes", arguments: [[], [0..<1]] as [[Range<UInt64>]])
    func noBytes(damaged: [Range<UInt64>]) {
        #expect(Decay(of: 0, digest: Self.digest, damaged: damaged) == nil)
    }

    @Test("damage behind the end is none", arguments: [[7..<8], [0..<8], [1..<2, 6..<9]] as [[Range<UInt64>]])
    func behind(damaged: [Range<UInt64>]) {
        #expect(Decay(of: 7, digest: Self.digest, damaged: damaged) == nil)
    }

    @Test("of more than 500 ranges the last ones are told as one", arguments: [500, 501, 502, 10_000] as [UInt64])
    func merging(count: UInt64) throws {
        let damaged = (0..<count).map { $0 * 3..<$0 * 3 + 1 }
        let decay = try #require(Decay(of: count * 3, digest: Self.digest, damaged: damaged))
        #expect(decay.ranges.count == 500)
        #expect(Array(decay.ranges.prefix(499)) == Array(damaged.prefix(499)))
        #expect(decay.ranges.last == 499 * 3..<count * 3 - 2)
    }

    private static let chunk = UInt64(Chunk.defaultSize)

    @Test(
        "damage is counted in chunks of the usual size, at least one for each range",
        arguments: [
            ([0..<1], 1), ([0..<chunk], 1), ([5..<chunk + 5], 1), ([0..<chunk + 1], 2), ([0..<3 * chunk], 3),
            ([0..<1, 2..<3, 9..<chunk + 10], 4), ([0..<UInt64.max], .max),
        ] as [([Range<UInt64>], UInt32)]
    )
    func chunkCount(ranges: [Range<UInt64>], count: UInt32) {
        #expect(Decay(digest: Self.digest, ranges: ranges)?.chunkCount == count)
    }

    @Test(
        "a length has at least one chunk",
        arguments: [(0, 1), (1, 1), (chunk, 1), (chunk + 1, 2), (.max, 1 << 44)] as [(UInt64, UInt64)]
    )
    func chunks(length: UInt64, count: UInt64) {
        #expect(Decay.chunkCount(of: length) == count)
    }
}
