import FxferProtocol
import Testing

@Suite("The client's greeting")
struct ClientHandshakeTests {
    private static func answer(_ frame: Frame) throws(FxferError) -> Welcome {
        try ClientHandshake(chunkSize: Chunk.sizes.upperBound, nonce: Nonce(repeating: 0x11)).receive(frame)
    }

    private static func welcome(version: UInt16 = 1, files: UInt16 = 1, chunkSize: UInt32 = 65_536) -> Frame {
        let nonce = Nonce(repeating: 0x22)
        return .welcome(Welcome(version: version, filesInFlight: files, chunkSize: chunkSize, nonce: nonce))
    }

    @Test("HELLO names the versions, the wish, the capabilities and the nonce of this side")
    func hello() {
        let handshake = ClientHandshake(chunkSize: 70_000, nonce: Nonce(repeating: 0x11))
        let nonce = Nonce(repeating: 0x11)
        #expect(handshake.hello == Hello(versions: 1...1, chunkSize: 70_000, capabilities: 1, nonce: nonce))
    }

    @Test("WELCOME brings the terms", arguments: [65_536, 1 << 20, 16_777_216] as [UInt32])
    func terms(chunkSize: UInt32) throws {
        let welcome = try Self.answer(Self.welcome(files: .max, chunkSize: chunkSize))
        #expect(welcome.chunkSize == chunkSize)
        #expect(welcome.filesInFlight == .max)
    }

    @Test("a version that was not offered is refused", arguments: [0, 2, .max] as [UInt16])
    func version(version: UInt16) {
        let error = #expect(throws: FxferError.self) { try Self.answer(Self.welcome(version: version)) }
        #expect(error?.code == .unsupportedVersion)
    }

    @Test(
        "a chunk size over the wish is refused, but not the least there is",
        arguments: [65_537, 1 << 20] as [UInt32]
    )
    func overTheWish(chunkSize: UInt32) throws {
        let handshake = ClientHandshake(chunkSize: 0, nonce: Nonce(repeating: 0x11))
        let error = #expect(throws: FxferError.self) { try handshake.receive(Self.welcome(chunkSize: chunkSize)) }
        #expect(error?.code == .protocolViolation)
        #expect(try handshake.receive(Self.welcome(chunkSize: 65_536)).chunkSize == 65_536)
    }

    @Test("a chunk size out of the limits is refused", arguments: [0, 65_535, 16_777_217, .max] as [UInt32])
    func chunkSize(chunkSize: UInt32) {
        let error = #expect(throws: FxferError.self) { try Self.answer(Self.welcome(chunkSize: chunkSize)) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("terms under which no file could be sent are refused")
    func noFiles() {
        let error = #expect(throws: FxferError.self) { try Self.answer(Self.welcome(files: 0)) }
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
}
