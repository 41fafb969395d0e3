import FxferProtocol
import Testing

@Suite("The client's greeting")
struct ClientHandshakeTests {
    private static let nonces = Nonces(client: Nonce(repeating: 0x11), server: Nonce(repeating: 0x22))

    private static func answer(_ frame: Frame, wish: UInt32 = Chunk.sizes.upperBound) throws -> Welcome {
        var handshake = ClientHandshake(chunkSize: wish, nonce: Self.nonces.client)
        guard case .begin(let welcome) = try handshake.receive(frame) else { throw NoWelcome() }
        return welcome
    }

    private struct NoWelcome: Error {}

    private static func welcome(
        version: UInt16 = 1,
        files: UInt16 = 1,
        chunkSize: UInt32 = 65_536,
        capabilities: UInt64 = 0
    ) -> Welcome {
        Welcome(
            version: version,
            filesInFlight: files,
            chunkSize: chunkSize,
            capabilities: capabilities,
            nonce: Self.nonces.server
        )
    }

    /// A handshake of a client with a token, and the server's answer to it.
    private static func proving(capabilities: UInt64 = 2) throws -> (ClientHandshake, ClientHandshake.Step) {
        var handshake = ClientHandshake(chunkSize: 65_536, nonce: Self.nonces.client, hasToken: true)
        let step = try handshake.receive(.welcome(Self.welcome(capabilities: capabilities)))
        return (handshake, step)
    }

    @Test("HELLO names the versions, the wish, the capabilities and the nonce of this side")
    func hello() {
        let handshake = ClientHandshake(chunkSize: 70_000, nonce: Nonce(repeating: 0x11))
        let nonce = Nonce(repeating: 0x11)
        #expect(handshake.hello == Hello(versions: 1...1, chunkSize: 70_000, capabilities: 1, nonce: nonce))
    }

    @Test("WELCOME brings the terms", arguments: [65_536, 1 << 20, 16_777_216] as [UInt32])
    func terms(chunkSize: UInt32) throws {
        let welcome = try Self.answer(.welcome(Self.welcome(files: .max, chunkSize: chunkSize)))
        #expect(welcome.chunkSize == chunkSize)
        #expect(welcome.filesInFlight == .max)
    }

    @Test("a version that was not offered is refused", arguments: [0, 2, .max] as [UInt16])
    func version(version: UInt16) {
        let error = #expect(throws: FxferError.self) { try Self.answer(.welcome(Self.welcome(version: version))) }
        #expect(error?.code == .unsupportedVersion)
    }

    @Test(
        "a chunk size over the wish is refused, but not the least there is",
        arguments: [65_537, 1 << 20] as [UInt32]
    )
    func overTheWish(chunkSize: UInt32) throws {
        let error = #expect(throws: FxferError.self) {
            try Self.answer(.welcome(Self.welcome(chunkSize: chunkSize)), wish: 0)
        }
        #expect(error?.code == .protocolViolation)
        #expect(try Self.answer(.welcome(Self.welcome(chunkSize: 65_536)), wish: 0).chunkSize == 65_536)
    }

    @Test("a chunk size out of the limits is refused", arguments: [0, 65_535, 16_777_217, .max] as [UInt32])
    func chunkSize(chunkSize: UInt32) {
        let error = #expect(throws: FxferError.self) { try Self.answer(.welcome(Self.welcome(chunkSize: chunkSize))) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("terms under which no file could be sent are refused")
    func noFiles() {
        let error = #expect(throws: FxferError.self) { try Self.answer(.welcome(Self.welcome(files: 0))) }
        #expect(error?.code == .protocolViolation)
    }

    @Test(
        "the server's ERROR is the client's error",
        arguments: [.busy, .notPermitted, .shuttingDown] as [FxferError.Code]
    )
    func failure(code: FxferError.Code) {
        let failure = SessionFailure(code: WireCode(code), message: "go away")
        let error = #expect(throws: FxferError.self) { try Self.answer(.error(failure)) }
        #expect(error?.code == code)
    }

    @Test(
        "any other first frame breaks the protocol",
        arguments: Frame.samples.filter { $0.type != .welcome && $0.type != .error }
    )
    func otherFrame(frame: Frame) {
        let error = #expect(throws: FxferError.self) { try Self.answer(frame) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("with a token HELLO asks for the proof, and WELCOME is answered with the client's own")
    func proof() throws {
        let (handshake, step) = try Self.proving()
        #expect(handshake.hello.capabilities == 3)
        #expect(step == .prove(Self.nonces))
    }

    @Test("the work begins when the server's proof is checked")
    func serversProof() throws {
        var (handshake, _) = try Self.proving(capabilities: 3)
        let step = try handshake.receive(.auth(Auth(proof: .ofNothing)))
        #expect(step == .check(proof: .ofNothing, Self.nonces, Self.welcome(capabilities: 3)))
    }

    @Test("a server that wants no proof is not trusted by a client that has a token", arguments: [0, 1] as [UInt64])
    func withoutProof(capabilities: UInt64) {
        let error = #expect(throws: FxferError.self) { try Self.proving(capabilities: capabilities) }
        #expect(error?.code == .notPermitted)
    }

    @Test("a capability that was not asked for is refused", arguments: [2, 3, 4] as [UInt64])
    func unasked(capabilities: UInt64) {
        let error = #expect(throws: FxferError.self) {
            try Self.answer(.welcome(Self.welcome(capabilities: capabilities)))
        }
        #expect(error?.code == .protocolViolation)
    }

    @Test(
        "instead of the server's proof nothing but ERROR is taken",
        arguments: Frame.samples.filter { $0.type != .auth && $0.type != .error }
    )
    func insteadOfProof(frame: Frame) throws {
        var (handshake, _) = try Self.proving()
        let error = #expect(throws: FxferError.self) { try handshake.receive(frame) }
        #expect(error?.code == .protocolViolation)
    }
}
