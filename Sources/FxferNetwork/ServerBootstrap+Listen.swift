import FxferProtocol
import Glibc
import NIOCore
import NIOPosix

extension ServerBootstrap {
    /// Listens on one address, or on all of them, IPv6 and IPv4 (where there is no IPv6, on those of IPv4).
    ///
    /// - Parameters:
    ///   - address: an IP address or host name; nil for all addresses.
    ///   - port: a TCP port; 0 for a free one.
    ///   - setUp: makes of a client's channel what the owner works with; called on its event loop.
    /// - Throws: `cannotConnect`, which names the address and what to do.
    package func listen<Client: Sendable>(
        address: String?,
        port: Int,
        setUp: @escaping @Sendable (any Channel) throws -> Client
    ) async throws(FxferError) -> NIOAsyncChannel<Client, Never> {
        var failures: [any Error] = []
        for host in address.map({ [$0] }) ?? ["::", "0.0.0.0"] {
            do {
                return try await self.serverChannelOption(.backlog, value: 1024)
                    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                    .bind(host: host, port: port) { channel in
                        channel.eventLoop.makeCompletedFuture { try setUp(channel) }
                    }
            } catch {
                failures.append(error)
            }
        }
        let place = Endpoint(host: address ?? "::", port: port)
        let reason = failures.first.map(NetworkErrorText.text) ?? "no address"
        throw FxferError(
            .cannotConnect,
            "cannot listen on \(place): \(reason); choose another place with --listen",
            cause: failures.first
        )
    }
}
