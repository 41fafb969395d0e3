import FxferProtocol
import Testing

/// A byte flipped at any offset of a session: repaired, or a clear failure, never "stored".
@Suite("Damage on the way")
struct SessionDamageTests {
    typealias Source = MemoryClient.Source

    static let large: [Source] = {
        var generator = SeededGenerator(seed: 5)
        return [
            Source("large", generator.bytes(200_000)),
            Source("d/stream", generator.bytes(70_000), FileAttributes()),
            Source("d/chunk", generator.bytes(65_536)),
            Source("small", generator.bytes(100)),
        ]
    }()

    static let small: [Source] = [
        Source("empty", []), Source("d/one", [1]), Source("stream", [1, 2, 3], FileAttributes()),
    ]

    /// The streams of a session without damage.
    private static func lengths(_ sources: [Source]) -> [MemorySession.Direction: Int] {
        var session = MemorySession(MemoryClient(sources))
        session.run()
        return session.streams.mapValues(\.count)
    }

    static let largeLengths = Self.lengths(Self.large)
    static let smallLengths = Self.lengths(Self.small)

    @Test("a flipped byte in a session of large files never stores wrong bytes", arguments: 0..<32)
    func large(batch: Int) {
        var generator = SeededGenerator(seed: batch)
        for _ in 0..<40 {
            // Two of three in the data's direction.
            let direction: MemorySession.Direction =
                Int.random(in: 0..<3, using: &generator) == 0 ? .toClient : .toServer
            let damage = MemorySession.Damage(
                direction: direction,
                offset: Int.random(in: 0..<(Self.largeLengths[direction] ?? 1), using: &generator),
                mask: UInt8.random(in: 1...UInt8.max, using: &generator)
            )
            let pieces = Pieces.random(seed: generator.next())
            Self.check(MemorySession(MemoryClient(Self.large), pieces: pieces, damage: damage), Self.large)
        }
    }

    @Test(
        "a flipped byte at any offset of a session of small files never stores wrong bytes",
        arguments: MemorySession.Direction.allCases,
        [0x01, 0xFF] as [UInt8]
    )
    func everyOffset(direction: MemorySession.Direction, mask: UInt8) {
        for offset in 0..<(Self.smallLengths[direction] ?? 0) {
            let damage = MemorySession.Damage(direction: direction, offset: offset, mask: mask)
            Self.check(MemorySession(MemoryClient(Self.small), damage: damage), Self.small)
        }
    }

    @Test("a flipped byte of a payload, or of its digest, is repaired", arguments: 0..<30)
    func repaired(seed: Int) throws {
        var generator = SeededGenerator(seed: seed)
        // The stream ends with FINISH and BYE; before it is the last chunk's digest, and before that its payload.
        let sources = [Source("a", generator.bytes(150_000))]
        let length: Int = try #require(Self.lengths(sources)[.toServer])
        let lastFrames: Int = Frame.bye.bytes.count + Frame.finish(Finish(file: 1, content: .empty)).bytes.count
        let lastChunk: Int = 150_000 - 2 * 65_536 + Digest.byteCount
        let distance = Int.random(in: 1...lastChunk, using: &generator)
        let damage = MemorySession.Damage(direction: .toServer, offset: length - lastFrames - distance, mask: 1)
        var session = MemorySession(MemoryClient(sources), damage: damage)
        session.run()
        #expect(session.isSound)
        #expect(session.server.rewinds == 1)
        #expect(session.server.published == sources.contents)
        #expect(session.client.receipts.count == 1)
    }

    private static func check(_ session: MemorySession, _ sources: [Source]) {
        var session = session
        session.run()
        let contents = sources.contents
        #expect(session.server.published.allSatisfy { contents[$0.key] == $0.value })
        #expect(session.client.receipts.keys.allSatisfy { session.server.published[$0] != nil })
        if session.isSound {
            #expect(session.server.published == contents)
            #expect(session.client.receipts.count == sources.count)
        }
    }
}
