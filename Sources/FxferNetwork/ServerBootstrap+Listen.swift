import FxferProtocol
import Glibc
import NIOCore
import NIOPosix

extension ServerBootstrap {
    /// Takes the clients of a socket that listens already.
    ///
    /// - Parameters:
    ///   - socket: one that no other server has.
    ///   - setUp: makes of a client's channel what the owner works with; called on its event loop.
    /// - Throws: `internal`.
    package func listen<Client: Sendable>(
        on socket: ListeningSocket,
        setUp: @escaping @Sendable (any Channel) throws -> Client
    ) async throws(FxferError) -> NIOAsyncChannel<Client, Never> {
        guard let descriptor = socket.take() else {
            throw FxferError(.internal, "cannot listen: another server has the socket already")
        }
        do {
            // What waits to be looked at by the owner is out of its control: that is to be little.
            let few = NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark(lowWatermark: 1, highWatermark: 2)
            let listener = try await self.bind(descriptor, serverBackPressureStrategy: few) { channel in
                channel.eventLoop.makeCompletedFuture { try setUp(channel) }
            }
            // NIO has called it with a backlog of its own.
            _ = Glibc.listen(descriptor, ListeningSocket.backlog)
            return listener
        } catch {
            throw FxferError(.internal, "cannot listen: \(NetworkErrorText.text(of: error))", cause: error)
        }
    }
}
