import FxferProtocol
import NIOCore
import Testing

/// Recorded sessions, changed at random. A trap would end the whole run; that only what was verified is committed, and
/// only under good names, is watched by ``MemoryServer``.
@Suite("Mutated sessions")
struct SessionMutationTests {
    typealias Source = MemoryClient.Source

    static let sources: [Source] = [
        Source("d/a", Array("abc".utf8)),
        Source("b", Array(repeating: 7, count: 65_600)),
        Source("c", Array("stream".utf8), FileAttributes()),
        Source("d/empty", []),
    ]

    /// A session in which a chunk is damaged and sent again.
    static let recorded: [MemorySession.Direction: [UInt8]] = {
        let damage = MemorySession.Damage(direction: .toServer, offset: 1000, mask: 1)
        var session = MemorySession(MemoryClient(Self.sources), damage: damage)
        session.run()
        precondition(session.server.rewinds == 1 && session.server.published == Self.sources.contents)
        return session.streams
    }()

    static let clientUnits = StreamUnit.units(of: Self.recorded[.toServer] ?? [])
    static let serverUnits = StreamUnit.units(of: Self.recorded[.toClient] ?? [])

    @Test("recorded sessions are cut into frames without loss")
    func recording() {
        #expect(Preamble.bytes + Self.clientUnits.flatMap(\.bytes) == Self.recorded[.toServer])
        #expect(Preamble.bytes + Self.serverUnits.flatMap(\.bytes) == Self.recorded[.toClient])
        #expect(Self.clientUnits.count > 15)
    }

    @Test("a client's stream with changed bytes does no harm to a server", arguments: 0..<50)
    func bytes(batch: Int) {
        var generator = SeededGenerator(seed: batch)
        for _ in 0..<40 {
            var stream = Self.recorded[.toServer] ?? []
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                stream.mutate(&generator)
            }
            Self.serve(stream, .random(seed: generator.next()))
        }
    }

    @Test("a client's stream with changed frames does no harm to a server", arguments: 0..<50)
    func frames(batch: Int) {
        var generator = SeededGenerator(seed: batch)
        for _ in 0..<80 {
            var units = Self.clientUnits
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                units.mutate(&generator)
            }
            Self.serve(Preamble.bytes + units.flatMap(\.bytes), .random(seed: generator.next()))
        }
    }

    private static func serve(_ stream: [UInt8], _ pieces: Pieces) {
        var server = MemoryServer()
        for piece in pieces.cut(ByteBuffer(bytes: stream)) {
            server.receive(piece)
        }
        #expect(Decoded(Array(server.takeOutput().readableBytesView)).code == nil)
    }

    @Test("a server's stream with changed frames makes no client believe what is not true", arguments: 0..<50)
    func answers(batch: Int) {
        var generator = SeededGenerator(seed: batch)
        for _ in 0..<60 {
            var units = Self.serverUnits
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                units.mutate(&generator)
            }
            Self.answer(units, interleaved: Bool.random(using: &generator))
        }
    }

    /// - Parameter interleaved: whether the client does what it can after each frame, or after all.
    private static func answer(_ units: [StreamUnit], interleaved: Bool) {
        var client = MemoryClient(Self.sources)
        client.receive(ByteBuffer(bytes: Preamble.bytes))
        for unit in units {
            client.receive(ByteBuffer(bytes: unit.bytes))
            if interleaved { client.advance() }
        }
        client.advance()
        for source in Self.sources {
            guard let receipt = client.receipts[source.path] else { continue }
            #expect(receipt.content == FilePrefix(ofContent: source.content))
            #expect(receipt.path == source.path)
        }
    }

    @Test("random bytes do no harm to either side", arguments: 0..<20)
    func noise(batch: Int) {
        var generator = SeededGenerator(seed: batch)
        for _ in 0..<50 {
            let noise = generator.bytes(Int.random(in: 1...300, using: &generator))
            var server = MemoryServer()
            server.receive(ByteBuffer(bytes: Bool.random(using: &generator) ? Preamble.bytes + noise : noise))
            #expect(server.published.isEmpty)
            var client = MemoryClient(Self.sources)
            client.receive(ByteBuffer(bytes: Preamble.bytes + noise))
            client.advance()
            #expect(client.receipts.isEmpty)
        }
    }
}
