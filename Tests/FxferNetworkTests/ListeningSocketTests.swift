import FxferProtocol
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import FxferNetwork

@Suite("A listening socket")
struct ListeningSocketTests {
    /// The port of an IPv4 or IPv6 socket.
    private static func port(of descriptor: CInt) throws -> Int {
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        try #require(result == 0)
        // The port has the same place in sockaddr_in.
        return Int(UInt16(bigEndian: address.sin6_port))
    }

    @Test("takes a free port for 0, is not inherited, and does not block")
    func flags() throws {
        let descriptor = try #require(ListeningSocket.open(address: "127.0.0.1", port: 0).take())
        defer { close(descriptor) }
        #expect(try Self.port(of: descriptor) > 0)
        #expect(fcntl(descriptor, F_GETFD, 0) & FD_CLOEXEC != 0)
        #expect(fcntl(descriptor, F_GETFL, 0) & O_NONBLOCK != 0)
    }

    @Test("refuses a port that is taken", arguments: ["127.0.0.1", nil])
    func inUse(address: String?) throws {
        let descriptor = try #require(ListeningSocket.open(address: address, port: 0).take())
        defer { close(descriptor) }
        let port = try Self.port(of: descriptor)
        let error = #expect(throws: FxferError.self) {
            try ListeningSocket.open(address: address, port: port)
        }
        #expect(error?.code == .cannotConnect)
    }

    @Test("knows where it listens, until it is taken", arguments: ["127.0.0.1", "::1"])
    func endpoint(address: String) throws {
        let socket = try ListeningSocket.open(address: address, port: 0)
        let endpoint = socket.endpoint
        let descriptor = try #require(socket.take())
        defer { close(descriptor) }
        #expect(endpoint == Endpoint(host: address, port: try Self.port(of: descriptor)))
        #expect(socket.endpoint == nil)
    }

    @Test("names the option that chooses another place")
    func option() {
        let error = #expect(throws: FxferError.self) {
            try ListeningSocket.open(address: "192.0.2.1", port: 0, option: "--metrics")
        }
        #expect(error?.message.contains("--metrics") == true)
    }

    @Test("refuses an address that is none or of another machine", arguments: ["nonsense.invalid", "192.0.2.1", ""])
    func strange(address: String) {
        let error = #expect(throws: FxferError.self) { try ListeningSocket.open(address: address, port: 0) }
        #expect(error?.code == .cannotConnect)
    }

    @Test("goes to one owner")
    func taken() throws {
        let socket = try ListeningSocket.open(address: "127.0.0.1", port: 0)
        let descriptor = try #require(socket.take())
        defer { close(descriptor) }
        #expect(socket.take() == nil)
    }

    @Test("has one server only")
    func once() async throws {
        let socket = try ListeningSocket.open(address: "127.0.0.1", port: 0)
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        let listener = try await bootstrap.listen(on: socket) { _ in }
        let error = await #expect(throws: FxferError.self) {
            try await bootstrap.listen(on: socket) { _ in }
        }
        #expect(error?.code == .internal)
        try await listener.executeThenClose { _ in }
    }

    @Test("that is inherited has to listen for TCP connections", arguments: [SOCK_DGRAM, SOCK_STREAM])
    func inherited(type: __socket_type) throws {
        let descriptor = socket(AF_INET, CInt(type.rawValue), 0)
        defer { close(descriptor) }
        let error = #expect(throws: FxferError.self) { try ListeningSocket.inherit(descriptor) }
        #expect(error?.code == .usage)
        #expect(fcntl(descriptor, F_GETFD, 0) == 0)
    }
}
