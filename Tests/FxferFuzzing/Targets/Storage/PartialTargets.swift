import FxferProtocol
import NIOCore

@testable import FxferStorage

extension FuzzTarget {
    private static let header = PartialHeader(
        // The bytes are a good path.
        path: (try? RelativePath(bytes: Array("d/é".utf8))) ?? Self.anyPath,
        created: FileTime(seconds: 1_700_000_000, nanoseconds: 1),
        size: 1 << 30,
        modified: FileTime(seconds: -1, nanoseconds: 999_999_999)
    )

    private static var anyPath: RelativePath { preconditionFailure("a good path is taken") }

    /// A partial's header is read as it was written, and a damaged one is none.
    ///
    /// Input: a byte that says whether the checksum is to be put right; the header, with or without what follows it.
    static let partialHeader = FuzzTarget(
        "partial-header",
        maxLength: PartialHeader.maxByteCount + 64,
        seeds: [
            [0] + Array(Self.header.encoded.readableBytesView),
            [1] + Array(Self.header.encoded.readableBytesView.dropLast(Digest.byteCount)),
        ]
    ) { bytes in
        var input = FuzzInput(bytes)
        let isPutRight = input.flag()
        var journal = ByteBuffer(bytes: input.rest)
        if isPutRight { journal.writeBytes(Digest(ofContent: Array(input.rest)).bytes) }
        guard let header = PartialHeader(journal) else { return }
        let encoded = header.encoded
        try require(encoded.readableBytes == header.byteCount, "a header has another size than it says")
        try require(PartialHeader(encoded) == header, "a header is read as another")
        for index in encoded.readableBytesView.indices.prefix(200) {
            var damaged = encoded
            damaged.setInteger(encoded.readableBytesView[index] ^ 1, at: index)
            try require(PartialHeader(damaged) == nil, "a damaged header is read")
        }
    }

    /// The records of a journal are read as long as they make sense.
    ///
    /// Input: two numbers for the limit, and what is behind the header.
    static let partialRecords = FuzzTarget(
        "partial-records",
        seeds: [
            [0, 9] + (1...5).flatMap { PartialRecord(length: UInt64($0), digest: .zero).encoded.readableBytesView },
            [0, 3, 0, 1],
        ]
    ) { bytes in
        var input = FuzzInput(bytes)
        let limit = UInt64(input.integer(UInt16.self)) << UInt64(input.choice(64))
        let content = Array(input.rest)
        let file = try scratchFile(Array(Self.header.encoded.readableBytesView) + content)
        let journal = PartialJournal(file, Self.header)
        try require(try journal.isOfItsFile(), "a journal is of another file")
        var records = PartialRecords(upTo: limit)
        var last: UInt64 = 0
        while let record = try journal.next(of: &records) {
            try require(record.length > last && record.length <= limit, "a record makes no sense")
            last = record.length
            let start = Int(records.count - 1) * PartialRecord.byteCount
            let bytes = content[start..<start + PartialRecord.byteCount]
            try require(record.encoded.readableBytesView.elementsEqual(bytes), "a record is read as another")
        }
        try require(Int(records.count) <= content.count / PartialRecord.byteCount, "a torn record is read")
    }

    /// The states of a hash are read as they were written, and a damaged file has none.
    ///
    /// Input: a byte that says whether the checksum is to be put right; the file's size; the encoded states.
    static let hashStates = FuzzTarget(
        "hash-states",
        seeds: [Self.states(3), Self.states(1)].flatMap { states -> [[UInt8]] in
            let size = UInt64(states.states.count + 1) << 20
            let encoded = Array(states.encoded(size: size).readableBytesView)
            let prefix = withUnsafeBytes(of: size.bigEndian, Array.init)
            return [[0] + prefix + encoded, [1] + prefix + encoded.dropLast(Digest.byteCount)]
        }
    ) { bytes in
        var input = FuzzInput(bytes)
        let isPutRight = input.flag()
        let size: UInt64 = input.integer()
        var encoded = ByteBuffer(bytes: input.rest)
        if isPutRight { encoded.writeBytes(Digest(ofContent: Array(input.rest)).bytes) }
        guard var states = HashStates(encoded, size: size) else { return }
        try require(states.encoded(size: size) == encoded, "states can be written otherwise")
        try require(states.fits(size) && !states.isEmpty, "the states do not fit the file")
        try require(HashStates(encoded, size: size ^ 1 << 63) == nil, "states are another file's, too")
        var end: UInt64 = 0
        for index in 0..<states.stepCount {
            let step = states.step(index, of: size)
            try require(step.lowerBound == end && !step.isEmpty, "the steps do not follow each other")
            end = step.upperBound
        }
        try require(end == size, "the steps do not make the file")
        states.truncate(to: size / 2)
        try require(states.fits(size / 2), "truncated states do not fit")
    }

    private static func states(_ count: Int) -> HashStates {
        var states = HashStates()
        for _ in 0..<count { states.add(.initial) }
        return states
    }
}
