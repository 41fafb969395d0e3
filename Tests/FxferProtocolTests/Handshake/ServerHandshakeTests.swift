import FxferProtocol
import Testing

@Suite("The server's greeting")
struct ServerHandshakeTests {
    private static let nonce = Nonce(repeating: 0x22)

    private static func answer(_ frame: Frame, capabilities: Capabilities = []) throws -> Welcome {
        var handshake = ServerHandshake(filesInFlight: 5, capabilities: capabilities)
        guard case .begin(let welcome) = try handshake.receive(frame, nonce: Self.nonce) else { throw NoWelcome() }
        return welcome
    }

    private struct NoWelcome: Error {}

    /// A server that takes tokens, and its answer to a client that asks for those capabilities.
    private static func proving(wish: UInt64 = 2) throws -> (ServerHandshake, ServerHandshake.Step) {
        var handshake = ServerHandshake(filesInFlight: 5, capabilities: [.share, .proof])
        let hello = Hello(versions: 1...1, chunkSize: 65_536, capabilities: wish, nonce: Nonce(repeating: 0x11))
        let step = try handshake.receive(.hello(hello), nonce: Self.nonce)
        return (handshake, step)
    }

    private static func hello(_ versions: ClosedRange<UInt16>, chunkSize: UInt32 = 1 << 20) -> Frame {
        .hello(Hello(versions: versions, chunkSize: chunkSize, nonce: Nonce(repeating: 0x11)))
    }

    @Test("HELLO is answered with the server's terms")
    func terms() throws {
        let welcome = try Self.answer(Self.hello(1...1))
        #expect(welcome == Welcome(version: 1, filesInFlight: 5, chunkSize: 1 << 20, nonce: Self.nonce))
    }

    @Test("the highest version of both is chosen", arguments: [1...1, 0...1, 1...2, 0...UInt16.max])
    func common(versions: ClosedRange<UInt16>) throws {
        #expect(try Self.answer(Self.hello(versions)).version == 1)
    }

    @Test("where no version is common the client is told", arguments: [0...0, 2...2, 2...UInt16.max])
    func nothingCommon(versions: ClosedRange<UInt16>) {
        let error = #expect(throws: FxferError.self) { try Self.answer(Self.hello(versions)) }
        #expect(error?.code == .unsupportedVersion)
    }

    @Test(
        "the wish for a chunk size is moved into the limits",
        arguments: [
            (0, 65_536), (65_535, 65_536), (65_536, 65_536), (70_000, 70_000), (16_777_216, 16_777_216),
            (16_777_217, 16_777_216), (.max, 16_777_216),
        ] as [(UInt32, UInt32)]
    )
    func chunkSize(wish: UInt32, agreed: UInt32) throws {
        #expect(try Self.answer(Self.hello(1...1, chunkSize: wish)).chunkSize == agreed)
    }

    @Test("a server grants no larger chunk than it takes", arguments: [(0, 65_536), (70_000, 70_000), (.max, 1 << 20)])
    func largestChunk(wish: UInt32, agreed: UInt32) throws {
        var handshake = ServerHandshake(filesInFlight: 5, largestChunk: 1 << 20)
        let step = try handshake.receive(Self.hello(1...1, chunkSize: wish), nonce: Self.nonce)
        #expect(step == .begin(Welcome(version: 1, filesInFlight: 5, chunkSize: agreed, nonce: Self.nonce)))
    }

    @Test(
        "only a capability that the client knows and the server grants is agreed on",
        arguments: [
            (wish: 0, granted: [], agreed: 0), (0, .share, 0), (1, [], 0), (1, .share, 1),
            (.max, [], 0), (.max, .share, 1), (.max - 1, .share, 0),
        ] as [(wish: UInt64, granted: Capabilities, agreed: UInt64)]
    )
    func capabilities(wish: UInt64, granted: Capabilities, agreed: UInt64) throws {
        let hello = Hello(versions: 1...1, chunkSize: 65_536, capabilities: wish, nonce: Nonce(repeating: 1))
        #expect(try Self.answer(.hello(hello), capabilities: granted).capabilities == agreed)
    }

    @Test("any other first frame breaks the protocol", arguments: Frame.samples.filter { $0.type != .hello })
    func otherFrame(frame: Frame) {
        let error = #expect(throws: FxferError.self) { try Self.answer(frame) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("a server that takes tokens demands the proof, and judges it over the nonces of both")
    func proof() throws {
        var (handshake, step) = try Self.proving(wish: 3)
        guard case .demandProof(let welcome) = step else {
            Issue.record("HELLO was answered by \(step)")
            return
        }
        #expect(welcome.capabilities == 3)
        #expect(!handshake.isDone)
        let judge = try handshake.receive(.auth(Auth(proof: .ofNothing)), nonce: Self.nonce)
        #expect(judge == .judge(proof: .ofNothing, Nonces(client: Nonce(repeating: 0x11), server: Self.nonce)))
        #expect(handshake.isDone)
    }

    @Test("a client without a token is told so", arguments: [0, 1, 4] as [UInt64])
    func withoutToken(wish: UInt64) {
        let error = #expect(throws: FxferError.self) { try Self.proving(wish: wish) }
        #expect(error?.code == .notPermitted)
        #expect(error?.message.contains("--token-file") == true)
    }

    @Test("before the proof nothing else is acted on", arguments: Frame.samples.filter { $0.type != .auth })
    func beforeProof(frame: Frame) throws {
        var (handshake, _) = try Self.proving()
        let error = #expect(throws: FxferError.self) { try handshake.receive(frame, nonce: Self.nonce) }
        #expect(error?.code == .notPermitted)
    }

    @Test("after the greeting there is no second one", arguments: Frame.samples)
    func second(frame: Frame) throws {
        var handshake = ServerHandshake(filesInFlight: 5)
        _ = try handshake.receive(Self.hello(1...1), nonce: Self.nonce)
        #expect(throws: FxferError.self) { try handshake.receive(frame, nonce: Self.nonce) }
    }
}
