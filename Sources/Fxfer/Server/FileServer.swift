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
        let store = try await DirectoryStore.open(
            path: self.configuration.directory,
            options: self.configuration.storing
        )
        if store.leftoversRemoved > 0 {
            self.logger.info("removed what earlier servers left", metadata: ["files": "\(store.leftoversRemoved)"])
        }
        let listener = try await self.listen()
        let connections = ConnectionRegistry(limit: self.configuration.maxConnections)

        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await self.expirePartials(of: store) }
            defer { group.cancelAll() }
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

    /// Removes what interrupted uploads left when nobody has gone on with it for long enough.
    private func expirePartials(of store: DirectoryStore) async {
        // Often enough that nothing is kept much longer than it should be, and never more often than is of use.
        let interval = min(max(self.configuration.keepPartials / 10, .seconds(1)), .seconds(600))
        while (try? await Task.sleep(for: interval)) != nil {
            do {
                let count = try await store.expirePartials()
                if count > 0 { self.logger.info("removed expired parts", metadata: ["files": "\(count)"]) }
            } catch {
                self.logger.warning("cannot expire parts", metadata: ["reason": "\(FxferError(wrapping: error))"])
            }
        }
    }

    private func listen() async throws(FxferError) -> NIOAsyncChannel<WireChannel, Never> {
        let opening = self.configuration.guest?.opening
        let maxRead = self.configuration.limiter?.portion ?? WireChannel.maxReadSize
        return try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: WireChannel.readAllocator(maximum: maxRead))
            .listen(address: self.configuration.address, port: self.configuration.port) { channel in
                try channel.pipeline.syncOperations.addHandler(FirstBytesHandler(guestOpening: opening))
                return try WireChannel(wrapping: channel)
            }
    }
}
