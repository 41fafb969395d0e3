import FxferProtocol
import NIOCore
import NIOPosix
import Synchronization

extension ClientBootstrap {
    /// Connects to a server, trying each address that its name has. When the task is cancelled no more is tried.
    ///
    /// - Parameters:
    ///   - timeout: how long each address may take.
    ///   - setUp: makes of the channel what the owner works with; called on its event loop.
    /// - Throws: `cannotConnect`, which names every address that was tried.
    package func connect<Connection: Sendable>(
        to endpoint: Endpoint,
        timeout: Duration,
        setUp: @escaping @Sendable (any Channel) throws -> Connection
    ) async throws(FxferError) -> Connection {
        let attempts = ConnectionAttempts()
        do {
            return try await withTaskCancellationHandler {
                try await self.connectTimeout(TimeAmount(timeout))
                    .connect(host: endpoint.host, port: endpoint.port) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            attempts.add(channel)
                            return try setUp(channel)
                        }
                    }
            } onCancel: {
                attempts.cancel()
            }
        } catch {
            throw FxferError(.cannotConnect, "cannot connect to \(Self.reason(for: error, endpoint))", cause: error)
        }
    }

    private static func reason(for error: any Error, _ endpoint: Endpoint) -> String {
        guard let failure = error as? NIOConnectionError else {
            return "\(endpoint): \(NetworkErrorText.text(of: error))"
        }
        guard !failure.connectionErrors.isEmpty else {
            return "\(endpoint): the host name cannot be resolved"
        }
        let tries = failure.connectionErrors
            .map { "\(Endpoint($0.target)): \(NetworkErrorText.text(of: $0.error))" }
            .joined(separator: "; ")
        let place = tries.hasPrefix("\(endpoint): ") ? tries : "\(endpoint): \(tries)"
        return "\(place); is a server running there?"
    }
}

/// The channels with which a connection is tried, so that all of them can be closed.
private final class ConnectionAttempts: Sendable {
    private let channels = Mutex<(attempts: [any Channel], isCancelled: Bool)>(([], false))

    func add(_ channel: any Channel) {
        let isCancelled = self.channels.withLock { channels in
            channels.attempts.append(channel)
            return channels.isCancelled
        }
        if isCancelled { channel.close(promise: nil) }
    }

    func cancel() {
        let attempts = self.channels.withLock { channels in
            channels.isCancelled = true
            return channels.attempts
        }
        for channel in attempts {
            channel.close(promise: nil)
        }
    }
}
