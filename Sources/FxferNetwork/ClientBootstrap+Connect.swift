import FxferProtocol
import NIOCore
import NIOPosix

extension ClientBootstrap {
    /// Connects to a server, trying each address that its name has.
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
        do {
            return try await self.connectTimeout(TimeAmount(timeout))
                .connect(host: endpoint.host, port: endpoint.port) { channel in
                    channel.eventLoop.makeCompletedFuture { try setUp(channel) }
                }
        } catch {
            throw FxferError(
                .cannotConnect,
                "cannot connect to \(endpoint): \(Self.reason(for: error)); is a server running there?",
                cause: error
            )
        }
    }

    private static func reason(for error: any Error) -> String {
        guard let failure = error as? NIOConnectionError else {
            return NetworkErrorText.text(of: error)
        }
        if failure.connectionErrors.isEmpty {
            return "the host name cannot be resolved"
        }
        return failure.connectionErrors
            .map { "\(Endpoint($0.target)): \(NetworkErrorText.text(of: $0.error))" }
            .joined(separator: "; ")
    }
}
