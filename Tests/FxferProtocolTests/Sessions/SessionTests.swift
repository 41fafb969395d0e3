import FxferProtocol
import Testing

@Suite("Whole sessions")
struct SessionTests {
    typealias Source = MemoryClient.Source

    /// Sizes around those of chunks, early and waiting, known and unknown.
    static let sources: [Source] = {
        var generator = SeededGenerator(seed: 3)
        let sizes = [0, 1, 65_535, 65_536, 65_537, 3 * 65_536]
        let known = sizes.map { Source("known/\($0)", generator.bytes($0)) }
        let unknown = [0, 65_536, 70_000].map { Source("unknown/\($0)", generator.bytes($0), FileAttributes()) }
        return known + unknown
    }()

    @Test("files of every size arrive, in any pieces", arguments: [Pieces.whole, .random(seed: 1), .random(seed: 2)])
    func allSizes(pieces: Pieces) {
        var session = MemorySession(MemoryClient(Self.sources), pieces: pieces)
        session.run()
        #expect(session.isSound)
        #expect(session.server.published == Self.sources.contents)
        #expect(session.server.isGoodbyeSaid)
        #expect(session.client.receipts.count == Self.sources.count)
        #expect(session.client.receipts.values.allSatisfy { $0.outcome == .stored })
    }

    @Test("files wait for their turn where few may be open", arguments: [1, 2, 5] as [UInt16])
    func fewAtOnce(filesInFlight: UInt16) {
        var session = MemorySession(MemoryClient(Self.sources), MemoryServer(filesInFlight: filesInFlight))
        session.run()
        #expect(session.isSound)
        #expect(session.server.published == Self.sources.contents)
    }

    @Test(
        "larger chunks are agreed on where the client asks for them",
        arguments: [0, 70_000, 1 << 20, .max] as [UInt32]
    )
    func chunkSizes(wish: UInt32) {
        var session = MemorySession(MemoryClient(Self.sources, chunkSize: wish))
        session.run()
        #expect(session.isSound)
        #expect(session.server.published == Self.sources.contents)
    }

    @Test("what is there already is not sent again where it is large, and kept in any case")
    func identical() {
        let server = MemoryServer(existing: Self.sources.contents)
        let known = Self.sources.filter { $0.attributes.size != nil }
        var session = MemorySession(MemoryClient(known), server)
        session.run()
        #expect(session.isSound)
        #expect(session.server.published == Self.sources.contents)
        #expect(session.client.receipts.count == known.count)
        #expect(session.client.receipts.values.allSatisfy { $0.outcome == .identical })
        #expect((session.streams[.toServer]?.count ?? 0) < 3 * 65_536)
    }

    @Test("what is there with other content is left as it is", arguments: [0, 1, 65_536, 65_537])
    func different(size: Int) {
        let path = Array("a".utf8)
        let existing = [path: FilePrefix(ofContent: Array(repeating: 1, count: size))]
        let sources = [Source("a", Array(repeating: 2, count: max(size, 1))), Source("b", [3])]
        var session = MemorySession(MemoryClient(sources), MemoryServer(existing: existing))
        session.run()
        #expect(session.isSound)
        let other = [Array("b".utf8): FilePrefix(ofContent: [3])]
        #expect(session.server.published == existing.merging(other) { old, _ in old })
        #expect(session.client.failures == [path: .exists])
        #expect(session.client.receipts.count == 1)
    }

    @Test("a server that shuts down refuses each file")
    func shuttingDown() {
        let refusal = FxferError(.shuttingDown, "going down")
        var session = MemorySession(MemoryClient(Self.sources), MemoryServer(refusal: refusal))
        session.run()
        #expect(session.isSound)
        #expect(session.server.published.isEmpty)
        #expect(session.client.failures.count == Self.sources.count)
        #expect(session.client.failures.values.allSatisfy { $0 == .shuttingDown })
    }
}
