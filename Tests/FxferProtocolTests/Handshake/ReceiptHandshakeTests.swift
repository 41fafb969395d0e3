import FxferProtocol
import Testing

@Suite("Agreeing on signed receipts")
struct ReceiptHandshakeTests {
    private static let key = [UInt8](repeating: 0x55, count: 91)
    private static let nonce = Nonce(repeating: 0x22)

    private static func welcome(capabilities: UInt64, key: [UInt8]?) -> Frame {
        .welcome(
            Welcome(
                version: 1,
                filesInFlight: 1,
                chunkSize: 65_536,
                capabilities: capabilities,
                nonce: Self.nonce,
                receiptKey: key
            )
        )
    }

    private static func answer(to frame: Frame, wantsReceipts: Bool = true) throws -> ClientHandshake.Step {
        var handshake = ClientHandshake(chunkSize: 65_536, nonce: Self.nonce, wantsReceipts: wantsReceipts)
        return try handshake.receive(frame)
    }

    @Test("a client asks for signed receipts only where it wants them", arguments: [false, true], [false, true])
    func hello(hasToken: Bool, wantsReceipts: Bool) {
        let handshake = ClientHandshake(
            chunkSize: 65_536,
            nonce: Self.nonce,
            hasToken: hasToken,
            wantsReceipts: wantsReceipts
        )
        #expect(handshake.hello.capabilities == 1 + (hasToken ? 2 : 0) + (wantsReceipts ? 4 : 0))
    }

    @Test("where the server signs, the work begins, with its key")
    func granted() throws {
        let frame = Self.welcome(capabilities: 5, key: Self.key)
        guard case .begin(let welcome) = try Self.answer(to: frame) else {
            Issue.record("WELCOME does not begin the work")
            return
        }
        #expect(welcome.receiptKey == Self.key)
    }

    @Test("a server that does not sign is sent nothing", arguments: [0, 1] as [UInt64])
    func refused(capabilities: UInt64) {
        for key in [nil, Self.key] {
            let error = #expect(throws: FxferError.self) {
                try Self.answer(to: Self.welcome(capabilities: capabilities, key: key))
            }
            #expect(error?.code == .notPermitted)
        }
    }

    @Test("a server that signs has to name its key")
    func withoutKey() {
        let error = #expect(throws: FxferError.self) { try Self.answer(to: Self.welcome(capabilities: 4, key: nil)) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("signing that was not asked for is refused")
    func unasked() {
        let error = #expect(throws: FxferError.self) {
            try Self.answer(to: Self.welcome(capabilities: 4, key: Self.key), wantsReceipts: false)
        }
        #expect(error?.code == .protocolViolation)
    }

    @Test(
        "a server grants signing, and names its key, to those who ask, where it has one",
        arguments: [
            (0, true, 0), (1, true, 1), (4, true, 4), (5, true, 5), (.max, true, 5), (4, false, 0), (5, false, 1),
        ] as [(wish: UInt64, hasKey: Bool, agreed: UInt64)]
    )
    func server(wish: UInt64, hasKey: Bool, agreed: UInt64) throws {
        var handshake = ServerHandshake(
            filesInFlight: 5,
            capabilities: .share,
            receiptKey: hasKey ? Self.key : nil
        )
        let hello = Hello(versions: 1...1, chunkSize: 65_536, capabilities: wish, nonce: Nonce(repeating: 1))
        guard case .begin(let welcome) = try handshake.receive(.hello(hello), nonce: Self.nonce) else {
            Issue.record("HELLO is not answered by WELCOME")
            return
        }
        #expect(welcome.capabilities == agreed)
        #expect(welcome.receiptKey == (agreed & 4 == 0 ? nil : Self.key))
    }
}
