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

    /// How many new connections may be open beside those that are served or turned away: two wait to be decided about,
    /// one is being decided about, and one is just being accepted.
    static let maxNewcomers = 4

    /// Serves until a graceful shutdown or cancellation.
    ///
    /// What it does is counted in the metrics backend that the process or the task has: ``ServerMetric``. An fsync(2) is
    /// told to the server of the process that was started last.
    ///
    /// - Throws: ``FxferError`` where the directory cannot be used or the address cannot be bound.
    public func run() async throws {
        DescriptorBudget.process.limit(to: self.configuration.limits.maxOpen)
        // Before the directory is made: where the port is taken, nothing is.
        let socket = try await self.openSocket()
        if let open = self.configuration.storeOpening {
            try await self.run(open(), on: socket)
        } else {
            // By its own type: the compiler makes code for that, which is faster than code for any store.
            try await self.run(self.openDirectory(), on: socket)
        }
    }

    private func openDirectory() async throws -> DirectoryStore {
        let directory = try await DirectoryStore.open(
            path: self.configuration.directory,
            options: self.configuration.storing
        )
        if directory.hasMendedLedger {
            self.logger.notice("cut a torn line off the end of the ledger, left by a crash")
        }
        if directory.leftoversRemoved > 0 {
            let count = directory.leftoversRemoved
            self.logger.info("removed what earlier servers left", metadata: ["files": "\(count)"])
        }
        return directory
    }

    /// Serves with `store`, and closes it.
    private func run(_ store: some ServedStore, on socket: ListeningSocket) async throws {
        do {
            try await self.serve(store, on: socket)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    private func serve<Base: ServedStore>(_ base: Base, on socket: ListeningSocket) async throws {
        let store = try await self.limited(base)
        let listener = try await self.listen(on: socket)
        let metrics = ServerMetrics()
        FlushObserver.process.set { metrics.flushed(in: $0) }
        let connections = ConnectionRegistry<LimitedStore<Base>>(self.configuration.limits, metrics)
        let penalties = AddressPenalties()

        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await self.expirePartials(of: base) }
            group.addTask { await self.watch(base) }
            defer { group.cancelAll() }
            try await listener.executeThenClose { clients in
                self.configuration.health.begin()
                if let address = listener.channel.localAddress {
                    self.onListening(address)
                }
                for try await client in clients.cancelOnGracefulShutdown() {
                    let connection = ServerConnection(
                        wire: client,
                        store: store,
                        configuration: self.configuration,
                        penalties: penalties,
                        metrics: metrics,
                        logger: self.logger
                    )
                    guard let entrant = await connections.enter(connection) else { continue }
                    group.addTask {
                        await connections.run(connection, entrant)
                    }
                }
            }
            self.configuration.health.drain()
            let grace = self.configuration.grace
            let open = await connections.count
            if open > 0 {
                self.logger.info("shutting down", metadata: ["connections": "\(open)", "grace": "\(grace)"])
            }
            await connections.shutDown(grace: grace)
        }
    }

    private func limited<Base: ServedStore>(_ base: Base) async throws(FxferError) -> LimitedStore<Base> {
        do {
            return try await LimitedStore(base, self.configuration.limits.storage)
        } catch {
            throw FxferError(wrapping: error)
        }
    }

    /// Removes what interrupted uploads left when nobody has gone on with it for long enough.
    private func expirePartials(of store: some ServedStore) async {
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

    /// Looks now and then whether the store can be reached; tells where that changes.
    private func watch(_ store: some ServedStore) async {
        var wasReachable = true
        while (try? await Task.sleep(for: .seconds(5))) != nil {
            var reason: FxferError?
            do {
                try await store.checkReachable()
            } catch is CancellationError {
                return
            } catch {
                reason = FxferError(wrapping: error)
            }
            self.configuration.health.noteStore(isReachable: reason == nil)
            guard (reason == nil) != wasReachable else { continue }
            wasReachable = reason == nil
            if let reason {
                self.logger.error("the store cannot be used", metadata: ["reason": "\(reason)"])
            } else {
                self.logger.notice("the store can be used again")
            }
        }
    }

    private func openSocket() async throws -> ListeningSocket {
        if let socket = self.configuration.socket { return socket }
        let (address, port) = (self.configuration.address, self.configuration.port)
        return try await DiskPool.shared.run { try ListeningSocket.open(address: address, port: port) }
    }

    private func listen(
        on socket: ListeningSocket
    ) async throws(FxferError) -> NIOAsyncChannel<WireChannel, Never> {
        let opening = self.configuration.guest?.opening
        let tls = try self.configuration.identity.map { identity throws(FxferError) in try TLSContext.server(identity) }
        let maxRead = self.configuration.limiter?.portion ?? WireChannel.maxReadSize
        return try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: WireChannel.readAllocator(maximum: maxRead))
            .listen(on: socket) { channel in
                try channel.pipeline.syncOperations.addHandler(FirstBytesHandler(tls: tls, guestOpening: opening))
                return try WireChannel(wrapping: channel)
            }
    }
}

extension FileServer: CustomStringConvertible {
    /// For logs of its life: nothing of what it serves.
    public var description: String { "file server" }
}
