import FxferProtocol
import Testing

@Suite("Levels of durability in frames")
struct LevelFieldTests {
    private static func offer(_ level: Durability) -> Frame {
        .offer(Offer(file: 1, path: [0x61], attributes: FileAttributes(size: 0), level: level))
    }

    private static func receipt(_ level: Durability) -> Frame {
        .receipt(Receipt(file: 1, outcome: .stored, content: .empty, path: [0x61], level: level))
    }

    @Test(
        "the level is a field of one byte, and none where it is durable",
        arguments: [(.verified, [1]), (.durable, nil), (.media, [3])] as [(Durability, [UInt8]?)]
    )
    func bytes(level: Durability, value: [UInt8]?) {
        for (frame, plain, tag) in [
            (Self.offer(level), Self.offer(.durable), [0x80, 0x01] as [UInt8]),
            (Self.receipt(level), Self.receipt(.durable), [0x80, 0x03]),
        ] {
            let field = value.map { tag + [0, 1] + $0 } ?? []
            #expect(frame.raw.body == plain.raw.body + field)
            #expect(Decoded(behindPreamble: frame.bytes).events == [.frame(frame)])
        }
    }

    @Test("a level that is named as durable is that", arguments: [Self.offer(.durable), Self.receipt(.durable)])
    func named(frame: Frame) {
        var raw = frame.raw
        raw.body += [0x80, frame.type == .offer ? 1 : 3, 0, 1, 2]
        #expect(Decoded(behindPreamble: raw.bytes).events == [.frame(frame)])
    }

    @Test(
        "an unknown level breaks the protocol: what it asks for cannot be guessed",
        arguments: [[], [0], [4], [255], [2, 2]] as [[UInt8]]
    )
    func unknown(value: [UInt8]) {
        for frame in [Self.offer(.durable), Self.receipt(.durable)] {
            var raw = frame.raw
            raw.body += [0x80, frame.type == .offer ? 1 : 3, 0, UInt8(value.count)] + value
            let decoded = Decoded(behindPreamble: raw.bytes)
            #expect(decoded.frames == [])
            #expect(decoded.code == .protocolViolation)
        }
    }
}
