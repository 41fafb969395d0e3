import FxferProtocol
import NIOCore
import Testing

@Suite("Wire vectors")
struct WireVectorTests {
    @Test(
        "a server makes of a client's stream what the vector says",
        arguments: WireVector.names,
        [Pieces.whole, .single]
    )
    func vector(name: String, pieces: Pieces) throws {
        let vector = try WireVector(name: name)
        var server = try Self.server(for: vector)
        for piece in pieces.cut(ByteBuffer(bytes: vector.stream)) {
            server.receive(piece)
        }
        let answers = Decoded(Array(server.takeOutput().readableBytesView))
        #expect(answers.code == nil)
        #expect(answers.isAtBoundary)
        #expect(server.published == vector.published.merging(vector.kept) { $1 })
        #expect(server.folders == vector.folders)
        let folders = Dictionary(uniqueKeysWithValues: vector.folders.map { ($0, FilePrefix.empty) })
        #expect(Self.receipts(answers) == vector.published.merging(folders) { $1 })
        Self.check(vector, answers, isGoodbyeSaid: server.isGoodbyeSaid)
        if let chunkSize = vector.chunkSize {
            #expect(Self.agreedChunkSize(answers) == chunkSize)
        }
    }

    /// A server that is as the vector wants it: empty, or after another vector and what happened to its files.
    private static func server(for vector: WireVector) throws -> MemoryServer {
        guard let before = vector.before else { return MemoryServer(filesInFlight: vector.filesInFlight) }
        var server = MemoryServer()
        server.receive(ByteBuffer(bytes: try WireVector(name: before).stream))
        var decayed: [[UInt8]: MemoryServer.DecayedContent] = [:]
        for (path, offsets) in vector.decay {
            var bytes = try #require(server.contents[path])
            let stored = Digest(ofContent: bytes)
            for offset in offsets { bytes[offset] ^= 0xFF }
            let decay = try #require(Decay(of: UInt64(bytes.count), digest: stored, damaged: []))
            decayed[path] = MemoryServer.DecayedContent(bytes: bytes, decay: decay)
        }
        return MemoryServer(existing: server.published, decayed: decayed, filesInFlight: vector.filesInFlight)
    }

    /// Compares the answers with what the vector expects, as any implementation would.
    private static func check(_ vector: WireVector, _ answers: Decoded, isGoodbyeSaid: Bool) {
        let refusals = answers.frames.compactMap { if case .refuse(let failure) = $0 { failure.code } else { nil } }
        let errors = answers.frames.compactMap { if case .error(let failure) = $0 { failure.code } else { nil } }
        switch vector.expectation {
        case .ok:
            #expect(errors.isEmpty)
            #expect(refusals.isEmpty)
            #expect(isGoodbyeSaid)
        case .refuse(let code):
            #expect(errors.isEmpty)
            #expect(refusals.contains(code))
            #expect(isGoodbyeSaid)
        case .error(let code):
            #expect(errors == [code])
            #expect(answers.frames.last?.type == .error)
        case .incomplete:
            #expect(errors.isEmpty)
            #expect(!isGoodbyeSaid)
        }
    }

    private static func receipts(_ answers: Decoded) -> [[UInt8]: FilePrefix] {
        let receipts = answers.frames.compactMap { if case .receipt(let receipt) = $0 { receipt } else { nil } }
        return Dictionary(receipts.map { ($0.path, $0.content) }) { $1 }
    }

    private static func agreedChunkSize(_ answers: Decoded) -> UInt32? {
        guard case .welcome(let welcome) = answers.frames.first else { return nil }
        return welcome.chunkSize
    }

    @Test("there are vectors for every expectation")
    func completeness() throws {
        let expectations = try Set(WireVector.names.map { try WireVector(name: $0).expectation })
        #expect(WireVector.names.count > 50)
        #expect(expectations.isSuperset(of: [.ok, .incomplete, .refuse(WireCode(.nameRefused))]))
        #expect(expectations.isSuperset(of: [1, 2, 3, 4].map { .error(WireCode(rawValue: $0)) }))
    }

    @Test(
        "a file without the keys of a vector is none",
        arguments: [
            "", "\n", "comment: x\n", "comment: x\n\n", "expect: ok\n\n", "comment: x\nexpect: fine\n\n",
            "comment: x\nexpect: error\n\n", "comment: x\nexpect: error 65536\n\n",
            "comment: x\nexpect: ok\nwhat: 1\n\n",
            "comment: x\nexpect: ok\npublished: 00 1 a\n\n", "comment: x\nexpect: ok\nkept: 00 1 a\n\n",
            "comment: x\nexpect: ok\ndecay: a\n\n", "comment: x\nexpect: ok\ndecay: a 1\n\n",
            "comment: x\nexpect: ok\nbefore: a b\n\n", "comment: x\nexpect: ok\nbefore: a\nbefore: a\n\n",
            "comment: x\nexpect: ok\nfolder: \n\n",
            "comment: x\nexpect: ok\nexpect: ok\n\n", "comment x\n\n",
        ]
    )
    func malformed(text: String) {
        #expect(throws: WireVector.Malformed.self) { try WireVector(name: "x", Array(text.utf8)) }
    }
}
