import FxferProtocol
import Testing

@Suite("Agreeing on levels of durability")
struct LevelHandshakeTests {
    private static let nonce = Nonce(repeating: 0x22)

    private static func answer(_ level: Durability, granted: UInt64) throws -> ClientHandshake.Step {
        var handshake = ClientHandshake(chunkSize: 65_536, nonce: Self.nonce, level: level)
        let welcome = Welcome(
            version: 1,
            filesInFlight: 1,
            chunkSize: 65_536,
            capabilities: granted,
            nonce: Self.nonce
        )
        return try handshake.receive(.welcome(welcome))
    }

    @Test("a client asks for levels where it wants another than durable", arguments: Durability.allCases)
    func hello(level: Durability) {
        let handshake = ClientHandshake(chunkSize: 65_536, nonce: Self.nonce, level: level)
        #expect(handshake.hello.capabilities == (level == .durable ? 1 : 9))
    }

    @Test("a server without levels is enough for what is durable at the most", arguments: Durability.allCases)
    func withoutLevels(level: Durability) throws {
        guard level == .media else {
            _ = try Self.answer(level, granted: 0)
            return
        }
        let error = #expect(throws: FxferError.self) { try Self.answer(level, granted: 1) }
        #expect(error?.code == .notPermitted)
    }

    @Test("a server with levels is enough for all", arguments: [Durability.verified, .media])
    func withLevels(level: Durability) throws {
        guard case .begin(let welcome) = try Self.answer(level, granted: 8) else {
            Issue.record("WELCOME does not begin the work")
            return
        }
        #expect(welcome.capabilities == 8)
    }

    @Test("levels that were not asked for are refused")
    func unasked() {
        let error = #expect(throws: FxferError.self) { try Self.answer(.durable, granted: 8) }
        #expect(error?.code == .protocolViolation)
    }
}
