import Glibc
import NIOCore
import NIOPosix
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

    @Test(
        "endpoints that are this machine for everyone",
        arguments: [
            ("127.0.0.1", true), ("127.1.2.3", true), ("::1", true), ("::ffff:127.0.0.1", true), ("localhost", true),
            ("192.0.2.7", false), ("::", false), ("0.0.0.0", false), ("localhost.example", false), ("", false),
        ]
    )
    func loopback(host: String, isLoopback: Bool) {
        #expect(SameMachine.isLoopback(Endpoint(host: host)) == isLoopback)
    }

    @Test("what stays on the machine is sent without pacing, by Reno")
    func unpaced() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let client = try await ClientBootstrap(group: group).connect(to: try #require(server.localAddress)).get()
        SameMachine.sendUnpaced(on: client)
        let socket = try #require(client as? any SocketOptionProvider)
        let name: UInt32 = try await socket.unsafeGetSocketOption(
            level: .tcp,
            name: NIOBSDSocket.Option(rawValue: TCP_CONGESTION)
        ).get()
        #expect(withUnsafeBytes(of: name) { String(decoding: $0, as: UTF8.self) } == "reno")
        try await client.close()
        try await server.close()
    }

    private func isSameMachine(_ peer: String, _ local: String) throws -> Bool {
        SameMachine.isSameMachine(
            peer: try SocketAddress(ipAddress: peer, port: 50_000),
            local: try SocketAddress(ipAddress: local, port: 3000)
        )
    }
}
