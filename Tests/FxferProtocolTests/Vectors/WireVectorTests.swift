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
        var server = MemoryServer(filesInFlight: vector.filesInFlight)
        for piece in pieces.cut(ByteBuffer(bytes: vector.stream)) {
            server.receive(piece)
        }
        let answers = Decoded(Array(server.takeOutput().readableBytesView))
        #expect(answers.code == nil)
        #expect(answers.isAtBoundary)
        #expect(server.published == vector.published)
        #expect(server.folders == vector.folders)
        let folders = Dictionary(uniqueKeysWithValues: vector.folders.map { ($0, FilePrefix.empty) })
        #expect(Self.receipts(answers) == vector.published.merging(folders) { $1 })
        Self.check(vector, answers, isGoodbyeSaid: server.isGoodbyeSaid)
        if let chunkSize = vector.chunkSize {
            #expect(Self.agreedChunkSize(answers) == chunkSize)
        }
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
            "comment: x\nexpect: ok\npublished: 00 1 a\n\n", "comment: x\nexpect: ok\nfolder: \n\n",
            "comment: x\nexpect: ok\nexpect: ok\n\n", "comment x\n\n",
        ]
    )
    func malformed(text: String) {
        #expect(throws: WireVector.Malformed.self) { try WireVector(name: "x", Array(text.utf8)) }
    }
}
