import FxferNetwork
import FxferProtocol
import NIOCore
import NIOPosix
import Testing

@testable import FxferMetrics

@Suite("A metrics endpoint")
struct MetricsEndpointTests {
    @Test("closes its socket and its connections when it ends")
    func end() async throws {
        let socket = try ListeningSocket.open(address: "127.0.0.1", port: 0)
        let port = try #require(socket.endpoint?.port)
        let endpoint = MetricsEndpoint(socket: socket, registry: PrometheusRegistry())
        let running = Task { try await endpoint.run() }
        // The socket listens already: whoever connects waits until it is served, or turned away.
        let client = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port).get()
        running.cancel()
        _ = await running.result
        try await client.closeFuture.get()
        await #expect(throws: (any Error).self) {
            try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: "127.0.0.1", port: port).get()
        }
    }

    @Test("does not start on a socket that another server has")
    func taken() async throws {
        let socket = try ListeningSocket.open(address: "127.0.0.1", port: 0)
        let first = MetricsEndpoint(socket: socket, registry: PrometheusRegistry())
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).listen(on: socket) { _ in
        }
        let error = await #expect(throws: FxferError.self) { try await first.run() }
        #expect(error?.code == .internal)
        try await listener.executeThenClose { _ in }
    }
}
