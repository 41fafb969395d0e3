import FxferNetwork
import FxferProtocol
import FxferStorage
import NIOCore
import NIOPosix

/// A listening socket for the textbook's programs. Clients from other machines are told so and sent away.
package struct RawListener: Sendable {
    private let listener: NIOAsyncChannel<RawConnection, Never>

    /// Listens; each read from a client takes up to `readSize` bytes.
    ///
    /// - Throws: `cannotConnect` where the address cannot be had.
    package static func listen(
        address: String?,
        port: Int,
        readSize: Int,
        timeout: Duration
    ) async throws -> RawListener {
        let socket = try await DiskPool.shared.run { try ListeningSocket.open(address: address, port: port) }
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: readSize))
            .listen(on: socket) { channel in
                let peer = channel.remoteAddress.map { Endpoint($0).description } ?? "unknown"
                return try RawConnection(wrapping: channel, peer: peer, timeout: timeout)
            }
        return RawListener(listener: listener)
    }

    /// Where clients connect.
    package var endpoint: Endpoint? { self.listener.channel.localAddress.map { Endpoint($0) } }

    /// Serves clients at the same time until the task is cancelled.
    func serveAll(_ serve: @escaping @Sendable (RawConnection) async -> Void) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await self.listener.executeThenClose { clients in
                for try await client in clients {
                    group.addTask {
                        if await Self.admit(client) { await serve(client) }
                    }
                }
            }
            group.cancelAll()
        }
    }

    /// Serves clients one after the other until one of them was served to its end: `serve` answers whether it was.
    func serveOne(_ serve: (RawConnection) async throws -> Bool) async throws {
        try await self.listener.executeThenClose { clients in
            for try await client in clients where await Self.admit(client) {
                if try await serve(client) { return }
            }
        }
    }

    /// Whether a client may be served; one that may not has been told.
    private static func admit(_ client: RawConnection) async -> Bool {
        if client.isFromSameMachine { return true }
        try? await client.withMessages { messages in
            try await client.send(Array("fxfer: this server accepts connections from its own machine only\r\n".utf8))
            var incoming = messages.makeAsyncIterator()
            try await client.end(&incoming)
        }
        return false
    }
}
