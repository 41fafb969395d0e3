import FxferNetwork
import FxferProtocol
import FxferStorage
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Receives files into a directory: each is verified, durable, and published in one step before its receipt is sent.
///
/// ``run()`` is its whole life. A graceful shutdown (ServiceLifecycle) closes the listening socket, lets transfers in
/// flight end within the grace, tells the rest, and returns.
public struct FileServer: Service {
    private let configuration: ServerConfiguration
    private let logger: Logger
    private let onListening: @Sendable (SocketAddress) -> Void

    /// - Parameters:
    ///   - configuration: where to listen and what to allow.
    ///   - logger: gets one line a transfer.
    ///   - onListening: called once with the bound address, when clients can connect.
    public init(
        configuration: ServerConfiguration,
        logger: Logger,
        onListening: @escaping @Sendable (SocketAddress) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until a graceful shutdown or cancellation.
    ///
    /// - Throws: ``FxferError`` where the directory cannot be used or the address cannot be bound.
    public func run() async throws {
        let store = try await DirectoryStore.open(path: self.configuration.directory)
        let listener = try await self.listen()
        let connections = ConnectionRegistry(limit: self.configuration.maxConnections)

        try await withThrowingDiscardingTaskGroup { group in
            try await listener.executeThenClose { clients in
                if let address = listener.channel.localAddress {
                    self.onListening(address)
                }
                for try await client in clients.cancelOnGracefulShutdown() {
                    let connection = ServerConnection(
                        wire: client,
                        store: store,
                        configuration: self.configuration,
                        logger: self.logger
                    )
                    group.addTask {
                        await connections.run(connection)
                    }
                }
            }
            let grace = self.configuration.grace
            let open = await connections.count
            if open > 0 {
                self.logger.info("shutting down", metadata: ["connections": "\(open)", "grace": "\(grace)"])
            }
            await connections.shutDown(grace: grace)
        }
    }

    private func listen() async throws(FxferError) -> NIOAsyncChannel<WireChannel, Never> {
        let opening = self.configuration.guest?.opening
        return try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: WireChannel.readAllocator)
            .listen(address: self.configuration.address, port: self.configuration.port) { channel in
                try channel.pipeline.syncOperations.addHandler(FirstBytesHandler(guestOpening: opening))
                return try WireChannel(wrapping: channel)
            }
    }
}
