import FxferNetwork
import FxferProtocol
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Serves what a ``PrometheusRegistry`` has at `GET /metrics` over HTTP, and at `/healthz` whether the server takes work,
/// one request a connection. There is no authentication.
///
/// ``run()`` is its whole life: after it, the socket and all connections are closed.
package struct MetricsEndpoint: Service {
    /// How many connections there may be at once; a further one is closed.
    static let maxConnections = 8

    /// How many descriptors it takes at the most: the socket, the connections, and of those that are not looked at yet
    /// two that wait, one that is being looked at and one that is being accepted.
    package static let maxDescriptors = 1 + Self.maxConnections + 4

    /// Answers how the server is, in a word or two, and whether it takes work. Never waits.
    package typealias Health = @Sendable () -> (state: String, isFit: Bool)

    private let socket: ListeningSocket
    private let registry: PrometheusRegistry
    private let health: Health

    package init(
        socket: ListeningSocket,
        registry: PrometheusRegistry,
        health: @escaping Health = { ("serving", true) }
    ) {
        self.socket = socket
        self.registry = registry
        self.health = health
    }

    /// Serves until a graceful shutdown or cancellation.
    ///
    /// - Throws: ``FxferError`` with `internal` where another server has the socket.
    package func run() async throws {
        let listener = try await self.listen()
        let places = Places(Self.maxConnections)
        try await withThrowingDiscardingTaskGroup { group in
            defer { group.cancelAll() }
            try await listener.executeThenClose { clients in
                for try await client in clients.cancelOnGracefulShutdown() {
                    // It is closed where there is none.
                    guard places.take() else { continue }
                    group.addTask {
                        await client.waitForEnd()
                        places.giveBack()
                    }
                }
            }
        }
    }

    private func listen() async throws(FxferError) -> NIOAsyncChannel<Client, Never> {
        let (registry, health) = (self.registry, self.health)
        return try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .listen(on: self.socket) { channel in
                try ScrapeHandler.install(on: channel, registry, health)
                return Client(channel)
            }
    }
}

/// A connection, which is closed when nobody has it any more: also one that is accepted while the endpoint ends.
private final class Client: Sendable {
    private let channel: any Channel

    init(_ channel: any Channel) {
        self.channel = channel
    }

    deinit {
        self.channel.close(promise: nil)
    }

    /// Returns when the connection is closed, which this does where the task is cancelled.
    func waitForEnd() async {
        await withTaskCancellationHandler {
            try? await self.channel.closeFuture.get()
        } onCancel: {
            self.channel.close(promise: nil)
        }
    }
}

/// How many connections may come yet.
private final class Places: Sendable {
    private let free: Mutex<Int>

    init(_ count: Int) {
        self.free = Mutex(count)
    }

    func take() -> Bool {
        self.free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
    }

    func giveBack() {
        self.free.withLock { $0 += 1 }
    }
}
