import NIOCore
import Testing

@testable import FxferNetwork

@Suite("the machine is the trust boundary")
struct SameMachineTests {
    @Test(
        "loopback addresses and the connection's own address are this machine",
        arguments: [
            ("127.0.0.1", "127.0.0.1"),
            ("127.9.8.7", "127.0.0.1"),
            ("::1", "::1"),
            ("::ffff:127.0.0.1", "::ffff:127.0.0.1"),
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::7"),
        ]
    )
    func same(peer: String, local: String) throws {
        #expect(try self.isSameMachine(peer, local))
    }

    @Test(
        "every other address is another machine",
        arguments: [
            ("192.0.2.8", "192.0.2.7"),
            ("::ffff:192.0.2.8", "192.0.2.7"),
            ("2001:db8::8", "2001:db8::7"),
            ("::", "2001:db8::7"),
            ("::7f00:1", "2001:db8::7"),
            ("128.0.0.1", "192.0.2.7"),
            ("0.0.0.0", "192.0.2.7"),
        ]
    )
    func other(peer: String, local: String) throws {
        #expect(try !self.isSameMachine(peer, local))
    }

    private func isSameMachine(_ peer: String, _ local: String) throws -> Bool {
        SameMachine.isSameMachine(
            peer: try SocketAddress(ipAddress: peer, port: 50_000),
            local: try SocketAddress(ipAddress: local, port: 3000)
        )
    }
}
