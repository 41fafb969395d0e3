import FxferProtocol
import Testing

/// The frame and the fields that repairing needs; the other frames are in ``FrameBytesTests``.
@Suite("Frames of repairing, as bytes")
struct FrameBytesOfRepairingTests {
    private static let prefix = FilePrefix(ofContent: [1, 2, 3])

    private static func accept(_ ranges: [Range<UInt64>]) -> Frame {
        let whole = FilePrefix(length: 3, digest: .ofNothing)
        return .accept(Accept(file: 7, prefix: whole, decay: Decay(digest: Self.prefix.digest, ranges: ranges)))
    }

    private static func receipt(_ repairedChunks: UInt32?) -> Frame {
        .receipt(
            Receipt(
                file: 7,
                outcome: .replaced,
                content: Self.prefix,
                path: Array("a/b".utf8),
                repairedChunks: repairedChunks
            )
        )
    }

    /// Made from the specification by hand and zlib, not by this code.
    static let examples: [(frame: Frame, bytes: [UInt8])] = [
        (.repair(Repair(file: 7)), hex("00000004 1a 000000 af06ce52 00000007 bf204abf")),
        (
            accept([0..<1, 2..<3]),
            hex(
                """
                00000070 11 000000 74550f5c
                00000007 0000000000000003
                e3b0c44298fc1c14 9afbf4c8996fb924 27ae41e4649b934c a495991b7852b855
                8002 0040
                039058c6f2c0cb49 2c533b0a4d14ef77 cc0f78abccced528 7d84a1a2011cfb81
                0000000000000000 0000000000000001 0000000000000002 0000000000000003
                2c87243f
                """
            )
        ),
        (
            receipt(258),
            hex(
                """
                0000003d 18 000000 a93edc2e
                00000007 02 000000 0000000000000003
                039058c6f2c0cb49 2c533b0a4d14ef77 cc0f78abccced528 7d84a1a2011cfb81
                0003 612f62
                8004 0004 00000102
                c8d44190
                """
            )
        ),
    ]

    @Test("a frame's bytes are those of the specification", arguments: Self.examples)
    func exactBytes(frame: Frame, bytes: [UInt8]) {
        #expect(frame.bytes == bytes)
        #expect(Decoded(behindPreamble: bytes).events == [.frame(frame)])
    }

    @Test("the largest damage that is told fits in a frame, which comes as it was")
    func largest() {
        let frame = Self.accept((0..<500).map { UInt64.max - 1000 + $0 * 2..<UInt64.max - 1000 + $0 * 2 + 1 })
        // What a peer may take at least, says the specification.
        #expect(frame.raw.body.count <= 8192)
        #expect(frame.raw.body.count > 8000)
        #expect(Decoded(behindPreamble: frame.bytes, .single).events == [.frame(frame)])
    }

    @Test("it comes beside the other field of ACCEPT, in any order")
    func besides() {
        var accept = Accept(file: 7, prefix: Self.prefix, newFolderLength: 258, decay: Self.decay([0..<1]))
        #expect(Decoded(behindPreamble: Frame.accept(accept).bytes).events == [.frame(.accept(accept))])
        accept.newFolderLength = nil
        var raw = Frame.accept(accept).raw
        raw.body += hex("8001 0002 0102")
        accept.newFolderLength = 258
        #expect(Decoded(behindPreamble: raw.bytes).events == [.frame(.accept(accept))])
    }

    private static func decay(_ ranges: [Range<UInt64>]) -> Decay? {
        Decay(digest: Self.prefix.digest, ranges: ranges)
    }

    private static let digest = Self.prefix.digest.bytes

    private static func bytes(_ numbers: [UInt64]) -> [UInt8] {
        Self.digest + numbers.flatMap { bigEndian($0) }
    }

    static let malformedFields: [(why: String, value: [UInt8])] = [
        ("nothing", []),
        ("a byte of a digest", [0]),
        ("a digest that is cut", digest.dropLast()),
        ("no range", digest),
        ("a byte of a range", digest + [0]),
        ("half a range", bytes([0])),
        ("a range that is cut", bytes([0, 1]).dropLast()),
        ("a byte behind the range", bytes([0, 1]) + [0]),
        ("one range and a half", bytes([0, 1, 2])),
        ("an empty range", bytes([0, 0])),
        ("an empty range behind another", bytes([0, 1, 2, 2])),
        ("a range the wrong way round", bytes([1, 0])),
        ("the widest range the wrong way round", bytes([.max, 0])),
        ("overlapping ranges", bytes([0, 2, 1, 3])),
        ("adjacent ranges", bytes([0, 1, 1, 2])),
        ("descending ranges", bytes([2, 3, 0, 1])),
        ("the same range twice", bytes([0, 1, 0, 1])),
        ("501 ranges", bytes((0..<501).flatMap { [$0 * 2, $0 * 2 + 1] })),
        ("4,000 ranges", bytes((0..<4000).flatMap { [$0 * 2, $0 * 2 + 1] })),
    ]

    @Test("damage that cannot be breaks the protocol", arguments: Self.malformedFields)
    func malformed(why: String, value: [UInt8]) {
        var raw = Frame.accept(Accept(file: 7, prefix: Self.prefix)).raw
        raw.body += [0x80, 0x02] + bigEndian(UInt16(value.count)) + value
        let decoded = Decoded(behindPreamble: raw.bytes)
        #expect(decoded.code == .protocolViolation, "\(why)")
        #expect(decoded.frames == [])
    }

    @Test("ranges up to 2^64-1 are read without a trap: whether they can be is for the sender to judge")
    func huge() {
        var raw = Frame.accept(Accept(file: 7, prefix: Self.prefix)).raw
        let value = Self.bytes([0, 1, 2, .max])
        raw.body += [0x80, 0x02, 0, UInt8(value.count)] + value
        let accept = Accept(file: 7, prefix: Self.prefix, decay: Self.decay([0..<1, 2..<UInt64.max]))
        #expect(Decoded(behindPreamble: raw.bytes).events == [.frame(.accept(accept))])
    }

    @Test("a flipped bit anywhere in ACCEPT with the field is noticed")
    func flipped() {
        let bytes = Self.accept([0..<1, 2..<3]).bytes
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            let decoded = Decoded(behindPreamble: damaged)
            #expect(decoded.code == .damaged, "bit \(bit)")
            #expect(decoded.events.isEmpty, "bit \(bit)")
        }
    }

    @Test(
        "replaced chunks of another length than four bytes, and none of them, are not told of; the last field counts",
        arguments: [
            ("8004 0000", nil), ("8004 0003 000001", nil), ("8004 0005 0000000001", nil),
            ("8004 0004 00000000", nil), ("8004 0004 ffffffff", .max), ("8004 0004 00000001 8004 0004 00000002", 2),
            ("8003 0001 03 8004 0004 00000005", 5), ("8009 0001 00 8004 0004 00010000", 65_536),
        ] as [(fields: String, count: UInt32?)]
    )
    func repairedChunks(fields: String, count: UInt32?) {
        var raw = Self.receipt(nil).raw
        raw.body += hex(fields)
        guard case .receipt(let receipt) = Decoded(behindPreamble: raw.bytes).frames.first else {
            Issue.record("RECEIPT was not read")
            return
        }
        #expect(receipt.repairedChunks == count)
        #expect(receipt.content == Self.prefix)
    }

    @Test("nothing is written of no replaced chunks")
    func none() {
        #expect(Self.receipt(nil).raw.body.count + 8 == Self.receipt(1).raw.body.count)
    }
}
